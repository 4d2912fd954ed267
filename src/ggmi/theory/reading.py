"""A person's own world, written as JSON in the form of a certificate's tables, and what the statements say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ggmi.errors import UserError, did_you_mean
from ggmi.theory import terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.statement import TOLERANCE
from ggmi.theory.world import Array, Indices, World

LAWS = ("S_anchor", "e_p | S_anchor", "e_M | e_p", "S_gen | M", "W | S_gen", "W' | S_anchor")
TABLES = (*LAWS, "h", "g", "M | e_p, e_M", "loss of W", "loss of W'")
REQUIRED = ("S_anchor", "e_p | S_anchor", "e_M | e_p", "h", "g", "W | S_gen")


def read_world(path: Path) -> World:
    """Read one world from a JSON file.

    The file is a certificate, or an object with its ``tables`` alone. Probabilities are numbers or
    fractions such as ``"1/3"``; a table of one condition has an object a row. ``M | e_p, e_M`` may be
    left out for the sum over the integers, ``S_gen | M`` for S_gen = M(p), ``W' | S_anchor`` for a
    constant W'. A row that is left out is one that cannot occur.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    World
        A batch of one.

    Raises
    ------
    UserError
        One sentence with the table and the row: unknown or missing tables, what is no probability,
        rows that do not sum to one, empty alphabets, too many states.

    Examples
    --------
    >>> import tempfile
    >>> bits = {"S_anchor": {"0": "1/2", "1": "1/2"}, "e_p | S_anchor": {"0": {"0": 1}, "1": {"1": 1}},
    ...         "e_M | e_p": {"0": {"0": "1/2", "1": "1/2"}, "1": {"0": "1/2", "1": "1/2"}},
    ...         "h": {"0": 0, "1": 1}, "g": {"0": 0, "1": 1},
    ...         "W | S_gen": {"0": {"0": 1}, "1": {"1": 1}, "2": {"0": 1}}}
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     _ = file.write(json.dumps({"tables": bits})), file.flush()
    ...     world = read_world(Path(file.name))
    >>> float(world.mutual_information("S_gen", "W")[0] / np.log(2)).__round__(12)
    1.0
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not JSON ({error})") from None
    tables = stored.get("tables", stored) if isinstance(stored, dict) else stored
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UserError(f"{path}: must be an object of tables, one of them 'S_anchor'")
    for name in tables:
        if name not in TABLES:
            raise UserError(f"{path}: there is no table '{name}'; {did_you_mean(name, TABLES)}")
    for name in REQUIRED:
        if not tables.get(name):
            raise UserError(f"{path}: table '{name}' is missing or empty; needed are {', '.join(REQUIRED)}")
    try:
        return _built(tables)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def judged(world: World) -> list[dict[str, Any]]:
    """Evaluate every statement in one world.

    Parameters
    ----------
    world
        A batch of one.

    Returns
    -------
    list of dict
        Keys statement, reference, formula, kind, verdict (holds, fails, does not apply), left and
        right (nats; risks in units of the loss; None where it does not apply), and why it does not.
    """
    rows = []
    for statement in STATEMENTS.values():
        unmet = [a.text for a in statement.assumptions if not a.holds(world)[0]]
        left = right = None
        verdict = "does not apply"
        if not unmet:
            left, right = (float(terms.evaluate(side, world)[0]) for side in (statement.left, statement.right))
            verdict = "fails" if statement.slack(world)[0] < -TOLERANCE else "holds"
        rows.append(
            {
                **{"statement": statement.key, "reference": statement.reference, "formula": statement.formula},
                **{"kind": statement.kind, "verdict": verdict, "left": left, "right": right},
                "unmet": "; ".join(unmet),
            }
        )
    return rows


