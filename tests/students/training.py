"""Trainings in processes of their own, which can be killed and can work together."""

import os
import signal

from students.tiny import records

from ggmi.students.base import Base
from ggmi.students.finetune import finetune
from ggmi.students.tokenise import tokenise


def train(base, directory, settings, *, kill_at=None, on_step=None, count=12):
    """Train on the usual records; with `kill_at`, die like a power cut after that update."""

    def watch(step, _steps, _left):
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    start = Base(str(base))
    examples = tokenise(records(count), start, "plain")
    return finetune(start, examples, directory, settings, seed=3, on_step=on_step or watch)


def train_together(rank, world, port, base, directory, settings, results):
    """What torchrun's workers do: the same call in every process."""
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    done = train(base, directory, settings)
    results.put((rank, done.processes, [row.loss_nats_per_token for row in done.curve]))
