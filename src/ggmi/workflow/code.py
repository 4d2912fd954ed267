"""Digests of the code a script really uses, function by function.

A rule carries the digest of its script as a parameter, so that editing a function reruns the rules
that can reach it and no others; comments, docstrings and formatting do not count.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ggmi"

DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Not at the beginning of a line: inside a function, perhaps.
INNER_IMPORT = re.compile(rb"^[ \t]+(?:import|from) ", re.MULTILINE)

# A place in the code: module and top-level name; an empty name means what the module does when it is
# imported, a star everything in it.
Place = tuple[str, str]
# The digest of some statements, and the places that they refer to.
Part = tuple[str, list[Place]]
# Of source files that were read before, so many are kept: those of three versions, which are read in 50 ms.
MOST_KEPT = 1500


class _Source:
    """What a source file consists of: parts by top-level name, and what names of the package mean in it."""

    def __init__(self, source: bytes, name: str) -> None:
        self.name = name
        self.imports: dict[str, Place] = {}
        self.whole: list[str] = []
        inner = [source.count(b"\n", 0, found.start()) + 1 for found in INNER_IMPORT.finditer(source)]
        tree = ast.parse(source)
        statements: dict[str, list[ast.stmt]] = {"": []}
        for statement in tree.body:
            for defined in self._add(statement, inner):
                statements.setdefault(defined, []).append(statement)
        if self.whole:
            chains = [".".join(_chain(node)) + "." for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
            self.whole = [name for name in self.whole if not any(chain.startswith(f"{name}.") for chain in chains)]
        self.names = statements.keys()
        self.parts: dict[str, Part] = {defined: self._read(group) for defined, group in statements.items()}
        self.parts[""][1].extend((module, "*") for module in self.whole)

    def _add(self, statement: ast.stmt, inner: Sequence[int] = ()) -> list[str]:
        """Names that a statement defines; an import defines none, and is kept as what it makes names mean."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if alias.name.split(".")[0] == PACKAGE:
                    target = alias.name if alias.asname else PACKAGE
                    self.imports[alias.asname or PACKAGE] = (target, "")
                    if not alias.asname:
                        self.whole.append(alias.name)
            return []
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                module = statement.module or ""
                if module.split(".")[0] == PACKAGE:
                    submodule = f"{module}.{alias.name}"
                    place = (submodule, "") if submodule in _modules() else (module, alias.name)
                    self.imports[alias.asname or alias.name] = place
            return []
        if isinstance(statement, DOCUMENTED):
            ends = statement.end_lineno or statement.lineno
            if any(statement.lineno <= line <= ends for line in inner):
                for node in ast.walk(statement):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        self._add(node)
            return [statement.name]
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        return [] if _is_docstring(statement) else [""]

    def _read(self, statements: Sequence[ast.stmt]) -> Part:
        """The digest of some statements, whatever their docstrings and positions are, and what they refer to."""
        said: list[str] = []
        found: set[Place] = set()

        def visit(node: ast.AST) -> None:
            said.append(type(node).__name__)
            if isinstance(node, ast.Name):
                said.append(node.id)
                if node.id in self.names:
                    found.add((self.name, node.id))
                elif node.id in self.imports:
                    found.add(self.imports[node.id])
                return
            if isinstance(node, ast.Attribute):
                chain = _chain(node)
                if chain and chain[0] in self.imports:
                    found.update(_resolved(self.imports[chain[0]], chain[1:]))
            fields = vars(node)
            for field in node._fields:
                value = fields.get(field)
                if isinstance(value, list):
                    if field == "body" and isinstance(node, DOCUMENTED) and _is_docstring(value[0]):
                        value = value[1:] or [ast.Pass()]
                    said.append("[")
                    for each in value:
                        visit(each) if isinstance(each, ast.AST) else said.append(repr(each))
                    said.append("]")
                elif isinstance(value, ast.AST):
                    visit(value)
                else:
                    said.append(repr(value))

        for statement in statements:
            visit(statement)
        return _digest(said), sorted(place for place in found if place[0])


