import numpy as np
import pytest

from ggmi.embedded.documents import Documents
from ggmi.embedded.language import END_ID, MARKER_ID


@pytest.fixture(scope="module")
def documents(language, domains):
    return Documents(language, domains, most_anchors=20, further=10)


def test_a_list_is_records_the_marker_records_and_the_end(documents):
    batch = documents.lists(5, 7, np.random.default_rng(0))
    assert batch.ids.shape == (5, 17 * 11 + 2)
    tokenizer = documents.language.tokenizer()
    for row in batch.ids:
        assert row[-1] == END_ID
        assert (row == MARKER_ID).nonzero()[0].tolist() == [77]
        before, after = tokenizer.decode(row[:-1]).split("more like these\n")
        assert (before.count("\n"), after.count("\n")) == (7, 10)
    assert documents.longest == 30 * 11 + 2


def test_skill_laws_are_those_of_exact_bayes_at_the_skill_words(documents):
    batch = documents.lists(6, 4, np.random.default_rng(1))
    domains, first = documents.domains, documents.language.first_skill_id
    skills = batch.ids[:, batch.skill_positions] - first
    assert skills.shape == (6, 14)
    assert skills.min() >= 0
    for i, record in np.ndindex(6, 14):
        anchors = domains.counts(skills[i, : min(record, 4)])
        further = domains.counts(skills[i, 4:record])
        expected = domains.next_anchor(anchors) if record < 4 else domains.next_skill(anchors, further)
        np.testing.assert_allclose(batch.skill_laws[i, record], expected)


def test_skill_laws_are_what_skills_follow(documents):
    batch = documents.lists(20_000, 3, np.random.default_rng(2))
    skills = batch.ids[:, batch.skill_positions] - documents.language.first_skill_id
    drawn = documents.domains.counts(skills[..., None])
    error = np.sqrt((batch.skill_laws * (1 - batch.skill_laws)).mean(axis=0) / len(drawn)) + 1e-12
    assert np.abs((drawn - batch.skill_laws).mean(axis=0) / error).max() < 5


def test_the_number_of_anchors_is_not_learned(documents):
    weights = documents.lists(1, 3, np.random.default_rng(3)).weights
    assert weights[[0, 11, 22, 33]].tolist() == [0, 0, 0, 0]
    assert (weights[34:] > 0).all()
    assert weights[35] == weights.max()


def test_pairs_cover_all_skills(documents):
    batch = documents.pairs(500, np.random.default_rng(4))
    skills = batch.ids[:, batch.skill_positions] - documents.language.first_skill_id
    assert batch.ids.shape == (500, 22)
    assert set(skills.ravel()) == set(range(22))


def test_the_student_sees_irrelevant_skills_only(documents):
    batch = documents.student_records(300, np.random.default_rng(5))
    skills = batch.ids[:, 1] - documents.language.first_skill_id
    assert batch.ids.shape == (300, 12)
    assert set(skills) == set(range(12, 22))
    assert (batch.ids[:, -1] == END_ID).all()


def test_prompts_are_anchors_and_the_marker(documents):
    ids, skills = documents.prompts(8, 3, np.random.default_rng(6))
    assert ids.shape == (8, 34)
    assert (ids[:, -1] == MARKER_ID).all()
    assert skills.max() < 6
    np.testing.assert_array_equal(ids[:, [1, 12, 23]], documents.language.first_skill_id + skills)
    text = documents.language.tokenizer().decode(ids[0])
    assert text.endswith("\nmore like these\n")
