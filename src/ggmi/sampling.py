"""The command `ggmi scaling`: anybody's samples of answers, and whether more of them or a better choice would pay."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from typing import Any

from ggmi.errors import UserError
from ggmi.options import Once, check_numbers, check_output, same_file

WIDTH_INCHES, DPI = 9.0, 150


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command's words.

    Parameters
    ----------
    parser
        Of the command.
    """
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="samples: .jsonl, .csv or .parquet, compressed or not, or lm-evaluation-harness's sample logs",
    )
    for option, purpose in (
        ("problem", "column that names the problem"),
        ("answer", "column of a sample's answer"),
        ("correct", "column that says whether a sample is right"),
        ("reference", "column of the problem's right answer"),
        ("tokens", "column of tokens a sample took"),
        ("text", "column of a sample's text, for --extract"),
    ):
        parser.add_argument(f"--{option}", action=Once, metavar="COLUMN", help=purpose)
    parser.add_argument(
        "--score", action="append", default=[], metavar="COLUMN", help="column of a verifier's score; may come again"
    )
    parser.add_argument(
        "--extract",
        action=Once,
        metavar="RULE",
        help="find answers in texts: gsm8k, math, true_false or a regular expression",
    )
    parser.add_argument(
        "--filter", action=Once, metavar="NAME", help="whose rows of a sample log count; default: the first"
    )
    parser.add_argument("--most", action=Once, type=int, metavar="K", help="most samples a problem that are compared")
    prices = parser.add_mutually_exclusive_group()
    prices.add_argument("--price", action=Once, type=float, metavar="X", help="price of a sample")
    prices.add_argument("--price-tokens", action=Once, type=float, metavar="X", help="price of 1,000 tokens")
    parser.add_argument("--value", action=Once, type=float, metavar="X", help="value of a solved problem")
    parser.add_argument(
        "--worth", action=Once, type=float, default=0.01, metavar="X", help="least gain that counts, default 0.01"
    )
    parser.add_argument("--seed", action=Once, type=int, default=0, help="of resamples and draws, default 0")
    parser.add_argument("--json", action=Once, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--html", action=Once, metavar="FILE", help="write a page")
    parser.add_argument("--plot", action=Once, metavar="STEM", help="write STEM.svg, STEM.png and STEM.csv")


def run(options: Namespace) -> None:
    """Read, measure, write, print.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Raises
    ------
    UserError
        If a file or an option is not as it should be.
    """
    _check(options)
    from ggmi.io import write_json, write_text
    from ggmi.plotting.scaling import scaling_figure
    from ggmi.plotting.style import house_style, save_figure
    from ggmi.reporting.page import parts_of, render
    from ggmi.reporting.scaling import show_scaling, shown

    found, curves, reliability = measured(options)
    if options.json:
        write_json(options.json, found)
    if options.html or options.plot:
        figure, numbers = scaling_figure(curves, reliability, WIDTH_INCHES)
        if options.plot:
            save_figure(figure, numbers, options.plot, DPI)
        if options.html:
            picture = BytesIO()
            with house_style():
                figure.savefig(picture, format="svg", metadata={"Date": None}, transparent=True)
            write_text(options.html, render(parts_of("scaling"), **shown(found, picture.getvalue())))
    show_scaling(found)


def measured(options: Namespace) -> tuple[dict[str, Any], Any, Any]:
    """Everything that is found, ready for JSON, and the tables of the figure."""
    from ggmi.provenance import sha256, versions
    from ggmi.scaling.columns import Columns
    from ggmi.scaling.reading import read_samples
    from ggmi.scaling.settings import Settings
    from ggmi.scaling.study import scaling

    asked = Columns(
        options.problem,
        options.answer,
        options.text,
        options.correct,
        options.reference,
        options.tokens,
        tuple(dict.fromkeys(options.score)),
    )
    read = read_samples(options.files, asked, extract=options.extract, only=options.filter)
    price = options.price if options.price_tokens is None else options.price_tokens
    settings = Settings(
        options.most, price, options.price_tokens is not None, options.value, options.worth, options.seed
    )
    result = scaling(read.samples, settings)
    found = {
        "format": 1,
        "files": [{"name": path, "sha256": sha256(path)} for path in options.files],
        "columns": asdict(read.columns),
        "problems": result.problems,
        "samples": result.samples,
        "most": result.most,
        "settings": asdict(settings),
        "notes": read.notes + result.notes,
        "verdict": asdict(result.advice),
        "curves": result.curves.to_dict("records"),
        "reliability": result.reliability.to_dict("records"),
        "cost": result.cost.to_dict("records"),
        "stops": result.stops.to_dict("records"),
        "claims": result.claims.to_dict("records"),
        "seed": options.seed,
        "versions": versions(),
    }
    return _without_nan(found), result.curves, result.reliability


def _without_nan(value: Any) -> Any:
    """The value with None where a number is not one: JSON has no word for it."""
    if isinstance(value, Mapping):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_nan(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _check(options: Namespace) -> None:
    """Refuse what cannot be meant, before anything is read."""
    check_numbers(options, dict.fromkeys(("price", "price_tokens", "value", "worth"), "0") | {"most": "1", "seed": "0"})
    if options.value is not None and options.price is None and options.price_tokens is None:
        raise UserError("--value: goes with --price or --price-tokens, which say what it is set against")
    for path in options.files:
        if sum(same_file(path, other) for other in options.files) > 1:
            raise UserError(f"{path}: is named twice")
    read = [("the samples", path) for path in options.files]
    outputs = [("--json", options.json), ("--html", options.html)]
    outputs += [("--plot", f"{options.plot}.{kind}") for kind in ("svg", "png", "csv") if options.plot]
    for option, file in outputs:
        if file is not None:
            check_output(option, file, read)
            read.append((option, file))
