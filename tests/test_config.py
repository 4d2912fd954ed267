import json
import math
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ggmi.config import Config, MixtureStudy, check_files, default_yaml, load, read_yaml, resolved, schema_json
from ggmi.config.tasks import MANNER
from ggmi.errors import UserError
from ggmi.mixtures.worlds import Condition
from ggmi.models.backend import KINDS

ROOT = Path(__file__).parents[1]


def sentences(values):
    """What `load` says about wrong values, a sentence a line."""
    with pytest.raises(UserError) as caught:
        load(values)
    return str(caught.value).splitlines()


def study(**values):
    return {"mixtures": {"gmm": values}}


def studies(values):
    return load(values).mixtures


def keys(model, path=""):
    """Every key of a section, with its field."""
    for name, field in model.model_fields.items():
        yield f"{path}{name}", field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{path}{name}.")


# The files beside the code.


def test_config_yaml_is_what_the_code_prints():
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == default_yaml()


def test_the_schema_is_what_the_code_prints():
    assert (ROOT / "workflow/config.schema.json").read_text(encoding="utf-8") == schema_json()


def test_config_yaml_read_back_is_the_default():
    assert load(read_yaml(ROOT / "config.yaml")) == Config()


@pytest.mark.parametrize("model", [Config, MixtureStudy])
def test_every_key_has_a_description(model):
    undescribed = [name for name, field in keys(model) if not (field.description or "").strip()]
    assert undescribed == []


def test_every_key_stands_in_config_yaml_with_its_description():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    for path, field in [*keys(Config), *keys(MixtureStudy)]:
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith(path.split(".")[-1] + ":")]
        assert any(line.endswith(f"# {field.description}") for line in lines), path


def test_the_schema_accepts_config_yaml_and_refuses_an_unknown_key():
    schema = json.loads(schema_json())
    values = read_yaml(ROOT / "config.yaml")
    jsonschema.validate(values, schema)
    with pytest.raises(jsonschema.ValidationError, match="sed"):
        jsonschema.validate({**values, "sed": 1}, schema)


def test_the_resolved_configuration_holds_every_default_and_loads_again():
    config = load(study(K=3))
    plain = json.loads(json.dumps(resolved(config)))
    assert plain["mixtures"]["gmm"]["K"] == 3
    assert plain["mixtures"]["gmm"]["rounds"] == 100
    assert load(plain) == config


# What is accepted.


def test_the_default_study_has_forty_distinct_conditions():
    conditions = Config().mixtures["gmm"].conditions()
    assert len(conditions) == len(set(conditions)) == 40
    assert conditions[0] == Condition(2, 2, 2)


def test_the_unswept_condition_is_there_even_outside_its_sweep():
    found = studies(study(K=3, sweeps={"K": [5], "J": [2], "L": [2]}))["gmm"].conditions()
    assert found == [Condition(3, 2, 2), Condition(5, 2, 2)]


def test_sweeps_may_be_unsorted_and_repeat_values():
    plain = studies(study(sweeps={"K": [2, 4, 7], "J": [2], "L": [2]}))["gmm"]
    shuffled = studies(study(sweeps={"K": [7, 2, 4, 7, 2], "J": [2, 2], "L": [2]}))["gmm"]
    assert shuffled.conditions() == plain.conditions()
    assert [value for value, _ in shuffled.sweep("K")] == [2, 4, 7]


@given(st.data())
def test_conditions_are_distinct_and_cover_every_sweep(data):
    values = st.lists(st.integers(1, 15), min_size=1, max_size=6)
    found = studies(
        study(
            **{axis: data.draw(st.integers(1, 15)) for axis in "KJL"},
            sweeps={axis: data.draw(values) for axis in "KJL"},
            anchors_per_component=100,
        )
    )["gmm"]
    conditions = found.conditions()
    assert len(set(conditions)) == len(conditions)
    alone = {Condition(found.K, found.J, found.L)}
    assert set(conditions) == alone.union(*({c for _, c in found.sweep(axis)} for axis in "KJL"))
    for axis in "KJL":
        assert {getattr(c, axis) for _, c in found.sweep(axis)} == set(getattr(found.sweeps, axis))


