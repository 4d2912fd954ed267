"""The command `ggmi estimate`: anybody's synthetic sets beside anybody's training set, without the workflow."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggmi.errors import UserError, did_you_mean
from ggmi.text.records import FIELDS
from ggmi.text.samples import PROMPT, Sample, read_sample

if TYPE_CHECKING:  # torch and transformers take seconds to import; only what is used is
    from ggmi.information.embedding import Encoder
    from ggmi.models.entailment import EntailmentModel

# Most records of a set in kernels and classifiers, unless the person says otherwise.
MOST = 2000


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command's words.

    Parameters
    ----------
    parser
        Of the command.
    """
    parser.add_argument("--train", required=True, metavar="T", help="training set: .jsonl, .csv or .parquet")
    parser.add_argument("--synthetic", required=True, nargs="+", metavar="SET", help="synthetic sets")
    parser.add_argument("--pairs", metavar="COLUMN", help="pair records of the same COLUMN, such as prompt_id")
    parser.add_argument(
        "--map", nargs="+", default=[], metavar="FIELD=COLUMN", help="what the files call instruction, context, ..."
    )
    parser.add_argument("--parts", nargs="+", default=list(FIELDS), choices=FIELDS, help="fields that are compared")
    parser.add_argument(
        "--encoder",
        metavar="MODEL",
        help="directory or hub id of a sentence-embedding model; default: all-MiniLM-L6-v2",
    )
    parser.add_argument(
        "--encoder-url", metavar="URL", help="OpenAI-compatible endpoint, up to and with /v1, that has the encoder"
    )
    parser.add_argument("--key-env", metavar="NAME", help="environment variable of the endpoint's key, if it needs one")
    parser.add_argument(
        "--entailment",
        metavar="MODEL",
        help="directory or hub id of a model of inference; records that entail each other say the same",
    )
    parser.add_argument(
        "--loose", action="store_true", help="with --entailment: no contradiction, and not both neutral, is enough"
    )
    parser.add_argument("--records", type=int, default=MOST, help=f"most records of a set in kernels, default {MOST}")
    parser.add_argument("--seed", type=int, default=0, help="of samples, shuffles and folds, default 0")
    parser.add_argument("--json", metavar="FILE", help="write every estimate as JSON")
    parser.add_argument("--html", metavar="FILE", help="write a page")


def fields_of(words: Sequence[str]) -> dict[str, str]:
    """What the files call each field, from the words after ``--map``.

    Parameters
    ----------
    words
        Such as ``instruction=prompt``.

    Raises
    ------
    UserError
        If a word is not of that form, or names an unknown field.

    Examples
    --------
    >>> fields_of(["instruction=prompt"])
    {'instruction': 'prompt'}
    """
    found: dict[str, str] = {}
    for word in words:
        field, separator, column = word.partition("=")
        if not separator:
            raise UserError(f"--map: {word!r} is not of the form field=column")
        if field not in (*FIELDS, "id"):
            raise UserError(f"--map: there is no field {field!r}; {did_you_mean(field, (*FIELDS, 'id'))}")
        if field in found:
            raise UserError(f"--map: {field} is named twice")
        found[field] = column
    return found


def names_of(paths: Sequence[str]) -> list[str]:
    """Short names of files: their stems, or the folders in which their paths differ where stems agree.

    Examples
    --------
    >>> names_of(["x/a.jsonl", "y/b.csv"]), names_of(["s/3-ins/a.jsonl", "s/20-ins/a.jsonl"])
    (['a', 'b'], ['3-ins', '20-ins'])
    """
    names = [Path(path).stem for path in paths]
    if len(set(names)) < len(names):
        parts = [Path(path).with_suffix("").parts for path in paths]
        first, last = (_shared(row) for row in (parts, [part[::-1] for part in parts]))
        names = ["/".join(part[first : len(part) - last]) for part in parts]
    return names if len(set(names)) == len(names) and all(names) else list(paths)


def _shared(rows: Sequence[Sequence[str]]) -> int:
    """How many places at the start all rows have in common."""
    return sum(1 for _ in takewhile(lambda place: len(set(place)) == 1, zip(*rows, strict=False)))


