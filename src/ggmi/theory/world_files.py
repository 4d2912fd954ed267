"""A person's own world, written as JSON in the form of a certificate's tables, and what the statements say of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.exact.statement import EXACT
from ggmi.formulas import plain, plain_prose
from ggmi.theory import terms
from ggmi.theory.catalogue import STATEMENTS, renamed
from ggmi.theory.laws import Array
from ggmi.theory.needs import dependence_of_examples
from ggmi.theory.regimes import ASSUMPTIONS, REGIMES
from ggmi.theory.statement import Statement
from ggmi.theory.world import MAX_STATES, World
from ggmi.theory.world_tables import (
    CURATION,
    MODEL,
    Rows,
    Tables,
    read_losses,
    read_outputs,
    read_parameters,
    read_rows,
    read_rows_given_anchor,
    read_tables,
    read_values,
    symbols,
)

Index = Mapping[int, int]


@dataclass(frozen=True)
class OwnWorld:
    """A world from a file.

    Parameters
    ----------
    world
        A batch of one.
    note
        What there is to say of the file, or nothing.
    """

    world: World
    note: str = ""


def read_world(path: Path) -> OwnWorld:
    """Read one world from a JSON file.

    The file is a certificate, or an object of ``tables`` and ``parameters``, or the tables alone.
    Symbols are whole numbers in quotes; probabilities and losses are numbers or fractions such as
    ``"1/3"``; a table of one condition has an object a row. A row that is left out is one that cannot
    occur.

    - ``e_M | e_p`` may be ``e_M | S_anchor, e_p`` instead, an object of rows an anchor, and ``S_gen | M``
      likewise ``S_gen | S_anchor, M``.
    - ``M | e_p, e_M`` may be left out for the sum over the integers; else it holds the sums modulo a
      number that is above the values of h and g. ``S_gen | M`` may be left out for S_gen = M(p),
      ``W' | S_anchor`` for a constant W'.
    - ``loss of W`` and ``loss of W'`` hold a list of losses a parameter: the loss of an example of value
      0, of 1 and so on. S_anchor, M(p) and S_gen share their data values.
    - ``parameters`` are ``C`` (default: the largest size of a loss), ``sigma`` (default: half the largest
      oscillation of a parameter's loss, over the contraction), ``contraction`` and ``anchor contraction``,
      the factors eta^L of the layers through which the losses of W and of W' see their data (default 1),
      ``lambda excess``, how far lambda lies above the smallest that Lemma E.1 allows (default 0), and
      ``1/n`` and ``1/m`` (default 1, and 1/n): with n examples a symbol of M(p) and of S_gen is a number
      of n digits, each an example, and one of S_anchor a number of m digits. The base of the digits is
      the smallest that all these numbers fit.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    OwnWorld
        Symbols that cannot occur are left out and the others numbered anew, since it matters only
        which are equal, and for the noise S_gen - M(p) which values they stand for.

    Raises
    ------
    UserError
        One sentence with the table and the row: tables that are unknown, missing or empty, what is no
        probability, rows that are missing or do not sum to one, sums that are none, too many states.

    Examples
    --------
    >>> import tempfile
    >>> bits = {"S_anchor": {"0": "1/2", "1": "1/2"}, "e_p | S_anchor": {"0": {"0": 1}, "1": {"1": 1}},
    ...         "e_M | e_p": {"0": {"0": "1/2", "1": "1/2"}, "1": {"0": "1/2", "1": "1/2"}},
    ...         "h": {"0": 0, "1": 1}, "g": {"0": 0, "1": 1},
    ...         "W | S_gen": {"0": {"0": 1}, "1": {"1": 1}, "2": {"0": 1}}}
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     _ = file.write(json.dumps({"tables": bits})), file.flush()
    ...     world = read_world(Path(file.name)).world
    >>> float(world.mutual_information("S_gen", "W")[0] / np.log(2)).__round__(12)
    1.0
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not JSON ({error})") from None
    try:
        world = _built(read_tables(stored), read_parameters(stored))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    former = str(stored.get("statement", ""))
    return OwnWorld(world, f"{former}: {renamed(former)}" if renamed(former) else "")


def judge(world: World) -> dict[str, list[dict[str, Any]]]:
    """Say which of the declared assumptions one world meets, and what every statement says in it.

    Parameters
    ----------
    world
        A batch of one.

    Returns
    -------
    dict
        ``assumptions``: a row an assumption, with the keys assumption, text, met and missed_by (nats).
        ``regimes``: a row a regime, with the keys regime, met and missing (the assumptions' names).
        ``statements``: a row a statement, with the keys statement, reading, reference, formula, verdict
        (holds, fails, does not apply, by definition, assumption), left and right (nats; risks in units
        of the loss; of random sides those at the outcome that fits worst; None where it does not apply),
        unmet (what the statement needs and by how much the world misses it) and counts_in (the regimes
        that its verdict is evidence for).
    """
    assumptions = [(a, float(a.missed_by(world)[0])) for a in ASSUMPTIONS]
    met = {a.key: missed < EXACT for a, missed in assumptions}
    regimes: list[dict[str, Any]] = [
        {"regime": key, "met": not missing, "missing": missing}
        for key, regime in REGIMES.items()
        for missing in [[a.key for a in regime.assumptions if not met[a.key]]]
    ]
    counts_in = [row["regime"] for row in regimes if row["met"]]
    return {
        "assumptions": [
            {"assumption": a.key, "text": plain_prose(a.text), "met": met[a.key], "missed_by": missed}
            for a, missed in assumptions
        ],
        "regimes": regimes,
        "statements": [_judge_statement(s, world, counts_in) for s in STATEMENTS.values()],
    }


def _judge_statement(statement: Statement, world: World, counts_in: Sequence[str]) -> dict[str, Any]:
    unmet = [
        {"assumption": a.key, "text": plain_prose(a.text), "missed_by": _finite(a.missed_by(world)[0])}
        for a in statement.needs
        if not a.holds(world)[0]
    ]
    left = right = None
    verdict = {"definition": "by definition", "assumption": "assumption"}.get(statement.kind, "does not apply")
    if statement.judged and not unmet:
        left, right = terms.sides_at_worst(statement.left, statement.right, statement.relation, world)
        # Losses scale what a root feigns.
        tolerance = statement.tolerance * (float(max(world.bound, world.sigma)) if statement.needs_loss else 1)
        verdict = "fails" if statement.slack(world)[0] < -tolerance else "holds"
    return {
        **{"statement": statement.label, "reading": statement.reading, "reference": statement.reference},
        **{"formula": plain(statement.latex), "verdict": verdict, "left": left, "right": right},
        **{"unmet": unmet, "counts_in": list(counts_in) if verdict in ("holds", "fails") else []},
    }


def _finite(value: float) -> float | None:
    """A number that JSON can hold, or nothing."""
    return float(value) if np.isfinite(value) else None


def _built(tables: Tables, parameters: Mapping[str, Fraction]) -> World:
    n = parameters.get("1/n", Fraction(1)).denominator
    m = parameters.get("1/m", parameters.get("1/n", Fraction(1))).denominator
    # Along the arrows, only what can occur is kept.
    anchor = read_rows("S_anchor", {"S_anchor": {"0": tables["S_anchor"]}}, [0])
    anchors = symbols(anchor)
    prompt = read_rows("e_p | S_anchor", tables, anchors)
    model = read_rows_given_anchor(MODEL, tables, {s: sorted(prompt[s]) for s in anchors})
    prompts, models = symbols(prompt), _symbols_of(model.values())
    h, g = read_values("h", tables, prompts), read_values("g", tables, models)
    pairs = sorted({(e, x) for rows in model.values() for e, row in rows.items() for x in row})
    output = read_outputs(tables, {(e, x): (h[e], g[x]) for e, x in pairs}, n)
    reached = {s: sorted({output[e, x] for e, row in model[s].items() for x in row}) for s in anchors}
    curation = read_rows_given_anchor(CURATION, tables, reached)
    data = _symbols_of(curation.values())
    learner = read_rows("W | S_gen", tables, data)
    anchor_learner = read_rows("W' | S_anchor", tables, anchors)
    # Indices: data values share theirs, the others are numbered in order.
    values = {*anchors, *output.values(), *data}
    place = _places(values, max(n, m))
    base = _base(values, n, m, anchors) if max(n, m) > 1 else 0
    s, k, y = ({x: place[x] for x in part} for part in (anchors, sorted(set(output.values())), data))
    e, x, w, v = (_numbered(part) for part in (prompts, models, symbols(learner), symbols(anchor_learner)))
    size = (base**m, base**n, base**n) if base else (1 + max(s.values()), 1 + max(k.values()), 1 + max(y.values()))
    sums = np.zeros((len(e), len(x)), dtype=np.int64)
    for (one, two), value in output.items():
        sums[e[one], x[two]] = place[value]
    columns = list(range(base)) if base else sorted(values)
    modulus = 0 if base else gcd(*(h[e_] + g[x_] - value for (e_, x_), value in output.items()))
    loss = read_losses("loss of W", tables, w, columns)
    anchor_loss = read_losses("loss of W'", tables, v, columns if base else [c for c in columns if c <= max(anchors)])
    world = World(
        _dense("S_anchor", anchor, {0: 0}, s, 1, size[0])[None, 0],
        _dense("e_p | S_anchor", prompt, s, e, size[0])[None],
        _stacked(MODEL, model, s, size[0], e, x, len(e), len(x)),
        np.unique([h[i] for i in e], return_inverse=True)[1][None],
        np.unique([g[i] for i in x], return_inverse=True)[1][None],
        sums[None],
        _stacked(CURATION, curation, s, size[0], k, y, size[1], size[2]),
        _dense("W | S_gen", learner, y, w, size[2])[None],
        _dense("W' | S_anchor", anchor_learner, s, v, size[0])[None],
        np.array(loss, dtype=float)[None] if loss else None,
        np.array(anchor_loss, dtype=float)[None] if anchor_loss else None,
        samples=n,
        anchor_samples=m,
        modulus=modulus,
        values=np.array(sorted(values)) if not base else None,
        **_scales(loss, anchor_loss, parameters),
    )
    _check_examples(world)
    return world


def _check_examples(world: World) -> None:
    """Refuse training sets that are not of independent examples: of one law for the anchors, given p for the others."""
    for name, share in (("S_anchor", "1/m"), ("M", "1/n"), ("S_gen", "1/n")):
        n = world.examples(name)
        alike = True
        if name == "S_anchor":
            first, *others = world.laws_by_place(name, "")
            alike = all(np.abs(law - first).max() < EXACT for law in others)
        if dependence_of_examples(world, name)[0] > EXACT or not alike:
            of = "of one law" if name == "S_anchor" else "given p"
            raise UserError(
                f"parameter '{share}' is 1/{n}, but {name} does not number sets of {n} examples that are "
                f"independent {of}"
            )


def _symbols_of(tables: Iterable[Rows]) -> list[int]:
    return sorted({x for rows in tables for x in symbols(rows)})


def _numbered(values: Sequence[int]) -> dict[int, int]:
    return {x: i for i, x in enumerate(values)}


def _places(values: set[int], examples: int) -> dict[int, int]:
    """Index of every data value: its rank; numbers of several digits stay what they are."""
    return {x: i if examples == 1 else x for i, x in enumerate(sorted(values))}


def _base(values: set[int], n: int, m: int, anchors: Sequence[int]) -> int:
    """The smallest base in which every number has its digits."""
    base = 2
    while base**m <= max(anchors) or base**n <= max(values - set(anchors), default=0):
        base += 1
    if max(base**n, base**m) > MAX_STATES:
        raise UserError(f"data take {max(base**n, base**m)} values, more than the {MAX_STATES} that are enumerated")
    return base


def _stacked(
    name: str, tables: Mapping[int, Rows], s: Index, anchors: int, conditions: Index, results: Index, *shape: int
) -> Array:
    """A table an anchor, or one for all where they agree; shape (1, anchors or 1, conditions, results)."""
    merged: dict[int, dict[int, float]] = {}
    for rows in tables.values():
        merged |= rows
    if all(merged[x] == row for rows in tables.values() for x, row in rows.items()):
        return _dense(name, merged, conditions, results, *shape)[None, None]
    parts = {s[anchor]: _dense(name, rows, conditions, results, *shape) for anchor, rows in tables.items()}
    default = next(iter(parts.values()))
    return np.stack([parts.get(i, default) for i in range(anchors)])[None]


def _dense(name: str, rows: Rows, conditions: Index, results: Index, height: int = 0, width: int = 0) -> Array:
    """A table by indices; a row that cannot occur is certain of some symbol."""
    shape = height or 1 + max(conditions.values()), width or 1 + max(results.values())
    if shape[0] * shape[1] > MAX_STATES:
        raise UserError(
            f"table '{name}' has {shape[0]} x {shape[1]} entries, more than the {MAX_STATES} that are enumerated"
        )
    law = np.zeros(shape)
    law[np.arange(shape[0]), np.minimum(np.arange(shape[0]), shape[1] - 1)] = 1
    for x, row in rows.items():
        law[conditions[x]] = 0
        law[conditions[x], [results[y] for y in row]] = list(row.values())
    return law


def _scales(
    loss: Sequence[Sequence[Fraction]], anchor_loss: Sequence[Sequence[Fraction]], parameters: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """C, sigma, the contractions and lambda's excess, as given or from the losses."""
    found = {
        "contraction": parameters.get("contraction", Fraction(1)),
        "anchor_contraction": parameters.get("anchor contraction", parameters.get("contraction", Fraction(1))),
        "lambda_excess": parameters.get("lambda excess", Fraction(0)),
    }
    halves = []
    for table, layers in ((loss, found["contraction"]), (anchor_loss, found["anchor_contraction"])):
        if table:
            half = max(max(row) - min(row) for row in table) / 2
            # Layers shrink the oscillation of the loss that stands behind them.
            halves.append(half / layers if layers else half)
    if halves:
        found["bound"] = max(abs(x) for row in (*loss, *anchor_loss) for x in row)
        found["sigma"] = max(halves)
    given = {"bound": "C", "sigma": "sigma"}
    return found | {key: parameters[name] for key, name in given.items() if name in parameters}
