import json

import pytest

from ggmi.embedded.domains import Domains
from ggmi.embedded.language import Language, Sizes
from ggmi.models.requests import Response

SIZES = {"anchored": 4, "unsampled": 1, "irrelevant": 4, "letters": 4, "length": 2}


@pytest.fixture(scope="session")
def language():
    return Language.draw(3, Sizes(**SIZES))


@pytest.fixture(scope="session")
def domains():
    return Domains.draw(3, Sizes(**SIZES))


@pytest.fixture
def lines(tmp_path):
    """Write objects, one a line, and return the file."""

    def write(rows, name="records.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def answered():
    """A response to a request, with a text of one's own."""

    def make(request, text="text", **changes):
        values = {
            "key": request.key(),
            "text": text,
            "finish_reason": "stop",
            "prompt_tokens": 30,
            "completion_tokens": 20,
            "log_prob_nats": None,
            "log_prob_missing": "not asked for",
            "token_log_probs": None,
            "model": "m",
            "seconds": 0.5,
            "attempts": 1,
        }
        return Response(**values | changes)

    return make
