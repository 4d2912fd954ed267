import pytest

from ggmi.errors import UserError
from ggmi.models.backend import ask, backend, check_settings
from ggmi.models.protocol import Meter
from ggmi.models.requests import Request, Sampling, Usage
from ggmi.models.settings import EndpointSettings, LocalSettings, Prices, ServerSettings
from ggmi.models.store import Store


def test_the_kind_chooses_the_backend():
    assert isinstance(check_settings({"kind": "world", "model": "m"}), LocalSettings)
    assert isinstance(check_settings({"kind": "openai", "model": "m"}), EndpointSettings)
    served = check_settings({"kind": "vllm", "model": "m"})
    assert isinstance(served, ServerSettings)
    assert served.command[:3] == ("vllm", "serve", "{model}")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "generators.a: kind is None: allowed: local, openai, reward, vllm, world"),
        ({"kind": "open-ai"}, "generators.a: kind is 'open-ai': did you mean 'openai'?"),
        ({"kind": ["local"]}, "generators.a: kind is ['local']: did you mean 'local'?"),
        ({"kind": "openai", "base_ulr": ""}, "generators.a: unknown key 'base_ulr': did you mean 'base_url'?"),
        ({"kind": "local"}, "generators.a: model: field required"),
        (
            {"kind": "local", "model": "m", "batch_size": 0},
            "generators.a: batch_size: input should be greater than or equal to 1, got 0",
        ),
        (
            {"kind": "openai", "model": "m", "prices": {"input": -1}},
            "generators.a: prices.input: input should be greater than or equal to 0, got -1",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_place(values, sentence):
    with pytest.raises(UserError) as caught:
        backend(values, source="generators.a")
    assert str(caught.value) == sentence


def test_a_base_url_cannot_carry_a_secret():
    for url in ("https://name:secret@host/v1", "https://host/v1?key=secret", "ftp://host"):
        with pytest.raises(UserError, match="base_url"):
            check_settings({"kind": "openai", "model": "m", "base_url": url})


def test_a_request_for_another_backend_is_a_programming_error(tmp_path):
    asked = backend({"kind": "openai", "model": "m"})
    other = Request(dict(asked.identity) | {"model": "n"}, "p", Sampling())
    with pytest.raises(ValueError, match="another backend"):
        ask(asked, [other], Store(tmp_path / "s"))


def test_a_meter_tells_done_cost_and_time_left(answer):
    seen = []
    meter = Meter(10, 4, Usage(4, 400, 40), Prices(input=1e6, output=1e4), seen.append)
    request = Request({"model": "m"}, "p", Sampling())
    meter.count(None)
    meter.count(answer(request))
    first, second = seen
    assert (first.done, first.failed, first.total, first.seconds_left) == (4, 1, 10, None)
    assert (second.done, second.usage) == (5, Usage(5, 403, 42))
    assert second.cost == pytest.approx(403 + 0.42)
    assert second.seconds_left >= 0