def test_variants_name_every_combination_with_the_main_one_first():
    found = studies(
        study(covariances=["released", "psd"], anchor_components=["text"], estimators=["reverse", "forward"])
    )
    assert found["gmm"].variants() == [
        ("released", "text", "reverse"),
        ("released", "text", "forward"),
        ("psd", "text", "reverse"),
        ("psd", "text", "forward"),
    ]


def test_null_leaves_a_study_out():
    assert list(studies({"mixtures": {"gmm": {}, "digits": None}})) == ["gmm"]


def test_an_empty_configuration_is_the_default():
    assert load({}) == Config()


def test_numbers_may_be_written_as_yaml_reads_them():
    # YAML 1.1 takes 1e-3, without a point, for text.
    values = yaml.safe_load("mixtures: {gmm: {em: {tolerance: 1e-3}, rounds: 10.0}}")
    found = studies(values)["gmm"]
    assert found.em.tolerance == pytest.approx(0.001)
    assert found.rounds == 10


def test_a_configuration_cannot_be_changed_afterwards():
    config = Config()
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 1


# One sentence a mistake.


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"sed": 7}, "config: unknown key 'sed': did you mean 'seed'?"),
        ({"figures": {"dpii": 90}}, "config: unknown key 'figures.dpii': did you mean 'dpi'?"),
        (study(sweps={}), "config: unknown key 'mixtures.gmm.sweps': did you mean 'sweeps'?"),
        (study(sweeps={"k": [2]}), "config: unknown key 'mixtures.gmm.sweeps.k': allowed: J, K, L"),
        (study(table={"lable": "x"}), "config: unknown key 'mixtures.gmm.table.lable': did you mean 'label'?"),
        (study(em={"restart": 2}), "config: unknown key 'mixtures.gmm.em.restart': did you mean 'restarts'?"),
        (
            study(forward={"bins": 9}),
            "config: unknown key 'mixtures.gmm.forward.bins': allowed: absolute_error, max_points, relative_error",
        ),
        (
            study(aligned_histogram={"point": 9}),
            "config: unknown key 'mixtures.gmm.aligned_histogram.point': did you mean 'points'?",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_right_one(values, expected):
    assert sentences(values) == [expected]


@pytest.mark.parametrize(
    ("values", "key", "bad", "allowed"),
    [
        ({"seed": "many"}, "seed", "'many'", "integer"),
        ({"seed": None}, "seed", "None", "integer"),
        ({"seed": 1.5}, "seed", "1.5", "integer"),
        ({"seed": True}, "seed", "True", "number"),
        ({"results": 3}, "results", "3", "string"),
        ({"figures": {"width_inches": "wide"}}, "figures.width_inches", "'wide'", "number"),
        ({"figures": {"width_inches": False}}, "figures.width_inches", "False", "number"),
        ({"figures": 3}, "figures", "3", "dictionary"),
        ({"mixtures": ["gmm"]}, "mixtures", "['gmm']", "dictionary"),
        ({"mixtures": {"gmm": 3}}, "mixtures.gmm", "3", "dictionary"),
        (study(em=None), "mixtures.gmm.em", "None", "dictionary"),
        (study(rounds=[100]), "mixtures.gmm.rounds", "[100]", "integer"),
        (study(sweeps={"K": "2-5"}), "mixtures.gmm.sweeps.K", "'2-5'", "list"),
        (study(sweeps={"K": 2}), "mixtures.gmm.sweeps.K", "2", "list"),
        (study(sweeps={"K": [2, "x"]}), "mixtures.gmm.sweeps.K.1", "'x'", "integer"),
        (study(sweeps={"K": [True, 2]}), "mixtures.gmm.sweeps.K.0", "True", "number"),
        (study(covariances="psd"), "mixtures.gmm.covariances", "'psd'", "list"),
        (study(table={"standardise": "maybe"}), "mixtures.gmm.table.standardise", "'maybe'", "boolean"),
        ({3: 4}, "3", "3", "strings"),
    ],
)
def test_a_wrong_type_is_told_with_key_value_and_what_is_allowed(values, key, bad, allowed):
    (sentence,) = sentences(values)
    assert sentence.startswith(f"config: {key}: ")
    assert allowed in sentence
    assert sentence.endswith(f", got {bad}")
    assert "instance of" not in sentence  # no class of ours


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"seed": -1}, "config: seed: must be greater than or equal to 0, got -1"),
        ({"seed": 2**63}, f"config: seed: must be less than {2**63}, got {2**63}"),
        ({"conditions_per_job": 0}, "config: conditions_per_job: must be greater than or equal to 1, got 0"),
        ({"figures": {"dpi": 601}}, "config: figures.dpi: must be less than or equal to 600, got 601"),
        (study(K=0), "config: mixtures.gmm.K: must be greater than or equal to 1, got 0"),
        (study(J=65), "config: mixtures.gmm.J: must be less than or equal to 64, got 65"),
        (study(rounds=1), "config: mixtures.gmm.rounds: must be greater than or equal to 2, got 1"),
        (study(rounds=10_001), "config: mixtures.gmm.rounds: must be less than or equal to 10000, got 10001"),
        (study(dimensions=65), "config: mixtures.gmm.dimensions: must be less than or equal to 64, got 65"),
        (study(sweeps={"K": [0]}), "config: mixtures.gmm.sweeps.K.0: must be greater than or equal to 1, got 0"),
        (study(sweeps={"J": []}), "config: mixtures.gmm.sweeps.J: must have at least 1 item, got []"),
        (study(estimators=[]), "config: mixtures.gmm.estimators: must have at least 1 item, got []"),
        (study(title=""), "config: mixtures.gmm.title: must have at least 1 character, got ''"),
        (
            study(released_histogram={"bins": 1}),
            "config: mixtures.gmm.released_histogram.bins: must be greater than or equal to 2, got 1",
        ),
        (
            study(forward={"relative_error": 0}),
            "config: mixtures.gmm.forward.relative_error: must be greater than 0, got 0",
        ),
        (
            study(reverse={"absolute_error": math.inf}),
            "config: mixtures.gmm.reverse.absolute_error: must be a finite number, got inf",
        ),
        (study(em={"tolerance": math.nan}), "config: mixtures.gmm.em.tolerance: must be a finite number, got nan"),
    ],
)
def test_a_value_out_of_range_is_told_with_the_range(values, expected):
    assert sentences(values) == [expected]


