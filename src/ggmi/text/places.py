"""What a person's name for data stands for: a file, a folder or pattern of files, a split of them, or the hub's."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ggmi.errors import UserError, did_you_mean

STDIN = "-"
# Formats by what names end with, and what may stand behind that.
SUFFIXES = {
    **{".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv"},
    **{".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow"},
}
COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
# Files that describe data sets and hold no records.
_DESCRIBING = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
_ALSO_DESCRIBING = ("config.json", "metadata.json", "manifest.json")
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_WORDS = "|".join(word for words in _SPLITS.values() for word in words)
# Shards of a split as the hub names them: ``train_sft-00000-of-00003.parquet``.
_SHARD = re.compile(r"([^/]+)-\d{5}-of-\d{5}[^/]*$")
_SPLIT_WORD = re.compile(rf"(?<![a-z0-9])({_WORDS})(?![a-z0-9])")


@dataclass(frozen=True)
class Place:
    """Where records are.

    Parameters
    ----------
    files
        To be read as one set, in this order; none where the hub or standard input is meant.
    split
        The part that is meant, of a file or a data set that has several; None where none is named.
    hub
        Id of a data set on the hub, with its configuration behind a colon; None for files.
    """

    files: tuple[Path, ...] = ()
    split: str | None = None
    hub: str | None = None


def format_of(path: str | Path) -> str | None:
    """The format that a name tells, or None.

    Examples
    --------
    >>> format_of("a/b.jsonl.gz"), format_of("part-00000")
    ('jsonl', None)
    """
    name = Path(path).name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return SUFFIXES.get(Path(name).suffix)


def short_name(name: str) -> str:
    """What a set is called by the name of its place: the last part, without endings that tell a format.

    Examples
    --------
    >>> short_name("sets/a.jsonl.gz"), short_name("shards/*.jsonl"), short_name("dict:test"), short_name("-")
    ('a', 'shards', 'dict:test', 'stdin')
    """
    if name == STDIN:
        return "stdin"
    path = Path(name)
    while glob.has_magic(path.name) and path.name != str(path):
        path = path.parent
    while path.suffix.lower() in (*SUFFIXES, *COMPRESSED):
        path = path.with_suffix("")
    return path.name or name


def find(name: str, split: str | None = None) -> Place:
    """Find what a name stands for; what exists here is never looked for on the hub.

    Parameters
    ----------
    name
        ``-``, a file, a folder, a pattern such as ``shards/*.jsonl``, or an id on the hub; with
        ``:split`` behind it where there are several (on the hub also ``:configuration:split``).
    split
        The split where the name has none and there are several.

    Raises
    ------
    UserError
        If nothing has the name, or it is not clear which of several things it means.
    """
    if name == STDIN:
        return Place(split=split)
    path = Path(name).expanduser()
    if path.is_dir():
        return _folder(path, split, named=split is not None)
    if path.exists() or path.is_symlink():
        return Place((path,), split)
    if glob.has_magic(name):
        found = [Path(file) for file in sorted(glob.glob(str(path), recursive=True)) if Path(file).is_file()]  # noqa: PTH207
        if found:
            return Place(_alike(name, found), split)
    head, colon, tail = name.rpartition(":")
    before = Path(head).expanduser()
    if colon and before.is_dir():
        return _folder(before, tail, named=True)
    if colon and before.exists():
        return Place((before,), tail)
    if is_local(name):
        raise UserError(f"{name}: there is no such file or folder")
    hub, colon, tail = name.rpartition(":")
    return Place(split=tail, hub=hub) if colon else Place(split=split or "train", hub=name)


def is_local(name: str) -> bool:
    """Whether a name means something on this machine, there or not, rather than a data set of the hub.

    Examples
    --------
    >>> is_local("data/mine.jsonl"), is_local("databricks/databricks-dolly-15k")
    (True, False)
    """
    head = name.rpartition(":")[0]
    if name == STDIN or any(part and Path(part).expanduser().exists() for part in (name, head)):
        return True
    return bool(
        name.startswith((".", "~", "/"))
        or glob.has_magic(name)
        or any(format_of(part) or Path(part).suffix.lower() in COMPRESSED for part in (name, head))
        or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+){0,2}", name)
    )


def _folder(path: Path, split: str | None, *, named: bool) -> Place:
    """The files of a folder; a split that nobody named matters only where there are several."""
    listed = path / "dataset_dict.json"
    if listed.is_file():
        splits = [str(each) for each in _described(listed).get("splits", [])]
        return _folder(path / Path(_split(path, splits, split)).name, None, named=False)
    if (path / "state.json").is_file():
        if named:
            raise UserError(f"{path}: is one data set without splits, not one with {split!r}; name the folder alone")
        parts = _described(path / "state.json").get("_data_files", [])
        return Place(tuple(path / Path(str(part["filename"])).name for part in parts))
    found = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and format_of(file)
        and file.name not in _DESCRIBING
        and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    ]
    found = [file for file in found if file.name not in _ALSO_DESCRIBING] or found
    if not found:
        raise UserError(f"{path}: the folder holds no file that ends with {', '.join(SUFFIXES)}")
    by_split: dict[str, list[Path]] = {}
    for file in found:
        by_split.setdefault(_split_of(file.relative_to(path).as_posix()), []).append(file)
    if named or len(by_split.keys() - {""}) > 1:
        found = by_split[_split(path, [each for each in by_split if each], split)]
    _refuse_configurations(path, found)
    return Place(_alike(str(path), found))


def _refuse_configurations(path: Path, files: Iterable[Path]) -> None:
    """Refuse folders that hold the same shard each: configurations of one data set, which are no one set."""
    places: dict[str, Path] = {}
    for file in files:
        other = places.setdefault(file.name, file)
        one, two = (str(each.parent.relative_to(path)) for each in (other, file))
        # Folders such as language=en are partitions of one table.
        if one != two and _SHARD.search(file.name) and "=" not in two:
            raise UserError(f"{path}: holds {file.name} both in {one} and in {two}; name one, such as {path / one}")


def _split_of(name: str) -> str:
    """The split that a file's path names; empty for none."""
    words = _SPLIT_WORD.findall(name.lower())
    usual = next((split for split, said in _SPLITS.items() if words and words[0] in said), "")
    shard = _SHARD.search(name)
    own = shard[1] if shard and _SPLIT_WORD.search(shard[1].lower()) else usual
    return usual if own.lower() in _SPLITS.get(usual, ()) else own


def _split(path: Path, splits: list[str], split: str | None) -> str:
    """The split of a data set that is meant."""
    usual = next((one for one, said in _SPLITS.items() if split in said), split)
    for known in (split, usual):
        if known in splits:
            return str(known)
    if split is None and len(splits) == 1:
        return splits[0]
    hint = did_you_mean(split, splits) if split and splits else f"name one, such as {path}:{(splits or ['train'])[0]}"
    asked = f", and {split!r} is asked for" if split else ""
    raise UserError(f"{path}: holds the splits {', '.join(splits) or '(none)'}{asked}; {hint}")


def _alike(name: str, files: Iterable[Path]) -> tuple[Path, ...]:
    """Files that make one set: of one format, and none of them there twice."""
    found = tuple(files)
    formats: dict[str, Path] = {}
    bare: dict[str, Path] = {}
    for file in found:
        formats.setdefault(format_of(file) or file.suffix, file)
        plain = str(file)
        for suffix in COMPRESSED:
            plain = plain.removesuffix(suffix)
        if plain in bare:
            both = f"{bare[plain].name} and {file.name}"
            raise UserError(f"{name}: holds {both}, which may be the same; name one of them")
        bare[plain] = file
    if len(formats) > 1:
        one, other, *_ = formats.values()
        raise UserError(
            f"{name}: holds files of several formats ({one.name}, {other.name}); name those that are meant, such as "
            f"'{one.parent}/*{one.suffix}'"
        )
    return found


def _described(path: Path) -> dict[str, Any]:
    """What a data set says of itself."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: is not an object")
    return found