def _built(tables: Mapping[str, Mapping[str, Any]]) -> World:
    anchors = _size("S_anchor", tables["S_anchor"], tables["e_p | S_anchor"], tables.get("W' | S_anchor", {}))
    h = _values("h", tables["h"], _size("h", tables["h"], tables["e_M | e_p"]))
    g = _values("g", tables["g"], _size("g", tables["g"], *tables["e_M | e_p"].values()))
    output = h[:, None] + g[None, :]
    for e, row in tables.get("M | e_p, e_M", {}).items():
        if _symbol("M | e_p, e_M", e) >= len(h) or not isinstance(row, dict):
            raise UserError(f"table 'M | e_p, e_M': row {e[:40]} must be the values of M(p) for a symbol of e_p")
        output[int(e)] = _values("M | e_p, e_M", row, len(g))
    curation = np.eye(int(output.max()) + 1)
    if "S_gen | M" in tables:
        curation = _law("S_gen | M", tables["S_gen | M"], len(curation))
    learner = _law("W | S_gen", tables["W | S_gen"], curation.shape[1])
    anchor_learner = np.ones((anchors, 1))
    if "W' | S_anchor" in tables:
        anchor_learner = _law("W' | S_anchor", tables["W' | S_anchor"], anchors)
    return World(
        _law("S_anchor", {"0": {**dict.fromkeys(map(str, range(anchors)), 0), **tables["S_anchor"]}}, 1),
        _law("e_p | S_anchor", tables["e_p | S_anchor"], anchors, len(h))[None],
        _law("e_M | e_p", tables["e_M | e_p"], len(h), len(g))[None],
        h[None],
        g[None],
        output[None],
        curation[None],
        learner[None],
        anchor_learner[None],
        _losses("loss of W", tables, learner.shape[1]),
        _losses("loss of W'", tables, anchor_learner.shape[1]),
    )


def _size(name: str, *tables: Any) -> int:
    """Symbols of a variable: one more than the largest that any table has as a key."""
    keys = [_symbol(name, key) for table in tables if isinstance(table, dict) for key in table]
    if max(keys) > 10**6:
        raise UserError(f"table '{name}' has the symbol {max(keys)}; allowed are symbols up to 1000000")
    return 1 + max(keys)


def _values(name: str, table: Mapping[str, Any], size: int) -> Indices:
    """Values of a map; a symbol that is left out cannot occur and gets zero."""
    values = np.zeros(size, dtype=np.int64)
    for key, value in table.items():
        if (
            _symbol(name, key) >= size
            or isinstance(value, bool)
            or not isinstance(value, int)
            or not 0 <= value < 10**6
        ):
            raise UserError(
                f"table '{name}': {key[:40]}: {str(value)[:40]} is not allowed; symbols go to {size - 1}, values are "
                "whole numbers from 0 to 999999"
            )
        values[int(key)] = value
    return values


def _symbol(name: str, key: str) -> int:
    if not (key.isascii() and key.isdigit() and str(int(key[:8])) == key):
        raise UserError(f"table '{name}': {key[:40]!r} is no symbol; allowed are 0, 1, 2 and so on")
    return int(key)


def _law(name: str, table: Mapping[str, Any], rows: int, columns: int = 1) -> Array:
    """Rows of probabilities; a row that is left out cannot occur and gets the symbol of its own number."""
    entries = {}
    for key, row in table.items():
        if not isinstance(row, dict) or not row:
            raise UserError(f"table '{name}': row {key[:40]} must be an object of probabilities")
        entries[_symbol(name, key)] = {_symbol(name, symbol): _number(name, p) for symbol, p in row.items()}
    if max(entries) >= rows:
        raise UserError(f"table '{name}' has a row {max(entries)}, but what it depends on takes values 0 to {rows - 1}")
    columns = max(columns, 1 + max(max(row) for row in entries.values()))
    if rows * columns > 10**7:
        raise UserError(f"table '{name}' has {rows} x {columns} entries, more than the 10000000 that are enumerated")
    law = np.zeros((rows, columns))
    for i in range(rows):
        for symbol, p in entries.get(i, {min(i, columns - 1): 1.0}).items():
            law[i, symbol] = p
    return law


def _losses(name: str, tables: Mapping[str, Mapping[str, Any]], parameters: int) -> Array | None:
    """Losses by parameter and data value; a parameter that is left out cannot occur."""
    if name not in tables:
        return None
    rows = {_symbol(name, key): row for key, row in tables[name].items()}
    lengths = {len(row) if isinstance(row, list) else -1 for row in rows.values()}
    if len(lengths) != 1 or -1 in lengths or max(rows) >= parameters:
        raise UserError(
            f"table '{name}': needs a list of losses a parameter (0 to {parameters - 1}), all of one length"
        )
    losses = np.zeros((1, parameters, *lengths))
    for w, row in rows.items():
        losses[0, w] = [_number(name, x) for x in row]
    return losses


def _number(name: str, value: Any) -> float:
    try:
        if isinstance(value, str) and len(value) < 100:
            return float(Fraction(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        pass
    raise UserError(f"table '{name}': {str(value)[:40]!r} is no number; allowed are numbers and fractions as \"1/3\"")