def test_a_number_of_thousands_of_digits_is_out_of_range_like_any_other():
    (sentence,) = sentences({"seed": 10**5000})
    assert sentence.startswith("config: seed: must be less than")
    assert len(sentence) < 200


def test_a_long_bad_value_is_shown_in_short():
    (sentence,) = sentences({"seed": "x" * 1000})
    assert sentence.startswith("config: seed: must be a valid integer")
    assert sentence.endswith("...")
    assert len(sentence) < 200


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            study(estimators=["forwrd"]),
            "config: mixtures.gmm.estimators.0: 'forwrd' is not allowed; did you mean 'forward'?",
        ),
        (study(truth="dta"), "config: mixtures.gmm.truth: 'dta' is not allowed; did you mean 'data'?"),
        (
            study(covariances=["psd", "diagonal"]),
            "config: mixtures.gmm.covariances.1: 'diagonal' is not allowed; allowed: empirical, psd, released",
        ),
        (
            study(anchor_components=[3]),
            "config: mixtures.gmm.anchor_components.0: 3 is not allowed; allowed: released, text",
        ),
    ],
)
def test_an_unknown_variant_is_told_with_the_allowed_ones(values, expected):
    assert sentences(values) == [expected]


@pytest.mark.parametrize("key", ["covariances", "anchor_components", "estimators"])
def test_a_repeated_variant_is_refused(key):
    (sentence,) = sentences(study(**{key: ["released_histogram" if key == "estimators" else "released"] * 2}))
    assert sentence.startswith(f"config: mixtures.gmm.{key}: released")
    assert sentence.endswith("is listed twice; each variant is allowed once")