def run(options: Namespace, report_parts: Path) -> None:
    """Read, estimate, print, write.

    Parameters
    ----------
    options
        Of `add_arguments`.
    report_parts
        Folder of the page's template, style and script.

    Raises
    ------
    UserError
        If a file or an option is not as it should be; nothing is computed then.
    """
    from ggmi.io import write_json, write_text

    fields = fields_of(options.map)
    if options.records < 4:
        raise UserError(f"--records: {options.records} is not allowed; at least 4 are needed")
    if options.seed < 0:
        raise UserError(f"--seed: {options.seed} is not allowed; it must not be negative")
    paths = [options.train, *options.synthetic]
    for path in options.synthetic:
        if sum(Path(path).absolute() == Path(other).absolute() for other in options.synthetic) > 1:
            raise UserError(f"--synthetic: {path} is named twice")
    for option in ("json", "html"):
        _writable(f"--{option}", getattr(options, option))
    samples = [read_sample(path, fields, key=options.pairs or PROMPT) for path in paths]
    encoder = encoder_of(options.encoder, options.encoder_url, options.key_env)
    found = estimated(
        samples,
        names_of(options.synthetic),
        pairs=options.pairs,
        parts=options.parts,
        encoder=encoder,
        inference=inference_of(options.entailment, loose=options.loose),
        most=options.records,
        seed=options.seed,
    )
    show(found)
    if options.json:
        write_json(options.json, found)
    if options.html:
        from ggmi.reporting.estimation import page_of
        from ggmi.reporting.page import render

        files = ("page.html.j2", "page.css", "page.js")
        parts = [(report_parts / file).read_text(encoding="utf-8") for file in files]
        write_text(options.html, render(page_of(found), *parts))


def encoder_of(model: str | None, url: str | None, key_env: str | None) -> Encoder:
    """The embedding model that a person asks for.

    Parameters
    ----------
    model
        Directory or hub id, or what the endpoint calls it; None for the default.
    url
        Address of an endpoint; None runs the model here.
    key_env
        Environment variable of the endpoint's key.

    Raises
    ------
    UserError
        If the options do not go together, or one is not as it should be; its value may hold a key
        and is not told.
    """
    if url is None:
        from ggmi.information.embedding import named_encoder

        if key_env is not None:
            raise UserError("--key-env: goes with --encoder-url only; a model that runs here needs no key")
        return named_encoder(model or "default")
    if not model:
        raise UserError("--encoder-url: needs --encoder MODEL, the name by which the endpoint knows the model")
    from pydantic import ValidationError

    from ggmi.models.embedding_endpoint import EndpointEncoder
    from ggmi.models.settings import EmbeddingSettings

    try:
        settings = EmbeddingSettings(base_url=url, model=model, key_env=key_env)
    except ValidationError as error:
        wrong = {one["loc"][0] for one in error.errors()}
        if "key_env" in wrong:
            raise UserError("--key-env: must be the name of an environment variable in capitals, not a key") from None
        raise UserError(
            "--encoder-url: must be an address such as http://127.0.0.1:8000/v1, without password or query"
        ) from None
    return EndpointEncoder(settings)


def inference_of(model: str | None, *, loose: bool) -> EntailmentModel | None:
    """The model of inference that a person asks for.

    Parameters
    ----------
    model
        Directory or hub id; None for none.
    loose
        Whether the loose criterion is wanted.

    Raises
    ------
    UserError
        If there is a criterion without a model, or the model cannot be used.
    """
    if not model:
        if loose:
            raise UserError("--loose: goes with --entailment MODEL only")
        return None
    from ggmi.models.entailment import EntailmentModel
    from ggmi.models.settings import EntailmentSettings

    return EntailmentModel(EntailmentSettings(model=model, criterion="loose" if loose else "strict"))


def _writable(option: str, file: str | None) -> None:
    """Refuse a place that cannot be written before anything is computed."""
    if file is None:
        return
    folder = Path(file).absolute().parent
    while not folder.exists():
        folder = folder.parent
    if Path(file).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{option}: {file!r} cannot be written")


