import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ggmi.config import MixtureStudy, Sweeps
from ggmi.mixtures.worlds import AXES, Condition
from ggmi.workflow.segments import Segment, parts_of, plan

VALUES = st.integers(1, 12)
SIZES = st.integers(1, 8)


@st.composite
def segments(draw):
    axis = draw(st.sampled_from(AXES))
    fixed = {a: draw(VALUES) for a in AXES}
    swept = draw(st.sets(VALUES, min_size=1, max_size=8))
    return Segment(axis, tuple(sorted(Condition(**{**fixed, axis: value}) for value in swept)))


@st.composite
def studies(draw):
    sweeps = {axis: draw(st.lists(VALUES, min_size=1, max_size=10)) for axis in AXES}
    return MixtureStudy(
        **{axis: draw(VALUES) for axis in AXES}, sweeps=Sweeps(**sweeps), anchor_components=["released"]
    )


def names(segments):
    return [segment.name for segment in segments]


def covered(segments):
    return [condition for segment in segments for condition in segment.conditions]


def with_value(study, axis, value):
    sweeps = study.sweeps.model_copy(update={axis: [*getattr(study.sweeps, axis), value]})
    return study.model_copy(update={"sweeps": sweeps})


# Names.


@pytest.mark.parametrize(
    ("name", "axis", "values"),
    [
        ("K2-6_J2_L2", "K", [2, 3, 4, 5, 6]),
        ("K2_J3-4+9_L2", "J", [3, 4, 9]),
        ("K2_J2_L5+7+11-12", "L", [5, 7, 11, 12]),
        ("K2_J3_L4", "K", [2]),
    ],
)
def test_a_name_says_which_conditions_a_segment_holds(name, axis, values):
    segment = Segment.parse(name)
    assert segment.axis == axis
    assert [getattr(condition, axis) for condition in segment.conditions] == values
    assert segment.name == name


@given(segments())
def test_a_segment_is_read_back_from_its_name(segment):
    found = Segment.parse(segment.name)
    assert found.conditions == segment.conditions
    assert found.name == segment.name
    assert len(segment.conditions) == 1 or found.axis == segment.axis


@given(segments())
def test_a_name_is_a_plain_folder_name(segment):
    assert set(segment.name) <= set("KJL_0123456789-+")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "K2",
        "K2_J2",
        "K2_J2_L2_",
        "k2_J2_L2",
        "K_J2_L2",
        "K-2_J2_L2",
        "K2-_J2_L2",
        "K2+_J2_L2",
        "K2-4_J2-4_L2",
        "K0-3_J2_L2",
        "K6-2_J2_L2",
        "K2-3-4_J2_L2",
        "K2+2_J2_L2",
        "K2+3_J2_L2",
        "K4+2_J2_L2",
        "K02_J2_L2",
        "K٢_J2_L2",
        "logs",
        ".K2_J2_L2",
    ],
)
def test_no_other_text_is_taken_for_a_segment(name):
    with pytest.raises(ValueError, match="names no segment"):
        Segment.parse(name)


@given(st.text("KJL_0123456789-+", max_size=14) | st.text(max_size=10))
def test_whatever_is_taken_for_a_segment_has_exactly_that_name(text):
    try:
        segment = Segment.parse(text)
    except ValueError:
        return
    assert segment.name == text


def test_the_parts_of_a_path_are_read_from_its_end():
    assert parts_of("/far/away/results/gmm/psd/K2-6_J2_L2/fit_synthetic.npz") == (
        "psd",
        "K2-6_J2_L2",
        "fit_synthetic.npz",
    )


# Plans.


def test_the_default_study_is_cut_into_runs_of_five_along_each_sweep():
    assert names(plan(MixtureStudy(), [], 5)) == [
        "K2-6_J2_L2",
        "K2_J2_L3-7",
        "K2_J2_L8-12",
        "K2_J2_L13-15",
        "K2_J3-7_L2",
        "K2_J8-12_L2",
        "K2_J13-15_L2",
        "K7-11_J2_L2",
        "K12-15_J2_L2",
    ]


