"""The command `ggmi check`: what a configuration's own data look like to the run that will read them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from ggmi.config import Config
from ggmi.config.real_search import RealSearch
from ggmi.config.tasks import EMBEDDED
from ggmi.errors import UserError
from ggmi.models.settings import EndpointSettings, ServerSettings
from ggmi.pipeline.anchors import read_source
from ggmi.real_search.problems import reference
from ggmi.reporting.text import listed
from ggmi.text.places import is_local
from ggmi.text.samples import Sample
from ggmi.text.visible import one_line, shortened

# Rows of each set that are looked at.
ROWS = 200


def describe_inputs(config: Config) -> Iterator[str]:
    """Open every set of records that a configuration names, and tell what its first rows hold.

    Parameters
    ----------
    config
        A valid configuration.

    Yields
    ------
    str
        Lines: where the set is named, its format, where its fields come from, its first record.

    Raises
    ------
    UserError
        If one cannot be read; the sentence begins with the key that names it.
    """
    for name, task in config.tasks.items():
        sources = {}
        if task.anchors.source != EMBEDDED:
            sources["anchors.source"] = task.anchors.read_settings()
        sources |= {
            f"generators.{key}.path": generator.read_settings()
            for key, generator in task.generators.items()
            if generator.kind == "import"
        }
        for key, settings in sources.items():
            place = f"tasks.{name}.{key}: {settings['source']}"
            if not is_local(settings["source"]):
                yield f"{place}: a data set of the hub, which is asked for when the run starts"
                continue
            try:
                yield from _described(place, read_source(settings, most=ROWS))
            except UserError as error:
                raise UserError(f"config: tasks.{name}.{key}: {error}") from None
    for name, search in (config.slow_thinking.real if config.slow_thinking else {}).items():
        yield from _describe_search(name, search)


def _describe_search(name: str, search: RealSearch) -> Iterator[str]:
    """Lines on the problems and models of a search."""
    place, source = f"slow_thinking.real.{name}", search.problems
    if is_local(source.source):
        try:
            sample = read_source(source.read_settings(), most=ROWS)
            yield from _described(f"{place}.problems.source: {source.source}", sample)
        except UserError as error:
            raise UserError(f"config: {place}.problems.source: {error}") from None
        unread = sum(reference(record.response, source.answer) is None for record in sample.records)
        if unread:
            yield f"  {unread:,} of their answers are not of the form {source.answer}"
    else:
        yield f"{place}.problems.source: {source.source}: a data set of the hub, which is asked for when the run starts"
    for part, settings in search.models().items():
        if isinstance(settings, EndpointSettings) and settings.key_env and not os.environ.get(settings.key_env):
            yield f"{place}.{part}: the environment variable {settings.key_env}, which holds its key, is not set here"
        if isinstance(settings, ServerSettings) and shutil.which(settings.command[0]) is None:
            yield f"{place}.{part}: there is no program {settings.command[0]} here, which the run needs where it runs"


def _described(place: str, sample: Sample) -> Iterator[str]:
    """Lines on one set."""
    reading = sample.reading
    left = sum(one.count for one in reading.left_out)
    rows = len(sample) + left
    taken = [f"{field} from {listed([one_line(n) for n in names])}" for field, names in reading.columns if names]
    files = f"{reading.files} files, " if reading.files > 1 else ""
    first = "first " if rows == ROWS else ""
    yield f"{place}: {files}{reading.form}; {', '.join(taken)}"
    yield f"  {first}{rows:,} rows: {len(sample):,} records" + "".join(
        f"; {one_line(str(r))}" for r in reading.left_out
    )
    if reading.unread:
        yield f"  not read: {', '.join(one_line(column) for column in reading.unread)}"
    record = sample.records[0]
    yield "  first record: " + " → ".join(f"“{shortened(one_line(text))}”" for text in record.values if text)
