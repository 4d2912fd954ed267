"""What `ggmi pilot` prints and its page shows: the choice with its odds first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from ggmi.reporting.page import interval, picture
from ggmi.reporting.text import fixed, listed, per_hundred, plural
from ggmi.text.visible import one_line

Row = Mapping[str, Any]
# Share of a set's records that are too long from which on it is told.
TOLD = 0.01


def unsigned(row: Row, name: str) -> str:
    """A predicted number with its 95 % interval, positive ones without a plus."""
    return interval(row, name).replace("+", "")


def sentences(found: Row) -> list[tuple[str, str]]:
    """The choice, its reason, and what more data or more money would bring, under a term each.

    Parameters
    ----------
    found
        What the command writes as JSON.
    """
    choice = found["choice"]
    if not choice["learned"]:
        return [
            (
                "Recommendation",
                "None: no student learned anything. Each loses about as much as one that takes all tokens for equally "
                f"likely ({fixed(found['guessing_nats_per_token'], 2)} nats a token), or more; lower the learning rate "
                f"(now {found['settings']['learning_rate']:g}), or name a larger budget or another base.",
            )
        ]
    arms = {arm["arm"]: arm for arm in found["arms"]}
    best = arms[choice["arm"]]
    name, odds = one_line(best["arm"]), per_hundred(choice["probability"])
    if choice["decided"]:
        text = f"Train on {name}: it is the best of {len(arms)} with probability {odds}."
    else:
        rivals = listed([f"{one_line(arm)} ({per_hundred(arms[arm]['probability'])})" for arm in choice["contenders"]])
        text = f"Undecided among {rivals}; {name} has the lowest expected loss."
    regret = f"Its expected regret is {fixed(best['regret'], 4)} nats a token."
    size, loss = plural(best["records"], "record"), unsigned(best, "loss")
    first = found["arms"][0]
    against = "" if best is first else f", {unsigned(best, 'gain')} less than {one_line(first['arm'])}"
    doubling = f"of {name} would lower the loss by a further {unsigned(best, 'doubling')}."
    hours = ""
    if found["tokens_per_second"]:
        hours = f", {fixed(best['tokens'] / found['tokens_per_second'] / 3600, 2)} hours at the pilot's speed"
    passes, operations = f"{found['settings']['epochs']:g}", f"{best['operations']:.1e}"
    cost = f"reads {best['tokens']:,} tokens (passes: {passes}) with {operations} operations{hours}."
    reason = f"At its full {size} it is predicted to lose {loss} nats a token{against} on real records"
    return [
        ("Recommendation", f"{text} {regret}"),
        ("Why", f"{reason} that nothing was trained on."),
        *([("Rating", _rating(found["rating"], choice))] if found["rating"] else []),
        ("Twice as many records", doubling),
        ("Full training", cost),
    ]


def _rating(rating: Row, choice: Row) -> str:
    """What the judge says of the last students, and whether it names the set that the loss names."""
    means = listed([f"{_mean(arm)} ({one_line(arm['arm'])})" for arm in rating["arms"]])
    judged = (
        f"the judge {one_line(rating['judge'])} gives answers to {plural(rating['records'], 'test record')} {means}"
    )
    best, by_loss = rating["best"], one_line(choice["arm"])
    judged += f"; {_nearest(rating)}" if best else ""
    if choice["arm"] not in [arm["arm"] for arm in rating["arms"]]:
        verdict = f"no student of {by_loss} was left to be rated"
    elif len(rating["arms"]) == 1:
        verdict = "no other set was left to compare it with"
    elif best is None:
        against = f", by loss it is {by_loss}" if choice["decided"] else ", as it is by loss"
        verdict = f"by rating it is undecided which is best{against}"
    elif not choice["decided"]:
        verdict = f"the rating names {one_line(best)}; by loss it is undecided"
    elif best == choice["arm"]:
        verdict = "rating and loss name the same set"
    else:
        verdict = f"rating and loss name different sets, {one_line(best)} and {by_loss}"
    return f"Out of 10, {judged}; {verdict}."


def _nearest(rating: Row) -> str:
    """By how much the best by rating is above the one that it is least surely above."""
    row = max((one for one in rating["differences"] if one["arm"] == rating["best"]), key=lambda one: one["p_holm"])
    above = f"{one_line(row['arm'])} is {unsigned(row, 'difference')} above {one_line(row['against'])}"
    p = "p < 0.001" if row["p_holm"] < 0.001 else f"p = {fixed(row['p_holm'], 3)}"
    return f"{above} ({p} after Holm's correction)"


def _mean(arm: Row) -> str:
    """A mean rating with its interval."""
    return unsigned(arm, "rating") if arm["rating"] is not None else "no rating"


def notes(found: Row) -> list[str]:
    """What has to be known of how it was found."""
    lines = []
    if found["base"] is None:
        lines.append(
            f"No base was named: a GPT of {found['weights'] / 1e6:.1f} million random weights stands for the model "
            "to be trained. A pretrained model may prefer another set."
        )
    lines += [
        f"{one_line(name)} holds the same records as {one_line(other)}, which stands for both."
        for name, other in found["same"].items()
    ]
    left = [(arm["arm"], arm["left_out"]) for arm in found["arms"] if arm["left_out"]]
    if left:
        counts = listed([f"{count:,} of {one_line(arm)}" for arm, count in left])
        lines.append(f"Left out, because the test set holds the same records: {counts}.")
    for share, what in (("cut", "responses are cut"), ("unread", "prompts leave no room for a response")):
        long = [f"{100 * arm[share]:.0f} % of {one_line(arm['arm'])}" for arm in found["arms"] if arm[share] >= TOLD]
        if long:
            lines.append(f"Of a record {found['reads']:,} tokens are read; {what} in {listed(long)}.")
    if found["together"] < found["settings"]["batch_size"]:
        lines.append(
            f"The GPU's memory held {plural(found['together'], 'record')} of an update at a time; updates are of "
            f"{found['settings']['batch_size']} all the same."
        )
    if found["rating"]:
        missing = sum(arm["missing"] for arm in found["rating"]["arms"])
        lines.append(
            "Ratings are of the largest students that the pilot trained, not of full trainings; their intervals are "
            "over test records and seeds, and differences between sets are paired by record, with Holm's correction. "
            f"Answers without a rating: {missing:,}."
        )
    lines.append(
        f"Odds are over the noise of training ({found['seeds']} trainings a cell), the records tested on, and the "
        "shape of the learning curve; what training differently would change is not in them."
    )
    if found["tokens_per_second"]:
        lines.append(f"The same again: --budget {found['budget_tokens']:.0f}tokens --seed {found['seed']}.")
    return lines


def columns(found: Row) -> dict[str, list[str]]:
    """The table of arms, likeliest first, by heading."""
    rows = sorted(found["arms"], key=lambda arm: -arm["probability"])
    ratings = {arm["arm"]: arm for arm in found["rating"]["arms"]} if found["rating"] else {}
    rating = [_mean(ratings[arm["arm"]]) if arm["arm"] in ratings else "–" for arm in rows]
    return {
        "set": [one_line(arm["arm"]) for arm in rows],
        "records": [f"{arm['records']:,}" for arm in rows],
        "trained on": [f"{arm['trained']:,}" for arm in rows],
        "best": [per_hundred(arm["probability"]) for arm in rows],
        "loss, nats a token": [unsigned(arm, "loss") for arm in rows],
        **({"rating": rating} if ratings else {}),
        "lower than T by": ["–" if arm is found["arms"][0] else interval(arm, "gain") for arm in rows],
        "twice the records": [unsigned(arm, "doubling") for arm in rows],
        "regret": [fixed(arm["regret"], 4) for arm in rows],
    }


def shown(found: Row, svg: bytes) -> dict[str, Any]:
    """What the page's template reads.

    Parameters
    ----------
    found
        What the command writes as JSON.
    svg
        The figure.
    """
    return {
        "found": found,
        "names": [PurePath(found["train"]["name"]).name, *(one["name"] for one in found["sets"])],
        "sentences": sentences(found),
        "notes": notes(found),
        "columns": columns(found),
        "figure": picture("", svg, "svg+xml", svg).source,
    }


def show_pilot(found: Row, out: Path) -> None:
    """Print the choice, then the arms.

    Parameters
    ----------
    found
        What the command writes as JSON.
    out
        Where everything was written.
    """
    # The environment of pages has no library for terminals.
    from rich.text import Text

    from ggmi.reporting.terminal import print_columns, unbroken

    console = unbroken()
    for term, sentence in sentences(found):
        console.print(Text.assemble((f"{term}: ", "bold"), sentence))
    console.print()
    names, *others = columns(found).items()
    print_columns(console, names[0], names[1], [(head, [Text(cell) for cell in cells]) for head, cells in others])
    for note in notes(found):
        console.print(Text(note))
    console.print(Text(f"Page: {out / 'pilot.html'}"))