@given(studies(), SIZES)
def test_a_plan_holds_every_condition_exactly_once_and_nothing_else(study, size):
    found = covered(plan(study, [], size))
    assert len(found) == len(set(found))
    assert set(found) == set(study.conditions())


@given(studies(), SIZES)
def test_no_new_segment_is_larger_than_allowed(study, size):
    made = plan(study, [], size)
    assert all(1 <= len(segment.conditions) <= size for segment in made)


@given(studies(), st.lists(segments(), max_size=6), SIZES)
def test_whatever_exists_every_condition_is_held_exactly_once(study, existing, size):
    found = plan(study, names(existing), size)
    held = covered(found)
    assert len(held) == len(set(held))
    assert set(study.conditions()) <= set(held)
    assert all(set(segment.conditions) & set(study.conditions()) for segment in found)


@given(studies(), st.lists(segments(), max_size=6), SIZES, SIZES)
def test_a_plan_stays_as_it_is_once_its_segments_exist(study, existing, size, other):
    made = names(plan(study, names(existing), size))
    assert names(plan(study, [*names(existing), *made], other)) == made


@given(studies(), SIZES, SIZES, st.sampled_from(AXES), VALUES)
def test_a_new_value_makes_exactly_one_new_segment(study, size, other, axis, value):
    larger = with_value(study, axis, value)
    new = set(larger.conditions()) - set(study.conditions())
    assume(new)
    before = names(plan(study, [], size))
    after = plan(larger, before, other)
    assert set(before) < set(names(after))
    (added,) = (segment for segment in after if segment.name not in before)
    assert set(added.conditions) == new


@given(studies(), SIZES, st.sampled_from(AXES), VALUES)
def test_a_value_taken_away_and_given_back_makes_nothing_new(study, size, axis, value):
    larger = with_value(study, axis, value)
    made = names(plan(larger, [], size))
    between = names(plan(study, made, size))
    assert set(between) <= set(made)
    assert names(plan(larger, made, size)) == made


def test_a_segment_that_holds_more_than_is_wanted_stays():
    study = MixtureStudy(sweeps=Sweeps(K=[3, 4], J=[2], L=[2]))
    assert names(plan(study, ["K2-9_J2_L2"], 5)) == ["K2-9_J2_L2"]


def test_a_segment_with_nothing_that_is_wanted_is_left_out():
    study = MixtureStudy(sweeps=Sweeps(K=[3, 4], J=[2], L=[2]))
    assert names(plan(study, ["K5-9_J2_L2", "K2_J9_L2"], 5)) == ["K2-4_J2_L2"]


def test_of_overlapping_segments_the_one_with_more_that_is_wanted_stays():
    study = MixtureStudy(sweeps=Sweeps(K=[2, 3, 4, 5], J=[2], L=[2]))
    assert names(plan(study, ["K2-3_J2_L2", "K3-5_J2_L2"], 5)) == ["K2_J2_L2", "K3-5_J2_L2"]


@given(studies(), st.lists(segments(), max_size=6), SIZES, st.randoms(use_true_random=False))
def test_the_order_of_what_exists_does_not_matter(study, existing, size, random):
    folders = names(existing)
    shuffled = random.sample(folders, len(folders))
    assert plan(study, shuffled, size) == plan(study, folders, size)
    assert plan(study, folders + folders, size) == plan(study, folders, size)


@settings(max_examples=50)
@given(studies(), SIZES, st.lists(st.text("KJL_0123456789-+.", max_size=12) | st.text(max_size=8), max_size=5))
def test_folders_of_other_names_are_ignored(study, size, others):
    def is_segment(text):
        try:
            return bool(Segment.parse(text))
        except ValueError:
            return False

    junk = [text for text in others if not is_segment(text)]
    assert plan(study, [*junk, "logs", ".snakemake", "K2+2_J2_L2", "K0_J2_L2"], size) == plan(study, [], size)
