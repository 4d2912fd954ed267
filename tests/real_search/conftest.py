import pytest
from models.tiny import WORDS, make_model, make_reward

# Some words state an answer; one ends a line; one is what transformers tries on a vocabulary before it looks for ends.
ANSWERING = [*WORDS[:-5], "abcdef", "\n", "####3", "####5", "####7"]


@pytest.fixture(scope="session")
def writer_directory(tmp_path_factory):
    """A tiny chat model that states an answer now and then."""
    return make_model(tmp_path_factory.mktemp("real") / "writer", chat=True, window=512, words=ANSWERING)


@pytest.fixture(scope="session")
def reward_directory(tmp_path_factory):
    return make_reward(tmp_path_factory.mktemp("real") / "reward", window=512, words=ANSWERING)