def estimated(
    samples: Sequence[Sample],
    names: Sequence[str],
    *,
    pairs: str | None = None,
    parts: Sequence[str] = FIELDS,
    encoder: Encoder | None = None,
    inference: EntailmentModel | None = None,
    most: int = MOST,
    seed: int = 0,
) -> dict[str, Any]:
    """Estimate every set and compare them.

    Parameters
    ----------
    samples
        T and the synthetic sets.
    names
        Of the synthetic sets.
    pairs
        The column that pairs records; None pairs by prompt where the sets name their anchors in T,
        else by index.
    parts
        Fields that are embedded and compared.
    encoder
        The embedding model; None for the default.
    inference
        The model that tells which records say the same; None takes the embeddings' similarity.
    most
        Most records in kernels.
    seed
        Of everything random.

    Returns
    -------
    dict
        Ready for JSON; its keys are documented in the README.

    Raises
    ------
    UserError
        If a set has fewer than four records or a record lacks its pair.
    """
    from ggmi.information.embedding import default_encoder
    from ggmi.pipeline.comparing import compared, with_holm
    from ggmi.pipeline.embedded_sets import check_pairs, embedded
    from ggmi.pipeline.estimation import LEAST, STEPS, TESTS, EstimationSettings, estimates
    from ggmi.provenance import versions

    for sample in samples:
        if len(sample) < LEAST:
            raise UserError(f"{sample.source}: holds {len(sample)} records; at least {LEAST} are needed")
    train, *synthetic = samples
    # What depends on a set's size is compared at the size that all have.
    equal = min(most, *(len(sample) for sample in synthetic))
    # A hundred times as many shuffles as there are tests, so that Holm's correction leaves what can be found.
    shuffles = max(EstimationSettings.permutations, 100 * TESTS * len(synthetic))
    settings = EstimationSettings("prompt" if pairs else "auto", shuffles, most, equal)
    key = pairs or PROMPT
    for sample in synthetic:
        check_pairs(sample, train, settings.pairing, key)
    model = encoder or default_encoder()
    same = inference.mutual if inference else None
    total = len(samples) + STEPS * len(synthetic)
    with _progress(total) as step:
        found = []
        for sample, name in zip(samples, [Path(train.source).name, *names], strict=True):
            step(f"embedding {name}", 0)
            found.append(embedded(sample, model, parts))
            step(f"embedding {name}", 1)
        real, *made = found
        tables = {}
        for one, name in zip(made, names, strict=True):
            tables[name] = estimates(
                one, real, settings, seed=seed, key=key, same=same, on_step=partial(step, f"estimating {name}", 1)
            )
    corrected = with_holm(tables)
    return {
        "format": 1,
        "train": {"name": train.source, "records": len(train)},
        "sets": [
            {"name": name, "file": sample.source, "records": len(sample), "estimates": corrected[name]}
            for name, sample in zip(names, synthetic, strict=True)
        ],
        "comparisons": compared(tables),
        "settings": {**asdict(settings), "pairs": pairs, "parts": list(parts)},
        "seed": seed,
        "encoder": model.identity,
        "entailment": inference.described() if inference else None,
        "versions": versions(),
    }


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """A bar on standard error: what is being done, and how much is left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("reading", total=total)

        def step(what: str, done: int) -> None:
            from rich.markup import escape

            bar.update(task, description=escape(what), advance=done)

        yield step


def show(found: Mapping[str, Any]) -> None:
    """Print the table a person reads, and what follows from it.

    Parameters
    ----------
    found
        Of `estimated`.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ggmi.reporting.estimation import findings, summary_rows
    from ggmi.text.visible import one_line

    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    headings, cells = summary_rows(tables)
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    title = f"Against {one_line(Path(found['train']['name']).name)} ({found['train']['records']:,} records)"
    table = Table(title=Text(title), title_justify="left", show_lines=True)
    for heading in ("set", "records", *headings):
        table.add_column(heading, justify="left" if heading == "set" else "right")
    for one, line in zip(found["sets"], cells, strict=True):
        texts = (Text("\n".join(part for part in cell if part)) for cell in line)
        table.add_row(Text(one_line(one["name"])), f"{one['records']:,}", *texts)
    console.print(table)
    console.print(
        "~ inside noise (Holm-corrected over all sets and tests); 95 % intervals in brackets", highlight=False
    )
    for term, sentence in findings(tables, found["comparisons"]):
        console.print(Text.assemble((f"{term}: ", "bold"), sentence))