@pytest.mark.parametrize(
    ("truth", "covariance", "allowed"), [("data", "psd", "empirical"), ("random", "empirical", "psd, released")]
)
def test_a_covariance_that_does_not_fit_the_truth_is_refused(truth, covariance, allowed):
    (sentence,) = sentences(study(truth=truth, covariances=[covariance]))
    assert sentence == (
        f"config: mixtures.gmm: covariances: {covariance} does not go with truth: {truth}; allowed: {allowed}"
    )


def test_fewer_synthetic_points_than_components_to_fit_are_refused():
    ones = {axis: [2] for axis in "JL"}
    (sentence,) = sentences(study(synthetic_size=10, sweeps={**ones, "K": [6, 7]}))
    assert sentence == (
        "config: mixtures.gmm: synthetic_size = 10 points are fewer than the 11 components to fit to them "
        "at K=7, J=2, L=2; allowed: at least as many"
    )
    assert studies(study(synthetic_size=10, sweeps={**ones, "K": [5, 6]}))["gmm"].synthetic_size == 10


def test_fewer_anchors_than_components_to_fit_are_refused():
    few = {"anchors_per_component": 2, "sweeps": {"K": [2], "J": [2], "L": [3]}}
    (sentence,) = sentences(study(**few))
    assert sentence == (
        "config: mixtures.gmm: anchors_per_component * K = 4 points are fewer than the 6 components to fit to them "
        "at K=2, J=2, L=2; allowed: at least as many"
    )
    # Only the text's variant fits more than K components to anchors.
    assert studies(study(**few, anchor_components=["released"]))["gmm"].anchors_per_component == 2


def test_a_histogram_of_too_many_cells_is_refused():
    (sentence,) = sentences(study(dimensions=4, estimators=["forward", "aligned_histogram"]))
    assert sentence == (
        "config: mixtures.gmm: aligned_histogram.bins = 50 makes 6250000 cells in 4 dimensions; "
        "allowed: at most 4194304 (fewer bins or dimensions, or leave aligned_histogram out of estimators)"
    )
    assert studies(study(dimensions=4, estimators=["forward"]))["gmm"].dimensions == 4
    assert studies(study(dimensions=4, estimators=["aligned_histogram"], aligned_histogram={"bins": 45}))


def test_the_first_of_several_too_large_histograms_is_the_one_named():
    for estimators in (["aligned_histogram", "released_histogram"], ["released_histogram", "aligned_histogram"]):
        (sentence,) = sentences(study(dimensions=4, estimators=estimators))
        assert sentence.startswith(f"config: mixtures.gmm: {estimators[0]}.bins")


def test_a_synthetic_set_that_fills_the_memory_is_refused():
    (sentence,) = sentences(study(synthetic_size=600_000))
    assert sentence == (
        "config: mixtures.gmm: synthetic_size * dimensions = 1200000 coordinates a round; allowed: at most 1000000"
    )


@pytest.mark.parametrize("name", ["a/b", "..", "../gmm", "", "Gmm", "2gmm", "g mm", "gmm\n", "{study}", "gmm*"])
def test_a_study_name_that_is_no_plain_folder_name_is_refused(name):
    (sentence,) = sentences({"mixtures": {name: {}}})
    assert sentence.startswith("config: mixtures.")
    assert "must match pattern '^[a-z][a-z0-9_]*$'" in sentence
    assert sentence.endswith(f"got {name!r}")


@pytest.mark.parametrize("folder", ["out/{study}", "out*", "out?", ""])
def test_a_results_folder_with_wildcards_is_refused(folder):
    (sentence,) = sentences({"results": folder})
    assert sentence.startswith("config: results: must match pattern")
    assert sentence.endswith(f"got {folder!r}")


