import numpy as np
import pytest

from ggmi.config import Config
from ggmi.pipeline.world import description, shares_table
from ggmi.text.records import Record
from ggmi.text.templates import Template, TextTemplate

TEMPLATE = Template(TextTemplate("{{ anchors }}\nmore like these\n", "test", ["anchors"], []))


@pytest.fixture
def asked(language):
    """Two prompts of two anchors: one of two skills, one of a skill twice."""
    words = language.words
    pool = {f"a{i}": words[i] for i in (0, 1, 2)}
    anchors = {name: Record(name, word, "ab", "cd") for name, word in pool.items()}
    again = Record("a3", words[2], "ba", "dc")
    prompts = [TEMPLATE.fill([anchors["a0"], anchors["a1"]]), TEMPLATE.fill([anchors["a2"], again])]
    return {**pool, "a3": words[2]}, prompts


def law_by_bayes(language, domains, skills):
    """The next skill's law after some anchors, by adding up domains one by one."""
    weights = [
        prior * np.prod([head[s] for s in skills]) for prior, head in zip(domains.prior, domains.head, strict=True)
    ]
    return sum(w / sum(weights) * full for w, full in zip(weights, domains.full, strict=True))


def by_role(language, law):
    roles = [language.role(i) for i in range(len(law))]
    return [
        sum(p for p, r in zip(law, roles, strict=True) if r == role) for role in ("anchored", "unsampled", "irrelevant")
    ]


def test_the_ideal_shares_are_those_of_exact_bayes(language, domains, asked):
    anchors, prompts = asked
    (row,) = shares_table(language, domains, anchors, {"2-ins": prompts}, {}, seed=1).to_dict("records")
    laws = [law_by_bayes(language, domains, skills) for skills in ((0, 1), (2, 2))]
    expected = np.mean([by_role(language, law) for law in laws], axis=0)
    assert [row[role] for role in ("anchored", "unsampled", "irrelevant")] == pytest.approx(expected.tolist())
    # A record is its skill and a context, one of 16; its response follows from both.
    entropies = [-sum(p * np.log(p) for p in law if p > 0) + np.log(16) for law in laws]
    assert row["information_gain_nats"] == pytest.approx(np.mean(entropies))
    assert (row["generator"], row["instances"], row["prompts"], row["records"]) == ("ideal", 2, 2, 0)


def rows_of(language, prompt, skills, *, wrong=0):
    contexts = [[i % 4, 1] for i in range(len(skills))]
    made = language.records(skills, contexts)
    for i in range(wrong):
        made[i]["response"] = "zz"
    return [{**record, "prompt_id": prompt.id} for record in made]


def test_shares_of_a_hand_made_set(language, domains, asked):
    anchors, (one, two) = asked
    rows = rows_of(language, one, [0, 1, 4, 5], wrong=1)  # two anchored, one unsampled, one irrelevant
    rows += rows_of(language, two, [2, 3])
    rows += [{"instruction": "nonsense", "context": "ab", "response": "ab", "prompt_id": two.id}] * 2
    rows[0]["context"] = "ab<script>"  # no context of the world: never right
    records = {("tiny", "2-ins"): rows, ("mute", "2-ins"): [], ("tiny", "4-ins"): []}
    table = shares_table(language, domains, anchors, {"2-ins": [one, two]}, records, seed=1).set_index("generator")
    tiny = table.loc["tiny"]
    assert [tiny[role] for role in ("anchored", "unsampled", "irrelevant")] == [0.5, 0.125, 0.125]
    assert tiny["right"] == 5 / 8
    assert (tiny["prompts"], tiny["records"]) == (2, 8)
    assert tiny["unsampled_ci_low"] <= 0.125 <= tiny["unsampled_ci_high"]
    assert table.loc["mute", ["anchored", "unsampled", "irrelevant", "right"]].isna().all()
    assert table.index.tolist() == ["ideal", "tiny", "mute"]


def test_a_prompt_that_was_asked_twice_counts_once(language, domains, asked):
    anchors, (one, two) = asked
    records = {("tiny", "2-ins"): [*rows_of(language, one, [0, 4, 0, 4]), *rows_of(language, two, [5])]}
    once, twice = (
        shares_table(language, domains, anchors, {"2-ins": prompts}, records, seed=1)
        for prompts in ([one, two], [one, one, two])
    )
    assert once.equals(twice)


def test_a_share_does_not_depend_on_other_generators_or_conditions(language, domains, asked):
    anchors, prompts = asked
    rows = {("tiny", "2-ins"): rows_of(language, prompts[0], [0, 4]) + rows_of(language, prompts[1], [1, 5, 5])}
    alone = shares_table(language, domains, anchors, {"2-ins": prompts}, rows, seed=1)
    more = {("big", "2-ins"): rows_of(language, prompts[0], [3]), **rows}
    among = shares_table(language, domains, anchors, {"2-ins": prompts}, more, seed=1)
    assert among[among["generator"] != "big"].reset_index(drop=True).equals(alone)


def test_the_description_says_what_each_skill_does(language, domains):
    found = description(language, domains)
    skill = found["skills"][0]
    context = "ba"
    letters = [skill["letters"][context[position]] for position in skill["positions"]]
    assert "".join(letters) == language.records([0], [[1, 0]])[0]["response"]
    assert sum(law["prior"] for law in found["domains"]) == pytest.approx(1)
    for law in found["domains"]:
        assert sum(law["full"].values()) == pytest.approx(1)
        assert set(law["head"]) <= set(language.words)


def test_the_configurations_recipes_are_measured_within_what_generators_read():
    world = Config().world
    assert world.recipe("large")["instances"] == [3, 10, 20]
    assert "instances" not in world.recipe("student")
    assert world.model_copy(update={"most_anchors": 4}).recipe("large")["instances"] == [3, 4]
