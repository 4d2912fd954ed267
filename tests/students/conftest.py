import multiprocessing

import pytest
from students.tiny import make_base

from ggmi.students.base import Base


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("bases") / "gpt2")


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("bases") / "llama", "llama")


@pytest.fixture(scope="session")
def chatty(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("bases") / "chat", chat=True)


@pytest.fixture
def base(gpt2):
    return Base(str(gpt2))


@pytest.fixture(scope="session")
def processes():
    """Processes that start within milliseconds, everything imported, and can be killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ggmi.students.finetune", "transformers.models.gpt2.modeling_gpt2"])
    return context