def test_several_mistakes_give_as_many_lines():
    found = sentences({"sed": 1, "figures": {"dpi": 1}, **study(K=0, rouds=9, sweeps={"K": [], "J": [0]})})
    assert sorted(found) == [
        "config: figures.dpi: must be greater than or equal to 50, got 1",
        "config: mixtures.gmm.K: must be greater than or equal to 1, got 0",
        "config: mixtures.gmm.sweeps.J.0: must be greater than or equal to 1, got 0",
        "config: mixtures.gmm.sweeps.K: must have at least 1 item, got []",
        "config: unknown key 'mixtures.gmm.rouds': did you mean 'rounds'?",
        "config: unknown key 'sed': did you mean 'seed'?",
    ]


def test_the_sentence_names_the_source_it_was_given():
    with pytest.raises(UserError, match=r"^mine\.yaml: unknown key 'sed'"):
        load({"sed": 1}, source="mine.yaml")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["psd", "released", "empirical", "text", "forward", "released_histogram", "data", "digits"])
)
NAMES = [path.split(".")[-1] for path, _ in [*keys(Config), *keys(MixtureStudy)]]
KEYS = st.sampled_from([*NAMES, "gmm", "K", "J", "L"]) | st.text(max_size=8)
JSON_LIKE = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def nested(model):
    """Mappings of a section's right keys to anything, so that checks beyond the first are met."""
    parts = {}
    for name, field in model.model_fields.items():
        section = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        parts[name] = JSON_LIKE | nested(field.annotation) if section else JSON_LIKE
    return st.fixed_dictionaries({}, optional=parts)


@settings(max_examples=300)
@given(
    st.dictionaries(KEYS, JSON_LIKE, max_size=4)
    | nested(Config)
    | nested(MixtureStudy).map(lambda values: study(**values))
)
def test_whatever_is_loaded_is_a_configuration_or_a_users_mistake(values):
    try:
        config = load(values)
    except UserError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(line.startswith("config: ") and line.isprintable() for line in lines)
    else:
        assert load(resolved(config)) == config


@settings(max_examples=200)
@given(
    st.lists(st.integers(1, 64), min_size=1, max_size=4),
    st.integers(1, 64),
    st.integers(1, 6),
    st.integers(2, 60),
    st.integers(2, 400),
)
def test_a_study_is_accepted_just_when_points_and_memory_suffice_for_every_condition(sweep, K, d, anchors, size):
    values = study(K=K, sweeps={"K": sweep}, dimensions=d, anchors_per_component=anchors, synthetic_size=size)
    # Anchored components and all components: of the swept conditions, and of the largest J and L by default.
    sizes = [*((k, k + 4) for k in sweep), (K, K + 17)]
    enough = all(size >= total and anchors * anchored >= total for anchored, total in sizes)
    if enough and 50**d <= 2**22:
        assert len(studies(values)["gmm"].conditions()) == len({*sweep, K}) + 26
    else:
        assert len(sentences(values)) == 1


# Tasks and their world.


def task(**values):
    return {"tasks": {"t": {"title": "T", "generators": {"g": {"kind": "local", "model": "m"}}, **values}}}


# A set of that task.
SET = "g_3-ins_standard"


