import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.models.faults import TOLD, inert, retry_after


@given(st.text(max_size=300), st.sampled_from(["sk-1", "00"]))
def test_what_an_endpoint_says_is_one_short_printable_line_without_the_key(text, secret):
    told = inert(text + secret + text, secret)
    assert secret not in told
    assert told.isprintable()
    assert len(told) <= TOLD + 1


def test_bidirectional_and_control_characters_are_left_out():
    assert inert("a\u202eb\x00c\x1b[2Jd\r\ne") == "abc[2Jd e"


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "Mon, 99 May", "-", "0x10"])
def test_a_time_that_cannot_be_understood_is_none(value):
    assert retry_after({"retry-after": value}) is None
    assert retry_after({}) is None


def test_a_date_without_a_clock_is_compared_with_ours():
    found = retry_after({"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert 95 < found <= 100


def test_a_date_that_has_passed_is_no_wait():
    assert retry_after({"retry-after": "Mon, 05 May 2025 10:00:00 GMT"}) == 0
    assert retry_after({"retry-after": "-5"}) == 0
