"""The command `ggmi estimate`: anybody's synthetic sets beside anybody's training set, without the workflow."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggmi.errors import UserError
from ggmi.options import Once, add_set_arguments, check_output, pilot_command, progress_bar, read_sets, reading_words
from ggmi.text.columns import PROMPT
from ggmi.text.places import find
from ggmi.text.records import FIELDS
from ggmi.text.samples import Sample

if TYPE_CHECKING:  # torch and transformers take seconds to import; only what is used is
    from ggmi.information.embedding import Encoder
    from ggmi.models.entailment import EntailmentModel
    from ggmi.students.base import Base

# Most records of a set that are embedded, unless the person says otherwise; and the word for all of them.
MOST, ALL = 2000, "all"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command's words.

    Parameters
    ----------
    parser
        Of the command.
    """
    add_set_arguments(parser)
    parser.add_argument(
        "--pairs", action=Once, metavar="COLUMN", help="pair records of the same COLUMN, such as prompt_id"
    )
    parser.add_argument(
        "--parts", nargs="+", action=Once, default=list(FIELDS), choices=FIELDS, help="fields that are compared"
    )
    parser.add_argument(
        "--encoder",
        action=Once,
        metavar="MODEL",
        help="directory or hub id of a sentence-embedding model; default: all-MiniLM-L6-v2",
    )
    parser.add_argument(
        "--encoder-url",
        action=Once,
        metavar="URL",
        help="OpenAI-compatible endpoint, up to and with /v1, that has the encoder",
    )
    parser.add_argument(
        "--key-env", action=Once, metavar="NAME", help="environment variable of the endpoint's key, if it needs one"
    )
    parser.add_argument(
        "--entailment",
        action=Once,
        metavar="MODEL",
        help="directory or hub id of a model of inference; records that entail each other say the same",
    )
    parser.add_argument(
        "--loose", action="store_true", help="with --entailment: no contradiction, and not both neutral, is enough"
    )
    parser.add_argument(
        "--difficulty",
        action=Once,
        metavar="MODEL",
        help="directory or hub id of a causal model; how hard each record is for it, by its loss on the response",
    )
    parser.add_argument(
        "--records",
        action=Once,
        type=number_or_all,
        default=MOST,
        metavar="N",
        help=f"most records of a set that are embedded, or {ALL}; default {MOST}",
    )
    parser.add_argument("--seed", action=Once, type=int, default=0, help="of samples, shuffles and folds, default 0")
    parser.add_argument("--json", action=Once, metavar="FILE", help="write every estimate as JSON")
    parser.add_argument("--html", action=Once, metavar="FILE", help="write a page")


def number_or_all(word: str) -> int | None:
    """Most records of a set, from the word after ``--records``; None for all.

    Examples
    --------
    >>> number_or_all("500"), number_or_all("all")
    (500, None)
    """
    try:
        return None if word == ALL else int(word)
    except ValueError:
        raise ArgumentTypeError(f"{word!r} is neither a number nor {ALL!r}") from None


def run(options: Namespace) -> None:
    """Read, estimate, write, print.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Raises
    ------
    UserError
        If a file or an option is not as it should be; nothing is computed then.
    """
    from ggmi.io import write_json, write_text
    from ggmi.reporting.terminal import show

    if options.records is not None and options.records < 4:
        raise UserError(f"--records: {options.records} is not allowed; at least 4 are needed")
    if options.seed < 0:
        raise UserError(f"--seed: {options.seed} is not allowed; it must not be negative")
    check_outputs(options)
    names, samples = read_sets(options)
    encoder = encoder_of(options.encoder, options.encoder_url, options.key_env)
    found = estimated(
        samples,
        names,
        pairs=options.pairs,
        parts=options.parts,
        encoder=encoder,
        inference=inference_of(options.entailment, loose=options.loose),
        learner=learner_of(options.difficulty),
        most=options.records,
        seed=options.seed,
    )
    chosen = found["recommendation"]["contenders"]
    kept = {name: path for name, path in zip(names, options.synthetic, strict=True) if name in chosen}
    found["recommendation"]["command"] = pilot_command(options.train, [*kept.values()], reading_words(options, kept))
    if options.json:
        write_json(options.json, found)
    if options.html:
        write_text(options.html, page_text(found))
    show(found)


def page_text(found: Mapping[str, Any]) -> str:
    """The page on what was estimated.

    Parameters
    ----------
    found
        Of `estimated`.
    """
    from ggmi.reporting.estimation import estimate_page
    from ggmi.reporting.page import parts_of, render

    return render(parts_of("estimate"), **estimate_page(found))


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
        from ggmi.information.local_encoder import named_encoder

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


def learner_of(model: str | None) -> Base | None:
    """The model for which records are to be easy or hard.

    Parameters
    ----------
    model
        Directory or hub id; None for none.

    Raises
    ------
    UserError
        If it is no model directory.
    """
    if model is None:
        return None
    from ggmi.students.base import Base

    try:
        return Base(model)
    except UserError as error:
        raise UserError(f"--difficulty: {error}") from None


def check_outputs(options: Namespace) -> None:
    """Refuse outputs that would replace what is read, or one another, or cannot be written.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Raises
    ------
    UserError
        Before anything is computed.
    """
    named = [("--train", options.train), *(("--synthetic", source) for source in options.synthetic)]
    read = [(option, str(file)) for option, source in named for file in find(source).files]
    models = [(f"--{name}", getattr(options, name)) for name in ("encoder", "entailment", "difficulty")]
    for option, file in (("--json", options.json), ("--html", options.html)):
        if file is None:
            continue
        for other, model in models:
            if model and Path(model).is_dir() and Path(file).resolve().is_relative_to(Path(model).resolve()):
                raise UserError(f"{option}: {file!r} lies in the model's folder of {other}; name another place")
        check_output(option, file, read)
        read.append((option, file))


