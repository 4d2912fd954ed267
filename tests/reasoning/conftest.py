import pytest
import torch

from ggmi.reasoning.problems import group_table
from ggmi.reasoning.reasoner import Recipe, save, train

RECIPE = Recipe(layers=1, width=32, heads=2, steps=700, rate=5e-3, chains=64, wanted_accuracy=0.88)


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Models this small only lose by sharing their work between threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def table():
    return group_table("symmetric_3")


@pytest.fixture(scope="package")
def trained(table):
    return train(RECIPE, table, range(2, 6), 1, "tests/small")


@pytest.fixture(scope="package")
def folder(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("reasoner")
    save(trained.model, path)
    return path
