import pytest

from ggmi.reasoning.problems import group_table
from ggmi.reasoning.reasoner import Recipe, save, train

RECIPE = Recipe(layers=1, width=32, heads=2, steps=700, rate=5e-3, chains=64, wanted_accuracy=0.88)


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
