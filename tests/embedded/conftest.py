import pytest

from ggmi.embedded.domains import Domains
from ggmi.embedded.language import Language, Sizes

SMALL = Sizes(anchored=4, unsampled=1, irrelevant=4, letters=4, length=2)


@pytest.fixture(scope="session")
def language():
    return Language.draw(3)


@pytest.fixture(scope="session")
def domains():
    return Domains.draw(3)


@pytest.fixture(scope="session")
def small_language():
    return Language.draw(3, SMALL)


@pytest.fixture(scope="session")
def small_domains():
    return Domains.draw(3, SMALL)