def estimated(
    samples: Sequence[Sample],
    names: Sequence[str],
    *,
    pairs: str | None = None,
    parts: Sequence[str] = FIELDS,
    encoder: Encoder | None = None,
    inference: EntailmentModel | None = None,
    learner: Base | None = None,
    most: int | None = MOST,
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
    learner
        The model for which records are easy or hard; None leaves that out.
    most
        Most records of a set that are embedded and in kernels; None for all.
    seed
        Of everything random.

    Returns
    -------
    dict
        Ready for JSON; docs/estimates.md says what its keys mean.

    Raises
    ------
    UserError
        If a set has fewer than four records or a record lacks its pair.
    """
    from snakemake.utils import available_cpu_count

    from ggmi.information.local_encoder import default_encoder
    from ggmi.pipeline.comparing import compared, with_holm
    from ggmi.pipeline.difficulty import difficulty, difficulty_row
    from ggmi.pipeline.drawn_sets import embedded_draws
    from ggmi.pipeline.estimation import STEPS, TESTS, estimates
    from ggmi.pipeline.estimators import LEAST, EstimationSettings
    from ggmi.pipeline.naming import named_sets
    from ggmi.pipeline.recommending import evidence, prompts_of, recommended
    from ggmi.pipeline.set_pairs import check_pairs
    from ggmi.pipeline.shared_prefix import without_prefixes
    from ggmi.pipeline.subsets import part_of, some
    from ggmi.pipeline.wording import begin_repeats
    from ggmi.provenance import versions

    for sample in samples:
        if len(sample) < LEAST:
            raise UserError(f"{sample.source}: holds {len(sample)} records; at least {LEAST} are needed")
    whole = samples
    samples, prefixes = without_prefixes(samples)
    train, *synthetic = samples
    most = max(map(len, samples)) if most is None else most
    # What depends on a set's size is compared at the size that all have.
    equal = min(most, *(len(sample) for sample in synthetic))
    # A hundred times as many shuffles as there are tests, so that Holm's correction leaves what can be found.
    shuffles = max(EstimationSettings.permutations, 100 * TESTS * len(synthetic))
    settings = EstimationSettings("prompt" if pairs else "auto", shuffles, most, equal)
    key = pairs or PROMPT
    pairings = [check_pairs(sample, train, settings.pairing, key, seed=seed) for sample in synthetic]
    model = encoder or default_encoder()
    same = inference.mutual if inference else None
    with progress_bar() as bar:
        hard: list[dict[str, Any] | None] = [None] * len(whole)
        if learner is not None:
            sides = ("train", *("set" for _ in synthetic))
            asked = [part_of(one, some(len(one), most, seed, side)) for one, side in zip(whole, sides, strict=True)]
            total = sum(map(len, asked))
            hard[:] = difficulty(
                asked, learner, seed=seed, on_records=lambda done: bar("measuring difficulty", done, total)
            )
        # Of a million records this takes as long as all else.
        passes = [(0, 1)]
        by_words = begin_repeats(samples, parts, lambda *both: passes.append(both), available_cpu_count())
        real, draws = embedded_draws(
            samples,
            model,
            parts,
            pairing=settings.pairing,
            most=most,
            seed=seed,
            on_texts=partial(bar, "embedding texts"),
        )
        while not wait([by_words], timeout=1).done:
            bar("comparing words of sets", *passes[-1])
        repeats = by_words.result()
        moves = count(1)
        tables = {}
        for one, (rows, *_), name in zip(draws, repeats, names, strict=True):

            def move(what: str = f"estimating {name}") -> None:
                bar(what, next(moves), (1 + STEPS) * len(draws))

            move()
            tables[name] = estimates(
                one.synthetic,
                real,
                settings,
                seed=seed,
                anchors=one.anchors,
                prompted=one.prompted,
                key=key,
                same=same,
                on_step=move,
            )
            tables[name] += rows
        for name, of_set in zip(names, hard[1:], strict=True):
            tables[name] += [difficulty_row(of_set)] if of_set else []
        bar("naming sets", 0, 1)
        wrong = named_sets([one.synthetic for one in draws], real, repeats, seed=seed)
    corrected, comparisons = with_holm(tables), compared(tables)
    named = dict(zip(names, wrong, strict=True))
    by_name = dict(zip(names, synthetic, strict=True))
    chosen = recommended(corrected, named, comparisons, lambda name: prompts_of(by_name[name]), evidence())
    return {
        "format": 1,
        "recommendation": {**chosen, "command": None},
        "train": {
            "name": train.source,
            "records": len(train),
            "embedded": len(real),
            "seen": real.sight(),
            "prefix": prefixes[0],
            "difficulty": hard[0],
            **train.reading.described(),
        },
        "sets": [
            {
                "name": name,
                "file": sample.source,
                "records": len(sample),
                "embedded": len(one.synthetic),
                "seen": one.synthetic.sight(),
                "prefix": prefix,
                "difficulty": of_set,
                **sample.reading.described(),
                "pairing": pairing,
                "named": named[name],
                "estimates": corrected[name],
            }
            for name, sample, one, prefix, of_set, pairing in zip(
                names, synthetic, draws, prefixes[1:], hard[1:], pairings, strict=True
            )
        ],
        "comparisons": comparisons,
        "settings": {**asdict(settings), "pairs": pairs, "parts": list(parts)},
        "seed": seed,
        "encoder": model.identity,
        "entailment": inference.described() if inference else None,
        "versions": versions(),
    }