@cache
def script_digest(script: Path, *functions: str) -> str:
    """Digest of a script and of everything in the package that it can reach.

    Parameters
    ----------
    script
        A Python file outside or inside the package.
    *functions
        What it looks up at run time by text besides, such as ``ggmi.plotting.shares.shares_figure``.

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Notes
    -----
    A name used inside a definition is followed to the top-level definition of that name in the
    same module, or through ``from ggmi.x import y`` and ``import ggmi.x`` to the one in another.
    All of a module counts whose plain ``import ggmi.x`` is followed by no use: it is imported for what
    that does, such as filling a registry. Names that are looked up at run time by text are not seen.
    """
    seen: dict[Place, str] = {}
    pending: list[Place] = [("", "*"), *((place, name) for place, _, name in (f.rpartition(".") for f in functions))]
    while pending:
        place = pending.pop()
        if place in seen:
            continue
        name, attribute = place
        path = _modules().get(name) if name else script
        if path is None:
            continue
        seen[place] = ""
        imports, parts = _source(path, name)
        if attribute in imports:
            pending.append(imports[attribute])
            continue
        for part in {"", *parts} if attribute == "*" else {"", attribute} & parts.keys():
            seen[name, part], references = parts[part]
            pending += references
    return _digest(f"{module}:{name}:{digest}" for (module, name), digest in sorted(seen.items()))[:16]


@cache
def _modules() -> dict[str, Path]:
    """Source files of the package by their modules' names."""
    folder = PACKAGE_ROOT / PACKAGE
    places = {path.relative_to(PACKAGE_ROOT).with_suffix("").parts: path for path in folder.rglob("*.py")}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for parts, path in places.items()}


@cache
def _source(path: Path, name: str) -> tuple[dict[str, Place], dict[str, Part]]:
    """What names mean in a source file, and its parts."""
    source = path.read_bytes()
    known = _known()
    key = _digest([_reader(), name, hashlib.sha256(source).hexdigest()])
    if key not in known:
        found = _Source(source, name)
        known[key] = [found.imports, found.parts]
    imports, parts = known[key]
    return (
        {name: tuple(place) for name, place in imports.items()},
        {name: (digest, [tuple(place) for place in references]) for name, (digest, references) in parts.items()},
    )


@cache
def _reader() -> str:
    """What decides how a source file is read, beside its content."""
    return _digest([sys.version, hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), *sorted(_modules())])


@cache
def _known() -> dict[str, Any]:
    """Source files that were read before, by `_reader`, module and content; kept for the next process."""
    try:
        known: dict[str, Any] = json.loads(_cache().read_bytes())
    except (OSError, ValueError, RuntimeError):
        known = {}
    atexit.register(_keep, known, len(known))
    return known


def _keep(known: dict[str, Any], before: int) -> None:
    """Write down what is new. Nothing depends on it but time."""
    if len(known) > before:
        with contextlib.suppress(OSError, RuntimeError):
            file = _cache()
            file.parent.mkdir(parents=True, exist_ok=True)
            whole = file.with_suffix(f".{os.getpid()}.tmp")
            whole.write_text(json.dumps(dict(list(known.items())[-MOST_KEPT:])), encoding="utf-8")
            whole.replace(file)


def _cache() -> Path:
    """A file of the person's; a RuntimeError where nobody knows their home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "ggmi", "code.json").expanduser()


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _chain(node: ast.Attribute) -> list[str]:
    """``a.b.c`` as its parts; empty when it does not start with a name."""
    parts = [node.attr]
    inner: ast.expr = node.value
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return [inner.id, *reversed(parts)] if isinstance(inner, ast.Name) else []


def _resolved(place: Place, attributes: list[str]) -> set[Place]:
    """Follow attributes through submodules to the definition they name."""
    module, name = place
    if name:
        return {place}
    for attribute in attributes:
        if f"{module}.{attribute}" not in _modules():
            return {(module, attribute)}
        module = f"{module}.{attribute}"
    return {(module, "")}


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
