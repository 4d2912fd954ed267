import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from ggmi.embedded.documents import Documents
from ggmi.embedded.recipes import RECIPES, Recipe
from ggmi.embedded.training import save, train
from ggmi.embedded.truth import generator_truth, student_truth
from ggmi.errors import UserError

QUICK = Recipe(
    "generator",
    layers=2,
    width=32,
    heads=2,
    record_steps=400,
    list_steps=800,
    wanted_accuracy=0.9,
    wanted_kl_nats=0.5,
    instances=(1, 3),
    record_rate=4e-3,
)


@pytest.fixture(scope="module")
def documents(small_language, small_domains):
    return Documents(small_language, small_domains, most_anchors=3, further=2)


@pytest.fixture(scope="module")
def trained(documents):
    return train(QUICK, documents, 0, "quick")


def test_a_tiny_generator_learns_its_world(trained, documents):
    assert trained.reached
    first, last = trained.rows[0], trained.rows[-1]
    assert first["stage"] == "records"
    assert last["stage"] == "lists"
    assert first["accuracy"] < 0.5 <= 0.9 <= last["accuracy"]
    assert max(last["kl_1_ins_nats"], last["kl_3_ins_nats"]) <= 0.5
    fresh = generator_truth(trained.model, documents, 3, 200, np.random.default_rng(0))
    assert fresh.kl_nats < 0.6
    assert fresh.accuracy > 0.8


def test_a_saved_generator_is_loaded_by_anybody_and_writes_json(trained, documents, tmp_path):
    save(trained, documents, tmp_path)
    names = {p.name for p in tmp_path.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not any(p.suffix in (".bin", ".pt", ".pkl") for p in tmp_path.iterdir())
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    prompt = documents.language.prompt(documents.language.records([0, 1, 2], [[0, 1], [2, 3], [1, 1]]))
    inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
    torch.manual_seed(0)
    written = model.generate(**inputs, do_sample=True, num_return_sequences=40, max_new_tokens=19)
    texts = tokenizer.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    records = []
    for line in "\n".join(texts).splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    assert len(records) > 40
    known = [r for r in records if documents.language.skill_of(r["instruction"]) is not None]
    assert len(known) > 0.9 * len(records)


def test_one_seed_gives_the_same_bytes_whatever_the_threads(documents, tmp_path):
    short = replace(QUICK, record_steps=6, list_steps=4)
    before = torch.get_num_threads()
    files = []
    for threads, seed in ((1, 0), (2, 0), (2, 1)):
        torch.set_num_threads(threads)
        torch.manual_seed(threads)
        save(train(short, documents, seed, "short"), documents, tmp_path / f"{threads}{seed}")
        assert torch.get_num_threads() == threads
        files.append((tmp_path / f"{threads}{seed}" / "model.safetensors").read_bytes())
    torch.set_num_threads(before)
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_training_leaves_the_callers_random_numbers_alone(documents):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(replace(QUICK, record_steps=1, list_steps=0), documents, 0, "short")
    assert torch.equal(torch.rand(3), expected)


def test_progress_hears_every_measurement(documents):
    heard = []
    result = train(
        replace(QUICK, record_steps=60, list_steps=3, wanted_accuracy=1.01),
        documents,
        0,
        "heard",
        lambda stage, step, most, row: heard.append((stage, step, most, row)),
    )
    assert [h[:3] for h in heard] == [("records", 50, 60), ("records", 60, 60), ("lists", 3, 3)]
    assert [h[3] for h in heard] == result.rows
    assert not result.reached


def test_a_loss_that_is_no_number_ends_with_a_sentence(documents):
    with pytest.raises(UserError, match=r"training wild, stage records: the loss is .* at step \d+; use a smaller"):
        train(replace(QUICK, record_rate=1e30, record_steps=40), documents, 0, "wild")


def test_the_base_student_knows_the_format_and_nothing_of_the_task(documents, tmp_path):
    recipe = Recipe("student", layers=1, width=32, heads=2, record_steps=600, record_rate=4e-3, wanted_accuracy=0.95)
    trained = train(recipe, documents, 0, "student")
    assert trained.reached
    sizes = documents.language.sizes
    irrelevant = np.arange(sizes.target, sizes.skills)
    assert student_truth(trained.model, documents.language, irrelevant).exact_match > 0.8
    assert student_truth(trained.model, documents.language).exact_match < 0.3
    save(trained, documents, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert all(torch.isfinite(w).all() for w in weights.values())


def test_recipes_name_the_worlds_models():
    assert list(RECIPES) == ["large", "medium", "small", "student"]
    assert [r.kind for r in RECIPES.values()] == ["generator"] * 3 + ["student"]
