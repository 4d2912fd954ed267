"""Files from others are data: no configuration, table, model folder or template makes anything run."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from models.tiny import asks, make_classifier, make_model

from ggmi import config
from ggmi.cli import main
from ggmi.errors import UserError
from ggmi.information.local_encoder import named_encoder
from ggmi.mixtures.labelled_points import read_table
from ggmi.models.backend import ask, backend
from ggmi.models.entailment import EntailmentModel
from ggmi.models.settings import EntailmentSettings, ServerSettings
from ggmi.models.store import Store
from ggmi.students.base import Base

ROOT = Path(__file__).resolve().parents[2]
TOUCH = "__import__('pathlib').Path('touched').touch()"
TEMPLATED = f"__use_yte__: true\n__definitions__:\n  - {TOUCH}\nseed: ?__import__('os').getpid()\n"
GMM_ALONE = {"mixtures": {"digits": None}}
OBJECTS = {
    "object": "seed: !!python/object/apply:os.system ['touch touched']\n",
    "new": "seed: !!python/object/new:os.system ['touch touched']\n",
    "name": "seed: !!python/name:os.system\n",
    "module": "seed: !!python/module:os\n",
}


class Touch:
    """Unpickled, it leaves a file."""

    def __reduce__(self):
        return exec, (TOUCH,)


@pytest.fixture(autouse=True)
def nothing_ran(tmp_path, monkeypatch):
    """No test here leaves the file that all these files would make."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.rglob("touched"))


# Configuration.


@pytest.mark.parametrize("laid_over", [False, True], ids=["config.yaml", "--configfile"])
@pytest.mark.parametrize("content", [TEMPLATED, TEMPLATED.replace("true", "false"), *OBJECTS.values()])
def test_a_configuration_is_never_run(fresh_project, content, laid_over):
    fresh_project.configure(GMM_ALONE)
    name = "theirs.yaml" if laid_over else "config.yaml"
    (fresh_project.path / name).write_text(content)
    run = fresh_project.run("--configfile", "tiny.yaml", name, "--cores", "1", "-n", check=False)
    said = run.stdout + run.stderr
    assert run.returncode == 2, said
    (sentence,) = [line for line in said.splitlines() if line.startswith("ggmi: ")]
    assert sentence.startswith(f"ggmi: {name}: ")
    assert ("makes Snakemake run the Python" if "yte" in content else "is not YAML") in sentence
    assert "Traceback" not in said
    assert not (fresh_project.path / "results").exists()


@pytest.mark.parametrize("content", [TEMPLATED, *OBJECTS.values()])
def test_a_strangers_configuration_can_be_checked(tmp_path, capsys, content):
    (tmp_path / "theirs.yaml").write_text(content)
    assert main(["check", "theirs.yaml"]) == 2
    assert capsys.readouterr().err.startswith("ggmi: theirs.yaml: ")


TASK = {"title": "T", "anchors": {"source": "x.jsonl"}, "generators": {"g": {"kind": "import", "path": "x.jsonl"}}}
PATHS = ["..", "../x", "a/b", "/tmp/x", ".", "", "a\n", "a b", "A", "é", "{task}", "a*", "~", "a.b", "a\x00"]


@given(st.sampled_from(PATHS) | st.text(max_size=6))
def test_a_name_is_a_plain_folder_or_refused(name):
    for values in (
        {"mixtures": {name: {}}},
        {"tasks": {name: TASK}},
        {"tasks": {"t": {**TASK, "generators": {name: {"kind": "import", "path": "x.jsonl"}}}}},
        {"tasks": {"t": {**TASK, "curations": {name: {}}}}},
    ):
        if re.fullmatch("[a-z][a-z0-9_]*", name):
            config.load(values)
        else:
            with pytest.raises(UserError, match=r"^config: "):
                config.load(values)


@pytest.mark.parametrize(
    "target", ["results/../kl_gap.csv", "results/gmm/../../kl_gap.csv", "results/../gmm/psd/K2_J2_L2/worlds.npz"]
)
def test_no_target_leads_out_of_the_results(fresh_project, target):
    fresh_project.configure(GMM_ALONE)
    run = fresh_project.run("--cores", "1", "-n", target, check=False)
    assert run.returncode != 0
    assert "MissingRuleException" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize(("key", "value"), [("key_env", "sk-planted-11"), ("base_url", "https://me:planted@host/v1")])
