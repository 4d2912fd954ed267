"""The store of raw responses: one line each, appended the moment a response arrives."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from ggmi.errors import UserError
from ggmi.models.requests import Request, Response, Usage, missing

# Seconds between two syncs to disk: what a loss of power can cost. A killed process loses nothing.
SYNC_EVERY = 1.0


class Store:
    """Responses in a JSONL file, found by the keys of their requests.

    Only an index of keys is in memory, about 200 bytes a response. A reader needs no lock and
    takes no notice of a line that is being written.

    Parameters
    ----------
    path
        The file; it need not exist yet.

    Raises
    ------
    UserError
        If the file cannot be read or one of its lines is damaged; the line is named.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.usage = Usage()
        self._places: dict[bytes, int] = {}
        self._end = 0  # one past the last whole line read
        self._lines = 0
        self._file: int | None = None
        self._synced = 0.0
        self._read_on()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bytes.fromhex(key) in self._places

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, requests: Iterable[Request]) -> list[Request]:
        """Requests that are still to be asked, each once, in their order.

        Parameters
        ----------
        requests
            What is wanted.
        """
        return missing(requests, self)

    def collect(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Responses in the order of the requests, whatever the order they came in.

        Parameters
        ----------
        requests
            What is wanted; those that failed for good are left out by asking ``in`` first.

        Yields
        ------
        Response

        Raises
        ------
        UserError
            If a response is not there.
        """
        with contextlib.ExitStack() as opened:
            file: IO[bytes] | None = None  # there may be none yet
            for request in requests:
                key = request.key()
                if key not in self:
                    raise UserError(f"{self.path}: holds no response to prompt {request.prompt_id!r}; run again")
                file = file or opened.enter_context(self._reading())
                file.seek(self._places[bytes.fromhex(key)])
                yield Response.from_json(file.readline())

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store for writing; a line that a killed writer left torn is moved to ``<name>.torn``.

        Raises
        ------
        UserError
            If another process is writing, or the place cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"{self.path}: another process is writing to it; wait until it has ended") from None
            self._read_on()
            self._repair()
            yield
            self._sync()
        finally:
            os.close(self._file)
            self._file = None

    def append(self, response: Response) -> None:
        """Write a response to the file before returning.

        The line reaches the operating system at once and the disk within a second or so, so a
        killed process loses nothing and a machine that loses power about a second's responses.

        Parameters
        ----------
        response
            One whose key the store does not hold.

        Raises
        ------
        UserError
            If the disk is full or the file cannot be written; what was kept before stays whole.
        ValueError
            If the store is not held for writing or holds the key.
        """
        if self._file is None or response.key in self:
            raise ValueError(f"{response.key} cannot be appended to {self.path}")
        line = response.to_json().encode() + b"\n"
        try:
            if os.fstat(self._file).st_nlink == 0:
                raise FileNotFoundError(errno.ENOENT, "it was deleted meanwhile")
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise self._unwritable(error) from error
        self._remember(response, len(line))
        if time.monotonic() - self._synced > SYNC_EVERY:
            self._sync()

    def _remember(self, response: Response, length: int) -> None:
        key = bytes.fromhex(response.key)
        if key not in self._places:  # of two stores joined by hand, the first answer counts
            self._places[key] = self._end
            self.usage += Usage.of(response)
        self._end += length
        self._lines += 1

    def _read_on(self) -> None:
        """Index whole lines that are not indexed yet."""
        if not self.path.exists():
            return
        with self._reading() as file:
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    response = Response.from_json(line)
                    bytes.fromhex(response.key)
                except ValueError as error:
                    raise UserError(
                        f"{self.path}: line {self._lines + 1}: is damaged ({_first_line(error)}); "
                        "take the line out and run again, and only it is asked again"
                    ) from None
                self._remember(response, len(line))

    def _repair(self) -> None:
        """Complete a last line that lacks its line end only, or move what is left of it aside."""
        assert self._file is not None
        with self._reading() as file:
            file.seek(self._end)
            torn = file.read()
        if not torn:
            return
        try:
            response = Response.from_json(torn)
            whole = len(bytes.fromhex(response.key)) == 32
        except ValueError:
            whole = False
        try:
            if whole:
                os.write(self._file, b"\n")
                self._remember(response, len(torn) + 1)
            else:
                with self.path.with_name(f"{self.path.name}.torn").open("ab") as aside:
                    aside.write(torn + b"\n")
                os.ftruncate(self._file, self._end)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            raise UserError(f"{self.path}: cannot be read ({error.strerror or error})") from error

    def _sync(self) -> None:
        assert self._file is not None
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from error
        self._synced = time.monotonic()

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            f"{self.path}: cannot be written ({error.strerror or error}); "
            f"{len(self)} responses are kept, and a new run asks for the rest only"
        )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0][:200]