def students(**values):
    return {"base": "world", "form": "json", **values}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"tasks": {"gmm": task()["tasks"]["t"]}}, "config: tasks.gmm: the name is taken; allowed: none of "),
        ({"tasks": {"report": task()["tasks"]["t"]}}, "config: tasks.report: the name is taken; allowed: none of "),
        ({"mixtures": {"world": {}}}, "config: mixtures.world: the name is taken; allowed: none of "),
        ({"tasks": {"t": {"generators": {"g": {"kind": "local", "model": "m"}}}}}, "config: tasks.t.title: is missing"),
        (task(generators={}), "config: tasks.t.generators: "),
        (task(generators={"g": {"model": "m"}}), "config: tasks.t.generators.g.kind: is missing"),
        (
            task(generators={"g": {"kind": "lokal", "model": "m"}}),
            "config: tasks.t.generators.g.kind: 'lokal' is not allowed; did you mean 'local'?",
        ),
        (
            task(generators={"g": {"kind": "x" * 5000}}),
            f"config: tasks.t.generators.g.kind: '{'x' * 76}... is not allowed; allowed: import, local,",
        ),
        (
            task(generators={"g": {"kind": "openai", "modle": "m", "model": "m"}}),
            "config: unknown key 'tasks.t.generators.g.modle': did you mean 'model'?",
        ),
        (
            task(generators={"g": {"kind": "openai", "model": "m", "base_url": "ftp://x"}}),
            "config: tasks.t.generators.g.base_url: must match pattern",
        ),
        (
            task(estimation={"encoder": "mine", "endpoint": {"model": "m"}}),
            "config: tasks.t.estimation: encoder: is 'mine' beside an endpoint, and one of them embeds; ",
        ),
        (task(estimation={"endpoint": {}}), "config: tasks.t.estimation.endpoint.model: is missing"),
        (
            task(estimation={"endpoint": {"model": "m", "base_url": "ftp://me:secret@x"}}),
            "config: tasks.t.estimation.endpoint.base_url: must match pattern",
        ),
        (
            task(estimation={"entailment": {"model": "m", "criterion": "lose"}}),
            "config: tasks.t.estimation.entailment.criterion: 'lose' is not allowed; did you mean 'loose'?",
        ),
        (
            task(estimation={"entailment": {"model": "m", "prefilter": 1.5}}),
            "config: tasks.t.estimation.entailment.prefilter: must be less than or equal to 1, got 1.5",
        ),
        (
            task(estimation={"entailment": {"model": "m", "modle": "m"}}),
            "config: unknown key 'tasks.t.estimation.entailment.modle': did you mean 'model'?",
        ),
        (
            task(generators={"g": {"kind": "world", "model": "lage"}}),
            "config: tasks.t.generators.g.model: the world has no generator 'lage'; did you mean 'large'?",
        ),
        (
            {
                "world": {
                    "generators": {"large": None, "small": {"layers": 1, "width": 16, "heads": 2, "record_steps": 1}}
                },
                **task(generators={"g": {"kind": "world", "model": "large"}}),
            },
            "config: tasks.t.generators.g.model: the world has no generator 'large'; allowed: small",
        ),
        (
            task(generators={"ideal": {"kind": "world", "model": "large"}}),
            "config: tasks.t: generators.ideal: the name is that of the exact generator; choose another",
        ),
        (
            task(anchors={"source": "a.jsonl"}, generators={"g": {"kind": "world", "model": "large"}}),
            "config: tasks.t: generators.g: kind world goes with anchors.source: embedded only, and the source is",
        ),
        (
            task(students=students(subsets={"of": ["reel"], "sizes": [9]})),
            "config: tasks.t: students.subsets.of: there is no condition 'reel'; did you mean 'real'?",
        ),
        (
            task(students=students(subsets={"of": ["real"]})),
            "config: tasks.t.students.subsets: shares and sizes are both empty; allowed: at least one value of either",
        ),
        (
            task(students=students(subsets={"by": ["a/b"], "sizes": [9]})),
            "config: tasks.t.students.subsets.by: must match pattern",
        ),
        (
            task(students=students(mixtures=[0.5], subsets={"by": ["score"], "of": [f"{SET}_real0.5"], "sizes": [9]})),
            f"config: tasks.t: students.subsets.by: 'score' is no column of {SET}_real0.5, a mixture of two sets",
        ),
        (
            task(anchors={"source": "a.jsonl"}, students=students(base="m", subsets={"by": ["skill"], "sizes": [9]})),
            "config: tasks.t: students.subsets.by: skill goes with anchors.source: embedded only",
        ),
        (
            task(students=students(rl={"of": ["real_hardest_base_loss_size8"]}, subsets={"sizes": [9]})),
            "config: tasks.t: students.rl.of: there is no condition 'real_hardest_base_loss_size8'; did you mean "
            "'real_hardest_base_loss_size9'?",
        ),
        (
            task(students=students(rl={})),
            "config: tasks.t: students.rl.reward: is 'judge', but judge is null; allowed here: exact_match",
        ),
        (
            task(students=students(rl={}), judge={"by": {"kind": "vllm", "model": "m"}}),
            "config: tasks.t: students.rl.reward: a judge of kind vllm would start its server at every update; ",
        ),
        (
            task(students=students(rl={"answers": 1})),
            "config: tasks.t.students.rl.answers: must be greater than or equal to 2, got 1",
        ),
        (
            {"language": {"sizes": [20, 600]}},
            "config: language: sizes: 600 of the language's 768 records, of which 168",
        ),
        ({"language": {"sizes": [30, 20]}}, "config: language.sizes: [30, 20] do not ascend; allowed: [20, 30]"),
        (task(instances=[3, 3]), "config: tasks.t.instances: 3 is listed twice"),
        (
            task(instances=[3, 21]),
            "config: tasks.t.instances: 21 anchors are more than the world's generators learn to read; allowed: up to "
            "world.most_anchors = 20",
        ),
        (task(sampling={"stop": [""]}), "config: tasks.t.sampling.stop.0: must have at least 1 character, got ''"),
        (
            task(curations={"c": {"lengths": {"context": [9, 3]}}}),
            "config: tasks.t.curations.c.lengths.context: least is 9 and most is 3; allowed: least first",
        ),
        (
            task(curations={"c": {"faults": {"wrong": 0.5, "repeated": 0.5}}}),
            "config: tasks.t.curations.c.faults: the shares sum to 1; allowed: above 0 and below 1, or null for no "
            "faults",
        ),
        (
            task(curations={"c": {"faults": {"off_task": 0.5}}}, anchors={"source": "mine.jsonl"}),
            "config: tasks.t: curations.c.faults.off_task: goes with anchors.source: embedded only, and the source is "
            "'mine.jsonl'",
        ),
        (
            {"world": {"generators": {"large": {"layers": 3, "width": 96, "heads": 4}}}},
            "config: world.generators.large.record_steps: is missing",
        ),
        (
            {"world": {"generators": {"large": {"layers": 0, "width": 96, "heads": 4, "record_steps": 1}}}},
            "config: world.generators.large.layers: must be greater than or equal to 1, got 0",
        ),
        (
            {"world": {"generators": {"odd": {"layers": 1, "width": 20, "heads": 4, "record_steps": 1}}}},
            "config: world.generators.odd: width: 20 is not shared evenly by heads = 4; allowed: multiples of 8",
        ),
        (
            {"world": {"test_records": 12_000}},
            "config: world.test_records: 12000 leave none of the 12000 records of the target task for training; "
            "allowed: up to 11999",
        ),
        ({"world": {"unsampled": 9}}, "config: world.irrelevant = 10 is outside 12 to 40"),
        (
            {"world": {"generators": {"student": {"layers": 1, "width": 16, "heads": 2, "record_steps": 1}}}},
            "config: world.generators.student: the name is the student's; choose another",
        ),
        (
            {"world": {"student": {"layers": 1, "width": 16, "heads": 2, "record_steps": 1, "list_steps": 5}}},
            "config: world.student: list_steps: 5 steps, but the student learns no lists; allowed: 0",
        ),
        (
            {
                "mixtures": {"gmm": None, "digits": None},
                "theory": None,
                "slow_thinking": None,
                "data_quality": None,
                "language": None,
                "tasks": {"embedded": None},
            },
            "config: mixtures, theory, slow_thinking, data_quality, language and tasks are all left out, so there is "
            "nothing to do; allowed: any one",
        ),
    ],
)
def test_a_mistake_in_a_task_or_its_world_is_told_in_a_sentence(values, expected):
    found = sentences(values)
    assert found[0].startswith(expected)


