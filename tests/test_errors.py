from hypothesis import given
from hypothesis import strategies as st

from ggmi.errors import UserError, did_you_mean

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)


def test_a_user_error_is_a_value_error_that_says_only_its_sentence():
    error = UserError("config.yaml: unknown key 'sed'")
    assert isinstance(error, ValueError)
    assert str(error) == "config.yaml: unknown key 'sed'"


def test_a_near_spelling_is_offered():
    assert did_you_mean("tolerence", ["restarts", "tolerance", "regularisation"]) == "did you mean 'tolerance'?"


def test_without_a_near_spelling_everything_allowed_is_listed_in_order():
    assert did_you_mean("qqq", ["reverse", "forward", "histogram"]) == "allowed: forward, histogram, reverse"


def test_any_iterable_of_names_may_be_given():
    assert did_you_mean("forwrd", (name for name in ["reverse", "forward"])) == "did you mean 'forward'?"


@given(WORDS, st.sets(WORDS, min_size=1))
def test_only_allowed_words_are_named(word, allowed):
    phrase = did_you_mean(word, allowed)
    if phrase.startswith("did you mean"):
        assert phrase.split("'")[1] in allowed
    else:
        assert phrase == "allowed: " + ", ".join(sorted(allowed))


@given(st.sets(WORDS, min_size=1))
def test_a_word_that_is_allowed_is_its_own_nearest_spelling(allowed):
    for word in allowed:
        assert did_you_mean(word, allowed) == f"did you mean '{word}'?"
