"""The command `ggmi check`: what a configuration's own data look like to the run that will read them."""

from __future__ import annotations

from collections.abc import Iterator

from ggmi.config import Config
from ggmi.config.tasks import EMBEDDED
from ggmi.errors import UserError
from ggmi.pipeline.anchors import read_source
from ggmi.reporting.legend import shortened
from ggmi.reporting.text import listed
from ggmi.text.places import is_local
from ggmi.text.samples import Sample
from ggmi.text.visible import one_line

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
