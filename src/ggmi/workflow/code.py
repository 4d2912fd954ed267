"""Digests of the code a script really uses, function by function.

A rule carries the digest of its script as a parameter, so that editing a function reruns the rules
that can reach it and no others; comments, docstrings and formatting do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ggmi"

# A place in the code: module and top-level name; an empty name means the module's own body, a star
# everything in it.
Place = tuple[str, str]


class _Module:
    """Top-level definitions of one source file, and what names mean in it."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.definitions: dict[str, list[ast.stmt]] = {}
        self.imports: dict[str, Place] = {}
        self.whole: list[str] = []
        self.body: list[ast.stmt] = []
        tree = _without_docstrings(ast.parse(path.read_bytes(), filename=str(path)))
        for statement in tree.body:
            self._add(statement)
        if self.whole:
            chains = [".".join(_chain(node)) + "." for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
            self.whole = [name for name in self.whole if not any(chain.startswith(f"{name}.") for chain in chains)]

    def _add(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if alias.name.split(".")[0] == PACKAGE:
                    target = alias.name if alias.asname else PACKAGE
                    self.imports[alias.asname or PACKAGE] = (target, "")
                    if not alias.asname:
                        self.whole.append(alias.name)
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                module = statement.module or ""
                if module.split(".")[0] == PACKAGE:
                    submodule = f"{module}.{alias.name}"
                    place = (submodule, "") if _path(submodule) else (module, alias.name)
                    self.imports[alias.asname or alias.name] = place
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.definitions.setdefault(statement.name, []).append(statement)
            for node in _statements(statement):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    self._add(node)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            for name in names:
                self.definitions.setdefault(name, []).append(statement)
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            self.body.append(statement)


@cache
def script_digest(script: Path) -> str:
    """Digest of a script and of everything in the package that it can reach.

    Parameters
    ----------
    script
        A Python file outside or inside the package.

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
    module = _Module(script, "")
    everything = [*module.body, *(s for group in module.definitions.values() for s in group)]
    seen: dict[Place, str] = {("", ""): _dump(everything)}
    pending = _references(module, everything) | {(whole, "*") for whole in module.whole}
    while pending:
        place = pending.pop()
        if place in seen:
            continue
        name, attribute = place
        path = _path(name)
        if path is None:
            continue
        found = _parsed(path, name)
        if attribute in found.imports:
            seen[place] = ""
            pending.add(found.imports[attribute])
            continue
        seen[place], references = _definition(path, name, attribute)
        pending |= references
        if found.body:
            seen[name, "<body>"] = _body(path, name)
    text = "\n".join(f"{module}:{name}:{dump}" for (module, name), dump in sorted(seen.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _parsed(path: Path, name: str) -> _Module:
    return _Module(path, name)


@cache
def _definition(path: Path, name: str, attribute: str) -> tuple[str, set[Place]]:
    """A definition's dump, and the places that it and its module's body refer to."""
    module = _parsed(path, name)
    if attribute == "*":
        statements = [s for group in module.definitions.values() for s in group]
    else:
        statements = module.definitions.get(attribute, []) if attribute else []
    return _dump(statements), _references(module, statements) | _imported(path, name)


@cache
def _imported(path: Path, name: str) -> set[Place]:
    """Places that a module refers to when it is imported."""
    module = _parsed(path, name)
    return _references(module, module.body) | {(whole, "*") for whole in module.whole}


@cache
def _body(path: Path, name: str) -> str:
    """The dump of what a module does when it is imported."""
    return _dump(_parsed(path, name).body)


@cache
def _path(module: str) -> Path | None:
    """The source file of a module of the package, None where there is none."""
    base = PACKAGE_ROOT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _references(module: _Module, statements: list[ast.stmt]) -> set[Place]:
    """Places of the package that some statements of a module refer to."""
    found: set[Place] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                if node.id in module.definitions:
                    found.add((module.name, node.id))
                elif node.id in module.imports:
                    found.add(module.imports[node.id])
            elif isinstance(node, ast.Attribute):
                chain = _chain(node)
                if chain and chain[0] in module.imports:
                    found |= _resolved(module.imports[chain[0]], chain[1:])
    return {place for place in found if place[0]}


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
        if _path(f"{module}.{attribute}") is None:
            return {(module, attribute)}
        module = f"{module}.{attribute}"
    return {(module, "")}


def _dump(statements: list[ast.stmt]) -> str:
    """The statements' syntax trees as text, without positions."""
    return "\n".join(ast.dump(ast.Module([statement], [])) for statement in statements)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree, changed in place; what has nothing but a docstring is left with ``pass``."""
    for node in _statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement inside, at any depth; not the expressions, which are most of a tree."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)
