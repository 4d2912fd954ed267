import signal

import pytest
from hypothesis import settings

from ggmi.random import stream

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# A shell that starts the tests in the background has them, and all they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def streams():
    """Several streams of one name, numbered from zero."""

    def make(count, *name):
        return [stream(20241001, *name, index) for index in range(count)]

    return make
