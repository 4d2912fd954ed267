import math

import pytest

from ggmi.reporting.text import count_word, estimate, fixed, listed
from ggmi.text.visible import one_line, plain

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0.0, 2, "0.00"),
        (-0.5, 2, "−0.50"),
        (1234567.8, 0, "1,234,568"),
        (0.0002, 4, "0.0002"),
        (0.00123, 2, "0.0012"),
        (3e-9, 2, "3.0e-09"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
        (NAN, 2, "–"),
    ],
)
def test_numbers_keep_sensible_digits(value, decimals, shown):
    assert fixed(value, decimals) == shown


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((320.795, 144.56, 921.44), "+321 [+145, +921]"),
        ((-4.96087, -5.34678, -4.59335), "−4.96 [−5.35, −4.59]"),
        ((0.5, -0.003, 1.0), "+0.500 [−0.003, +1.000]"),
        ((0.0, -1.0, 1.0), "0.0 [−1.0, +1.0]"),
        ((2.0, 2.0, 2.0), "+2.00 [+2.00, +2.00]"),
        ((2.0, NAN, NAN), "+2.00 (no interval)"),
        ((2.0, -math.inf, 3.0), "+2.00 (no interval)"),
        ((NAN, NAN, NAN), "no value"),
    ],
)
def test_an_estimate_has_the_digits_its_interval_supports(numbers, shown):
    assert estimate(*numbers) == shown


def test_lists_and_counts():
    assert listed([]) == "–"
    assert listed(["a"]) == "a"
    assert listed(["a", "b"], "or") == "a or b"
    assert count_word(0) == "no"
    assert count_word(1234) == "1,234"


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\x1b", "\x00", "\ufeff", "\u2028", "\ud800"])
def test_treacherous_characters_become_visible(character):
    assert plain(f"a{character}b") == f"a⟨U+{ord(character):04X}⟩b"


def test_a_title_is_one_line():
    assert one_line(" a\nb\t c ") == "a b c"
    assert one_line("\x1b[31mred") == "⟨U+001B⟩[31mred"