def test_a_key_in_the_wrong_place_is_not_repeated(key, value):
    generators = {"far": {"kind": "openai", "model": "m", key: value}}
    with pytest.raises(UserError) as caught:
        config.load({"tasks": {"embedded": {"generators": generators}}})
    assert f"generators.far.{key}: " in str(caught.value)
    assert "planted" not in str(caught.value)


# Tables and weights.


def test_a_table_of_pickled_objects_is_refused(tmp_path):
    np.savez("cells.npz", cells=np.array([[Touch()]], dtype=object), kind=np.array(["a"]))
    with pytest.raises(UserError, match=r"cells.npz: cannot be read as npz") as caught:
        read_table("cells.npz", "kind")
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def whole_model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "whole")


@pytest.fixture
def model(whole_model, tmp_path):
    """A copy of a model's folder to tamper with."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in whole_model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def write_with(folder):
    asked = backend({"kind": "local", "model": str(folder), "device": "cpu"})
    ask(asked, asks(asked.identity, prompts=1, draws=1), Store("store"))


READERS = {
    "generator": write_with,
    "server": lambda folder: backend({"kind": "vllm", "model": str(folder)}),
    "student": lambda folder: Base(str(folder)).load(),
    "encoder": lambda folder: named_encoder(str(folder)).encode(["a"]),
    "inference": lambda folder: EntailmentModel(EntailmentSettings(model=str(folder), device="cpu")),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pt", "model.ckpt"])
def test_pickled_weights_are_refused_with_a_sentence(model, reader, name):
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(pickle.dumps(Touch()))
    with pytest.raises(UserError) as caught:
        READERS[reader](model)
    assert "safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", ["generator", "student"])
def test_pickled_weights_beside_whole_ones_are_not_read(model, reader):
    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Touch()))
    torch.save(torch.zeros(1), model / "optimizer.pt")
    READERS[reader](model)


@pytest.mark.parametrize("reader", ["generator", "student", "encoder", "inference"])
@pytest.mark.parametrize("known", [True, False], ids=["a known architecture", "one of its own"])
def test_code_that_comes_with_a_model_is_not_run(model, reader, known):
    if reader == "inference":
        make_classifier(model)
    (model / "evil.py").write_text(f"{TOUCH}\nclass Evil: pass\n")
    for name in ("config.json", "tokenizer_config.json"):
        values = json.loads((model / name).read_text())
        kinds = ("", "ForCausalLM", "ForSequenceClassification")
        names = ("AutoConfig", "AutoTokenizer", *(f"AutoModel{kind}" for kind in kinds))
        values["auto_map"] = dict.fromkeys(names, "evil.Evil")
        values |= {} if known else {"model_type": "evil"}
        (model / name).write_text(json.dumps(values))
    if known:
        READERS[reader](model)
        return
    with pytest.raises(UserError) as caught:
        READERS[reader](model)
    assert "code that comes with it" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__[1].__subclasses__() }}", "{% for i in range(10**12) %}{% endfor %}", "{% include 'x' %}"],
)
def test_a_chat_template_is_confined(model, tmp_path, template):
    (model / "chat_template.jinja").write_text(template)
    with pytest.raises(UserError) as caught:
        write_with(model)
    assert "chat template" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_trusts_remote_code():
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.py"), *ROOT.glob("presets/*.yaml")]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    assert not [path for path, text in texts.items() if re.search(r"trust.remote.code['\"]?\s*[=:]\s*[Tt]rue", text)]
    assert not [path for path, text in texts.items() if "--trust-remote-code" in text]
    assert not any("trust" in word for word in ServerSettings(model="m").command)
    assert not [
        path for path, text in texts.items() if re.search(r"\b(pickle|joblib|marshal)\.load|yaml\.(load|unsafe)", text)
    ]


def test_every_file_of_ours_is_plain_yaml():
    for path in (ROOT / "config.yaml", *ROOT.glob("presets/*.yaml"), *ROOT.glob("profiles/*/*.yaml")):
        assert "__use_yte__" not in yaml.safe_load(path.read_text(encoding="utf-8"))
