"""The tables of a world as a person writes them: JSON checked, and a sentence for each mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import fsum, gcd
from typing import Any

from ggmi.errors import UserError, did_you_mean
from ggmi.theory.terms import PARAMETERS
from ggmi.theory.world import SUM_TOLERANCE

MODEL, CURATION = "e_M | e_p", "S_gen | M"
# The same where they depend on the anchors too.
GIVEN_ANCHOR = {MODEL: "e_M | S_anchor, e_p", CURATION: "S_gen | S_anchor, M"}
LAWS = ("S_anchor", "e_p | S_anchor", MODEL, CURATION, *GIVEN_ANCHOR.values(), "W | S_gen", "W' | S_anchor")
TABLES = (*LAWS, "h", "g", "M | e_p, e_M", "loss of W", "loss of W'")
REQUIRED = ("S_anchor", "e_p | S_anchor", MODEL, "h", "g", "W | S_gen")
# Variables that h and g are functions of.
FACTORS = {"h": "e_p", "g": "e_M"}
LARGEST_VALUE = 999_999
# More digits than a float holds, few enough for exact arithmetic to be quick.
NUMBER = re.compile(
    r"[+-]?(\d{1,40}/\d{1,40}|(\d{1,40}\.?\d{0,40}|\.\d{1,40})(e[+-]?\d{1,3})?)", re.ASCII | re.IGNORECASE
)
# Squares of larger losses leave float64's range.
LARGEST = 1e100

# Probabilities above zero by symbol, and such laws by the symbol of what they depend on.
Row = dict[int, float]
Rows = Mapping[int, Row]
Tables = Mapping[str, Mapping[str, Any]]


def read_tables(stored: Any) -> dict[str, dict[str, Any]]:
    """Check that a file's tables are there.

    Parameters
    ----------
    stored
        The file's JSON: an object of tables, or one with an object of tables.

    Returns
    -------
    dict
        Tables by name, none empty.

    Raises
    ------
    UserError
        If a table is unknown, missing or empty.
    """
    tables = stored.get("tables", stored) if isinstance(stored, dict) else stored
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UserError("must be an object of tables, one of them 'S_anchor'")
    for name in tables:
        if name not in TABLES:
            raise UserError(f"there is no table '{name}'; {did_you_mean(name, TABLES)}")
    for name, general in GIVEN_ANCHOR.items():
        if name in tables and general in tables:
            raise UserError(f"tables '{name}' and '{general}' are both given; give one of them")
    for name in (*REQUIRED, *tables):
        if not tables.get(name) and not tables.get(GIVEN_ANCHOR.get(name, "")):
            which = f"needed are {', '.join(REQUIRED)}" if name in REQUIRED else "leave it out, or give its rows"
            raise UserError(f"table '{name}' is missing or empty; {which}")
    return tables


def read_parameters(stored: Mapping[str, Any]) -> dict[str, Fraction]:
    """Read the parameters that a file gives.

    Parameters
    ----------
    stored
        The file's JSON.

    Returns
    -------
    dict
        Those of `PARAMETERS` that are given.

    Raises
    ------
    UserError
        If one is unknown or out of its range.
    """
    given = stored.get("parameters", {}) if "tables" in stored else {}
    if not isinstance(given, dict):
        raise UserError("'parameters' must be an object of numbers")
    # A certificate may tell more than what makes its world.
    if "statement" not in stored and "tables" in stored:
        for kind, names, known in (("part", stored, ("tables", "parameters")), ("parameter", given, PARAMETERS)):
            for name in set(names) - set(known):
                raise UserError(f"there is no {kind} '{name}'; {did_you_mean(name, known)}")
    parameters = {name: _number(f"parameter '{name}'", given[name]) for name in PARAMETERS if name in given}
    for name, value in parameters.items():
        share, layers = name in ("1/n", "1/m"), name in ("contraction", "anchor contraction")
        if value < 0 or (share and value.numerator != 1) or (layers and value > 1):
            allowed = '1, "1/2", "1/3" and so on' if share else "numbers from 0 to 1" if layers else "numbers from 0"
            raise UserError(f"parameter '{name}' is {value}; allowed are {allowed}")
    return parameters


def read_rows(name: str, tables: Tables, conditions: Iterable[int]) -> Rows:
    """Read a table's laws for the conditions that can occur.

    Parameters
    ----------
    name
        The table; without one, S_gen is M(p) and W' is constant.
    tables
        All tables.
    conditions
        Symbols that can occur.

    Returns
    -------
    dict
        Probabilities above zero by symbol, for each condition.

    Raises
    ------
    UserError
        If a condition has no row, or a row is no law.

    Examples
    --------
    >>> read_rows("W | S_gen", {"W | S_gen": {"0": {"1": 1}, "1": {"0": "1/4", "1": "3/4"}}}, [1])
    {1: {0: 0.25, 1: 0.75}}
    """
    if name not in tables:
        return {x: {x if name == "S_gen | M" else 0: 1.0} for x in conditions}
    rows = _rows(name, tables[name])
    for x in conditions:
        if x not in rows:
            raise UserError(f"table '{name}' has no row {x}, but {re.split(' [|] |, ', name)[-1]} = {x} can occur")
    return {x: rows[x] for x in conditions}


def read_rows_given_anchor(name: str, tables: Tables, conditions: Mapping[int, Iterable[int]]) -> dict[int, Rows]:
    """Read a table that may depend on the anchor.

    Parameters
    ----------
    name
        The table's name where it does not.
    tables
        All tables.
    conditions
        Symbols that can occur with each anchor.

    Returns
    -------
    dict
        Rows by anchor.

    Raises
    ------
    UserError
        If a condition has no row, or a row is no law.
    """
    general = GIVEN_ANCHOR[name]
    if general not in tables:
        rows = read_rows(name, tables, sorted({x for some in conditions.values() for x in some}))
        return {s: {x: rows[x] for x in some} for s, some in conditions.items()}
    by_anchor = {_symbol(general, key): rows for key, rows in tables[general].items()}
    result = {}
    for s, some in conditions.items():
        if not isinstance(by_anchor.get(s), dict):
            raise UserError(f"table '{general}' has no rows for {s}, but S_anchor = {s} can occur")
        result[s] = read_rows(general, {general: by_anchor[s]}, some)
    return result


def _rows(name: str, table: Mapping[str, Any]) -> dict[int, Row]:
    """Laws by condition, checked; entries of zero are left out."""
    rows = {}
    for key, row in table.items():
        where = f"table '{name}'" if name == "S_anchor" else f"table '{name}': row {key[:40]}"
        if not isinstance(row, dict) or not row:
            raise UserError(f"{where} must be an object of probabilities")
        law = {_symbol(name, symbol): float(_number(f"table '{name}'", p)) for symbol, p in row.items()}
        for p in law.values():
            if p < 0:
                raise UserError(f"{where} holds the entry {p:.6g}; probabilities lie between 0 and 1")
        if abs((total := fsum(law.values())) - 1) > SUM_TOLERANCE:
            raise UserError(f"{where}: the probabilities sum to {total:.10g}, not to one")
        rows[_symbol(name, key)] = {x: p for x, p in law.items() if p > 0}
    return rows


def symbols(rows: Rows) -> list[int]:
    """What a variable can be, given these laws of it, in order.

    Examples
    --------
    >>> symbols({0: {5: 1.0}, 1: {2: 0.5, 5: 0.5}})
    [2, 5]
    """
    return sorted({x for row in rows.values() for x in row})


def read_values(name: str, tables: Tables, arguments: Iterable[int]) -> dict[int, int]:
    """Read the values of h or g at the symbols that can occur.

    Raises
    ------
    UserError
        If one has no value, or a value is no whole number from 0 to `LARGEST_VALUE`.
    """
    values = {_symbol(name, key): _value(name, key, value, LARGEST_VALUE) for key, value in tables[name].items()}
    for x in arguments:
        if x not in values:
            raise UserError(f"table '{name}' has no value for {x}, but {FACTORS[name]} = {x} can occur")
    return values


def read_outputs(
    tables: Tables, summands: Mapping[tuple[int, int], tuple[int, int]], samples: int
) -> dict[tuple[int, int], int]:
    """Read M(p) for the pairs of e_p and e_M that can occur.

    Parameters
    ----------
    tables
        All tables; without one of M(p) it is the sum of h and g.
    summands
        Values of h and g for each pair.
    samples
        Number n of examples in a training set.

    Returns
    -------
    dict
        Value by pair.

    Raises
    ------
    UserError
        If a pair has no value, or the values are no sums.
    """
    name = "M | e_p, e_M"
    sums = {pair: h + g for pair, (h, g) in summands.items()}
    if name not in tables:
        return sums
    values = {}
    for key, row in tables[name].items():
        if not isinstance(row, dict):
            raise UserError(f"table '{name}': row {key[:40]} must be the values of M(p) for a symbol of e_p")
        for symbol, x in row.items():
            values[_symbol(name, key), _symbol(name, symbol)] = _value(name, f"{key}, {symbol}", x, 2 * LARGEST_VALUE)
    for e, m in sums:
        if (e, m) not in values:
            raise UserError(f"table '{name}' has no value for {e}, {m}, but e_p = {e}, e_M = {m} can occur")
    values = {pair: values[pair] for pair in sums}
    if samples == 1:
        wraps = [sums[pair] - x for pair, x in values.items()]
        largest = max(max(x, *summands[pair]) for pair, x in values.items())
        wrong = min(wraps) < 0 or 0 < gcd(*wraps) <= largest
    else:
        # Numbers of several digits are added digit by digit; the theory needs that h and g tell M(p).
        wrong = len({(summands[pair], x) for pair, x in values.items()}) > len(set(summands.values()))
    if wrong:
        raise UserError(
            f"table '{name}' is not the sum of h and g, neither over the integers nor modulo a number above both"
        )
    return values


def read_losses(name: str, tables: Tables, parameters: Iterable[int], columns: Sequence[int]) -> list[list[Fraction]]:
    """Read the losses of the parameters that can occur.

    Parameters
    ----------
    name
        The table.
    tables
        All tables.
    parameters
        Symbols of W or W' that can occur.
    columns
        Data values of an example whose losses are wanted.

    Returns
    -------
    list
        A list of losses a parameter; empty if there is no table.

    Raises
    ------
    UserError
        If a parameter has no row, or a row is too short or holds what is no number.
    """
    if name not in tables:
        return []
    table, size = {_symbol(name, key): row for key, row in tables[name].items()}, 1 + max(columns)
    rows = []
    for w in parameters:
        if w not in table:
            raise UserError(f"table '{name}' has no row {w}, but {name.removeprefix('loss of ')} = {w} can occur")
        if not isinstance(table[w], list) or len(table[w]) < size:
            raise UserError(f"table '{name}': row {w} must be a list of {size} losses or more, one a data value from 0")
        rows.append([_number(f"table '{name}'", table[w][x]) for x in columns])
    return rows


def _symbol(name: str, key: str) -> int:
    if not (key.isascii() and key.isdigit() and str(int(key[:8])) == key):
        raise UserError(f"table '{name}': {key[:40]!r} is no symbol; allowed are 0, 1, 2 and so on")
    return int(key)


def _value(name: str, key: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise UserError(
            f"table '{name}': {key[:40]}: {str(value)[:40]} is not allowed; allowed are whole numbers from 0 to {most}"
        )
    return value


def _number(where: str, value: Any) -> Fraction:
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, str | int | float) and len(text) < 100 and NUMBER.fullmatch(text.strip()):
        try:
            if abs(number := Fraction(text)) <= LARGEST:
                return number
        except ZeroDivisionError:
            pass
    raise UserError(
        f'{where}: {text[:40]!r} is no number; allowed are numbers and fractions as "1/3", of at most 40 digits'
    )