def test_a_world_that_no_task_uses_may_be_as_it_is():
    assert load({"world": {"test_records": 12_000}, "tasks": {"embedded": None}}).tasks == {}


def test_null_leaves_a_generator_or_a_curation_out():
    two = {"a": {"kind": "local", "model": "m"}, "b": None}
    found = load(task(generators=two, curations={"c": {}, "d": None})).tasks["t"]
    assert (list(found.generators), list(found.curations)) == (["a"], ["c"])
    assert found.conditions() == [("a", "3-ins"), ("a", "10-ins"), ("a", "20-ins")]


def test_every_setting_of_a_backend_either_decides_responses_or_is_its_manner():
    deciding = {"kind", "model", "revision", "device", "dtype", "token_log_probs", "log_probs", "base_url", "command"}
    deciding |= {"extra"}
    every = {name for kind in KINDS.values() for name in kind.model_fields}
    assert deciding | MANNER == every
    assert not deciding & MANNER


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (task(anchors={"source": "a.csv"}), "tasks.t.anchors.source: a.csv: there is no such file or folder"),
        (task(prompts={"template": "mine.txt"}), "tasks.t.prompts.template: there is no file 'mine.txt'"),
        (
            task(generators={"g": {"kind": "import", "path": "s.jsonl"}}),
            "tasks.t.generators.g.path: s.jsonl: there is no such file or folder",
        ),
        (
            task(estimation={"entailment": {"model": "./nowhere"}}),
            "tasks.t.estimation.entailment.model: there is no folder './nowhere'",
        ),
        (
            task(generators={"g": {"kind": "local", "model": "./nowhere"}}),
            "tasks.t.generators.g.model: there is no folder './nowhere'",
        ),
    ],
)
def test_a_tasks_files_are_looked_for_before_the_run(values, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        check_files(load(values))
    assert str(caught.value) == f"config: {expected}"


# Presets and files.


@pytest.mark.parametrize("preset", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_preset_laid_over_config_yaml_is_valid(preset):
    def laid_over(base, upper):
        return {
            **base,
            **{
                key: laid_over(base[key], value)
                if isinstance(value, dict) and isinstance(base.get(key), dict)
                else value
                for key, value in upper.items()
            },
        }

    config = load(laid_over(read_yaml(ROOT / "config.yaml"), read_yaml(preset)))
    assert any((config.mixtures, config.tasks, config.slow_thinking, config.data_quality, config.language))
    assert config != Config()


def test_there_are_the_presets_that_the_design_names():
    assert {"smoke.yaml", "paper.yaml"} <= {path.name for path in (ROOT / "presets").iterdir()}


@pytest.fixture
def data_study(tmp_path):
    """A configuration whose study reads a table."""

    def make(source):
        return load(
            {
                "results": str(tmp_path / "results"),
                **study(truth="data", covariances=["empirical"], table={"source": str(source)}),
            }
        )

    return make


def test_a_missing_table_is_told_before_the_run(data_study, tmp_path):
    with pytest.raises(UserError) as caught:
        check_files(data_study(tmp_path / "cells.csv"))
    expected = f"config: mixtures.gmm.table.source: there is no file '{tmp_path / 'cells.csv'}'"
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", ["cells.xlsx", "cells", "Digits", "cells.csv.gz"])
def test_an_unknown_table_format_is_told_before_the_run(data_study, tmp_path, name):
    (tmp_path / name).write_text("label,x\n")
    with pytest.raises(UserError) as caught:
        check_files(data_study(tmp_path / name))
    assert str(caught.value) == (
        f"config: mixtures.gmm.table.source: '{tmp_path / name}' has an unknown format; "
        "allowed: .csv, .parquet, .npz, or digits"
    )


@pytest.mark.parametrize("name", ["cells.csv", "cells.parquet", "cells.npz"])
def test_tables_of_the_known_formats_pass_the_check(data_study, tmp_path, name):
    (tmp_path / name).touch()
    check_files(data_study(tmp_path / name))
    check_files(data_study("digits"))
    assert not (tmp_path / "results").exists()  # a check makes nothing


def test_a_table_that_no_study_reads_is_not_looked_for(tmp_path):
    check_files(load({"results": str(tmp_path), **study(table={"source": "nowhere.csv"})}))


def test_a_results_folder_below_a_regular_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "results")
    with pytest.raises(UserError) as caught:
        check_files(load({"results": folder}))
    assert str(caught.value) == (
        f"config: results: '{folder}' cannot be written ({tmp_path / 'file'} is not a writable folder)"
    )
