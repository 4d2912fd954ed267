"""Files of text as they come: packed or not, in any encoding, and what is no data told with the way out."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ggmi.errors import UserError, did_you_mean, told_by
from ggmi.text.places import STDIN

# How packed files begin.
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz",
           b"]\x00\x00": "lzma"}  # fmt: skip
_AS_CSV = "save the sheet as CSV"
# How files begin that hold no records in a form that is read, what they are, and the way out.
_OTHERS = {
    b"version https://git-lfs": "is a Git LFS pointer and not the data; fetch it with `git lfs pull`",
    b"PK\x03\x04": f"is an Excel workbook or another zip archive; {_AS_CSV}, or unzip it",
    b"\x04\x22\x4d\x18": "is packed by lz4, which is not read; unpack it",
    b"\xff\x06\x00\x00sNaPpY": "is packed by snappy, which is not read; unpack it",
    b"\x1f\x9d": "is packed by compress, which is not read; unpack it",
    b"{\\rtf": "is a document of a word processor; save its records as JSON lines or CSV",
    b"\xd0\xcf\x11\xe0": f"is an old Excel workbook; {_AS_CSV}",
    b"7z\xbc\xaf": "is a 7z archive; unpack it",
    b"Rar!": "is a rar archive; unpack it",
    b"SQLite format 3": "is an SQLite database; export the table as CSV",
    b"\x93NUMPY": "is a NumPy array; save its texts as JSON lines",
    b"ORC": "is an ORC file; save it as Parquet",
    b"Obj\x01": "is an Avro file; save it as Parquet",
    b"%PDF": "is a PDF document; save its records as JSON lines or CSV",
    b"<!": "is a web page and not data; download the file itself (on a hub: /resolve/, not /blob/)",
    b"<html": "is a web page and not data; download the file itself (on a hub: /resolve/, not /blob/)",
    b"<?xml": "is XML, which is not read; save its records as JSON lines or CSV",
    **{
        bytes([0x80, version]): "is a pickle, which could run code and is never read; save it as JSON lines or Parquet"
        for version in range(2, 6)
    },
}
# UTF-32 before UTF-16, whose mark begins its own.
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_USUAL = ("cp1252", "latin-1", "utf-16", "shift_jis", "gb18030", "big5", "koi8-r", "euc-kr")
HEAD = 1024
# What is raised where a file cannot be read or unpacked to its end.
DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error)
# What bytes that are not in the encoding are decoded to.
_ESCAPED = re.compile("[\udc80-\udcff]")


def open_packed(path: Path, stack: ExitStack) -> tuple[io.BufferedReader[Any], str]:
    """Open a file, or standard input, and unpack it by what it holds, whatever its name.

    Parameters
    ----------
    path
        The file, or ``-``.
    stack
        Closes what is opened.

    Returns
    -------
    stream : BufferedReader
        What it holds.
    packing : str
        Such as ``gzip``; empty where it is not packed.

    Raises
    ------
    UserError
        If it cannot be read, or holds no data.
    """
    packing = ""
    stream: io.BufferedReader[Any]
    try:
        is_stdin = str(path) == STDIN
        stream = io.BufferedReader(io.BytesIO(sys.stdin.buffer.read())) if is_stdin else path.open("rb")
        stack.enter_context(stream)
        while how := next((how for start, how in _PACKED.items() if stream.peek(8).startswith(start)), None):
            packing = how
            stream = stack.enter_context(io.BufferedReader(_unpacked(stream, how)))
        _refuse_others(path, stream.peek(HEAD)[:HEAD])
    except DAMAGED as error:
        raise unreadable(path, error) from None
    return stream, packing


def _unpacked(stream: BinaryIO, how: str) -> Any:
    """What a packed stream holds, unpacked as it is read."""
    if how == "zstd":
        from pyarrow import CompressedInputStream

        return CompressedInputStream(stream, "zstd")
    if how == "gzip":
        return gzip.GzipFile(fileobj=stream, mode="rb")
    return bz2.BZ2File(stream) if how == "bzip2" else lzma.LZMAFile(stream)


def unreadable(path: Path, error: Exception) -> UserError:
    """The sentence on a file that cannot be read.

    Parameters
    ----------
    path
        The file.
    error
        What was raised.
    """
    return UserError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or told_by(error)})")


def _refuse_others(path: Path, head: bytes) -> None:
    """Refuse what holds no records, with the way out."""
    if head[257:262] == b"ustar":
        raise UserError(f"{path}: is a tar archive; unpack it and name its folder")
    start = head.lstrip()[:HEAD].lower() if head.lstrip().startswith(b"<") else head
    for mark, sentence in _OTHERS.items():
        # A table may begin with these letters too.
        if start.startswith(mark) and not (mark in (b"ORC", b"Rar!", b"BZh") and b"\n" in head[:80]):
            raise UserError(f"{path}: {sentence}")


def read_lines(path: Path, stream: io.BufferedReader[Any], encoding: str | None = None) -> Iterator[str]:
    r"""Lines of a text, each with its end, which may be \n, \r\n or \r.

    A byte-order mark tells the encoding; without one, text that is UTF-8 is read as such, and other text
    in `encoding`.

    Parameters
    ----------
    path
        Its file, for messages and to look at it again.
    stream
        The text, from its start.
    encoding
        Of text that is not UTF-8.

    Raises
    ------
    UserError
        If the text is in another encoding, or cannot be read to its end.
    """
    head = stream.peek(HEAD)[:HEAD]
    known = next((name for mark, name in _BOMS.items() if head.startswith(mark)), None)
    if known is None and len(head) > 1 and 0 in head[:2]:
        known = "utf-16-be" if head[0] == 0 else "utf-16-le"
    if known is None and b"\x00" in head:
        raise UserError(f"{path}: is neither text nor a format that is read")
    if known is None and encoding is not None:
        content = stream.read()
        known = None if _is_utf8(content) else _checked(encoding)
        stream = io.BufferedReader(io.BytesIO(content))
    name = known or "utf-8"
    lenient = name in ("utf-8", "utf-8-sig")
    text = io.TextIOWrapper(stream, name, "surrogateescape" if lenient else "strict", newline="")
    number = 0
    try:
        for number, line in enumerate(text, 1):
            if lenient and not line.isascii() and (bad := _ESCAPED.search(line)):
                at = len(line[: bad.start()].encode()) + 1
                raise UserError(
                    f"{path}: line {number} is not UTF-8 (its byte {at}); name the file's encoding, such as cp1252 "
                    "(--encoding, or the key encoding)"
                )
            yield line
    except UnicodeError:
        raise UserError(
            f"{path}: line {number + 1} or one soon after it is not {name}; name the file's encoding, such as cp1252 "
            "(--encoding, or the key encoding)"
        ) from None
    except DAMAGED as error:
        raise unreadable(path, error) from None
    finally:
        # The stream is closed by who opened it, perhaps before this.
        with suppress(ValueError):
            text.detach()


def _is_utf8(content: bytes) -> bool:
    """Whether bytes are UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    try:
        for start in range(0, len(view), 2**20):
            decoder.decode(view[start : start + 2**20])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _checked(encoding: str) -> str:
    """The encoding, if there is one of that name."""
    try:
        if codecs.lookup(encoding)._is_text_encoding:
            return encoding
    except (LookupError, ValueError):
        pass
    raise UserError(f"encoding: there is none called {encoding[:40]!r}; {did_you_mean(encoding, _USUAL)}")


def whole(path: Path, stream: io.BufferedReader[Any]) -> Any:
    """A file that is read out of order: itself, or its content where it is packed or standard input.

    Parameters
    ----------
    path
        The file.
    stream
        Of `open_packed`.

    Returns
    -------
    str or pyarrow.BufferReader

    Raises
    ------
    UserError
        If it cannot be unpacked to its end.
    """
    from pyarrow import BufferReader

    try:
        return str(path) if isinstance(stream.raw, io.FileIO) else BufferReader(stream.read())
    except DAMAGED as error:
        raise unreadable(path, error) from None
