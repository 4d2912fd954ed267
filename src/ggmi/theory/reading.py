"""A person's own world, written as JSON in the form of a certificate's tables, and what the statements say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.theory import terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.statement import EXACT, TOLERANCE, Statement
from ggmi.theory.tables import (
    Rows,
    Tables,
    read_losses,
    read_outputs,
    read_parameters,
    read_rows,
    read_tables,
    read_values,
    symbols,
)
from ggmi.theory.world import MAX_STATES, Array, World

# A root turns an information that is off by 1e-14 into a bound that is off by 1e-7.
ROOT_TOLERANCE = 1e-6


def read_world(path: Path) -> World:
    """Read one world from a JSON file.

    The file is a certificate, or an object of ``tables`` and ``parameters``, or the tables alone.
    Symbols are whole numbers in quotes; probabilities and losses are numbers or fractions such as
    ``"1/3"``; a table of one condition has an object a row. A row that is left out is one that cannot
    occur.

    - ``M | e_p, e_M`` may be left out for the sum over the integers; else it holds the sums modulo a
      number that is above the values of h and g. ``S_gen | M`` may be left out for S_gen = M(p),
      ``W' | S_anchor`` for a constant W'.
    - ``loss of W`` and ``loss of W'`` hold a list of losses a parameter: the loss at the data value 0,
      at 1 and so on. S_anchor, M(p) and S_gen share their data values.
    - ``parameters`` are ``C`` (default: the largest size of a loss), ``sigma`` (default: half the largest
      oscillation of a parameter's loss, over ``contraction``), ``contraction``, the factor eta^L of the
      layers through which the loss sees its data (default 1), and ``1/n`` (default 1; else S_anchor, M(p)
      and S_gen number sets of n independent examples of one law, the first example most significant,
      and a loss is the mean of the examples' losses).

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    World
        A batch of one. Symbols that cannot occur are left out and the others numbered anew, since it
        matters only which are equal.

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
    try:
        return _built(read_tables(stored), read_parameters(stored))
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
            verdict = "fails" if statement.slack(world)[0] < -_tolerance(statement, world) else "holds"
        rows.append(
            {
                **{"statement": statement.key, "reference": statement.reference, "formula": statement.formula},
                **{"kind": statement.kind, "verdict": verdict, "left": left, "right": right},
                "unmet": "; ".join(unmet),
            }
        )
    return rows


def _tolerance(statement: Statement, world: World) -> float:
    """What float64 may add to a violation."""
    if not statement.needs_loss:
        return TOLERANCE
    return ROOT_TOLERANCE * float(max(world.bound, world.sigma))


def _built(tables: Tables, parameters: Mapping[str, Fraction]) -> World:
    samples = parameters.get("1/n", Fraction(1)).denominator
    # Along the chain, only what can occur is kept.
    anchor = read_rows("S_anchor", {"S_anchor": {"0": tables["S_anchor"]}}, [0])
    anchors = symbols(anchor)
    prompt = read_rows("e_p | S_anchor", tables, anchors)
    prompts = symbols(prompt)
    model = read_rows("e_M | e_p", tables, prompts)
    models = symbols(model)
    h, g = read_values("h", tables, prompts), read_values("g", tables, models)
    output = read_outputs(tables, {(e, m): (h[e], g[m]) for e in prompts for m in model[e]}, samples)
    curation = read_rows("S_gen | M", tables, sorted(set(output.values())))
    learner = read_rows("W | S_gen", tables, symbols(curation))
    anchor_learner = read_rows("W' | S_anchor", tables, anchors)
    # Indices: data values share theirs, the others are numbered in order.
    place = _places({*anchors, *curation, *symbols(curation)}, samples)
    s, k, y = ({x: place[x] for x in values} for values in (anchors, curation, symbols(curation)))
    e, m, w, v = ({x: i for i, x in enumerate(symbols(rows))} for rows in (prompt, model, learner, anchor_learner))
    sums = np.zeros((len(e), len(m)), dtype=np.int64)
    for (one, two), x in output.items():
        sums[e[one], m[two]] = place[x]
    columns = _columns(place, samples)
    loss = read_losses("loss of W", tables, w, columns if samples == 1 else columns[: 1 + max(y.values())])
    anchor_loss = read_losses("loss of W'", tables, v, columns[: 1 + max(s.values())])
    world = World(
        _dense("S_anchor", anchor, {0: 0}, s)[None, 0],
        _dense("e_p | S_anchor", prompt, s, e)[None],
        _dense("e_M | e_p", model, e, m)[None],
        np.unique([h[x] for x in e], return_inverse=True)[1][None],
        np.unique([g[x] for x in m], return_inverse=True)[1][None],
        sums[None],
        _dense("S_gen | M", curation, k, y)[None],
        _dense("W | S_gen", learner, y, w)[None],
        _dense("W' | S_anchor", anchor_learner, s, v)[None],
        np.array(loss, dtype=float)[None] if loss else None,
        np.array(anchor_loss, dtype=float)[None] if anchor_loss else None,
        samples=samples,
        **_scales([*loss, *anchor_loss], parameters),
    )
    _check_examples(world)
    return world


def _check_examples(world: World) -> None:
    """Refuse training sets that are not n independent examples of one law, or whose loss is not the mean of theirs."""
    n = world.samples
    for name, losses in (("S_anchor", world.anchor_loss), ("M", None), ("S_gen", world.loss)) if n > 1 else ():
        if not _are_examples(world.marginal([name])[0], losses, n):
            raise UserError(
                f"parameter '1/n' is 1/{n}, but {name} does not number sets of {n} independent examples of one law, or "
                "a set's loss is not the mean of its examples' losses"
            )


def _are_examples(law: Array, losses: Array | None, n: int) -> bool:
    """Whether a law is that of n independent examples, the first most significant, and a loss the mean of theirs."""
    size = len(law)
    side = round(size ** (1 / n))
    if side == 1 or side**n != size:
        return size == 1
    digits = np.arange(size)[:, None] // side ** np.arange(n) % side
    example = np.bincount(digits[:, 0], law, side)
    if np.abs(example[digits].prod(axis=1) - law).max() > EXACT:
        return False
    if losses is None:
        return True
    # A set of n times the same example has that example's loss.
    alone = losses[0][:, :: (size - 1) // (side - 1)]
    return bool(np.abs(alone[:, digits].mean(axis=2) - losses[0]).max() <= EXACT * max(np.abs(losses).max(), 1))


def _places(values: set[int], samples: int) -> dict[int, int]:
    """Index of every data value: its rank; numbers of several digits stay what they are."""
    return {x: i if samples == 1 else x for i, x in enumerate(sorted(values))}


def _columns(place: Mapping[int, int], samples: int) -> list[int]:
    """The data value at every index."""
    if samples == 1:
        return list(place)
    if (size := 1 + max(place)) > MAX_STATES:
        raise UserError(f"data take {size} values, more than the {MAX_STATES} that are enumerated")
    return list(range(size))


def _dense(name: str, rows: Rows, conditions: Mapping[int, int], results: Mapping[int, int]) -> Array:
    """A table by indices; a row that cannot occur is certain of some symbol."""
    shape = 1 + max(conditions.values()), 1 + max(results.values())
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


def _scales(losses: Sequence[Sequence[Fraction]], parameters: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """C, sigma and eta^L, as given or from the losses."""
    contraction = parameters.get("contraction", Fraction(1))
    found = {"contraction": contraction}
    if losses:
        half = max(max(row) - min(row) for row in losses) / 2
        found["bound"] = max(abs(x) for row in losses for x in row)
        # Layers shrink the oscillation of the loss that stands behind them.
        found["sigma"] = half / contraction if contraction else half
    given = {"bound": "C", "sigma": "sigma"}
    return found | {key: parameters[name] for key, name in given.items() if name in parameters}
