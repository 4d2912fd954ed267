import multiprocessing

import pytest
from models.tiny import make_model

from ggmi.models.requests import Response


@pytest.fixture(scope="session")
def model_directory(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("tiny") / "plain")


@pytest.fixture(scope="session")
def chat_directory(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("tiny") / "chat", chat=True)


@pytest.fixture
def answer():
    """A response to a request."""

    def make(request, text="text", **changes):
        values = {
            "key": request.key(),
            "text": text,
            "finish_reason": "stop",
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "log_prob_nats": -1.5,
            "log_prob_missing": None,
            "token_log_probs": ((0, 2, -1.0), (2, 4, -0.5)),
            "model": "m",
            "seconds": 0.5,
            "attempts": 1,
        }
        return Response(**values | changes)

    return make


@pytest.fixture(scope="session")
def processes():
    """Processes that start within milliseconds, everything imported, and can be killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "ggmi.models.server", "ggmi.models.endpoint", "ggmi.models.local"])
    return context
