import os
import signal
import sys
import time

import psutil
import pytest
from models import asking
from models.tiny import asks

from ggmi.errors import UserError
from ggmi.models.backend import ask, backend
from ggmi.models.server import free_port, running
from ggmi.models.settings import ServerSettings
from ggmi.models.store import Store

TRANSFORMERS = ["transformers", "serve", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--device", "cpu"]
# A server in three lines, with a child of its own, for what is about processes only.
SMALL = [
    sys.executable,
    "-c",
    "import http.server as h, subprocess, sys; subprocess.Popen(['sleep', '600']);"
    "G = type('G', (h.BaseHTTPRequestHandler,), {'do_GET': lambda s: (s.send_response(200), s.end_headers())});"
    "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), G).serve_forever()",
    "{port}",
]


def started_by(marker):
    """Processes of any parent that carry a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("GGMI_TEST_MARK") == marker and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found


def gone(marker):
    deadline = time.monotonic() + 30
    while started_by(marker):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_transformers_server_is_started_asked_and_stopped(chat_directory, tmp_path, monkeypatch):
    monkeypatch.setenv("GGMI_TEST_MARK", str(tmp_path))
    settings = {"kind": "vllm", "model": str(chat_directory), "command": TRANSFORMERS, "concurrency": 4}
    asked = backend(settings, log=tmp_path / "server.log")
    requests = asks(asked.identity, prompts=3, draws=4, max_tokens=10)
    store = Store(tmp_path / "s")
    outcome = ask(asked, requests, store)
    gone(str(tmp_path))
    assert (outcome.received, outcome.failures, outcome.stopped) == (12, (), None)
    responses = list(store.collect(requests))
    assert len({r.text for r in responses}) > 6
    local = backend({"kind": "local", "model": str(chat_directory), "device": "cpu"})
    for request, response in zip(requests, responses, strict=True):
        assert response.prompt_tokens == local.count_tokens(request)
        assert response.finish_reason in ("stop", "length")
        assert response.log_prob_nats is None
        assert response.log_prob_missing == "the endpoint gives none"
    assert "Uvicorn running" in (tmp_path / "server.log").read_text()
    # Nothing is missing, so nothing is started.
    assert ask(backend(settings | {"command": ["false"]}), [], store).received == 0


def test_identity_is_of_the_model_and_the_command_not_of_the_port(chat_directory):
    one = backend({"kind": "vllm", "model": str(chat_directory), "command": TRANSFORMERS})
    assert one.identity == backend({"kind": "vllm", "model": str(chat_directory), "command": TRANSFORMERS}).identity
    assert one.identity["model"].startswith("sha256:")
    assert one.identity != backend({"kind": "vllm", "model": str(chat_directory)}).identity


def test_a_server_and_its_children_end_with_the_block(tmp_path, monkeypatch):
    monkeypatch.setenv("GGMI_TEST_MARK", str(tmp_path))
    with running(ServerSettings(model="m", command=SMALL), tmp_path / "log") as url:
        assert url.startswith("http://127.0.0.1:")
        assert len(started_by(str(tmp_path))) == 3
    gone(str(tmp_path))
    with pytest.raises(ZeroDivisionError), running(ServerSettings(model="m", command=SMALL), tmp_path / "log"):
        raise ZeroDivisionError
    gone(str(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_server_does_not_outlive_who_started_it(tmp_path, processes, number):
    ready = processes.Event()
    arguments = (str(tmp_path), ServerSettings(model="m", command=SMALL), tmp_path / "log", ready)
    holder = processes.Process(target=asking.hold_server, args=arguments)
    holder.start()
    assert ready.wait(60)
    assert len(started_by(str(tmp_path))) == 3
    os.kill(holder.pid, number)
    holder.join(60)
    gone(str(tmp_path))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["no-such-server"], "no-such-server: the server ended before it was ready (no-such-server: No such file"),
        ([sys.executable, "-c", "raise SystemExit('no {model}')"], "ended before it was ready (no m); see "),
        ([sys.executable, "-c", "pass"], "ended before it was ready (it said nothing); see "),
        (["sleep", "600"], "sleep: the server was not ready within ready_timeout, 0.5 s; see "),
    ],
)
def test_a_server_that_does_not_start_is_one_sentence(tmp_path, command, told):
    settings = ServerSettings(model="m", command=command, ready_timeout=0.5 if command[0] == "sleep" else 60)
    with pytest.raises(UserError) as caught, running(settings, tmp_path / "logs" / "server.log"):
        pass
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "logs" / "server.log") in str(caught.value)


def test_a_free_port_can_be_had():
    assert 1024 < free_port() < 65536
