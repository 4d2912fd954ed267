"""A training that may run in a process of its own, and be killed there."""

import os
import signal

from students.tiny import records

from ggmi.students.base import Base
from ggmi.students.finetune import finetune
from ggmi.students.tokenise import tokenise


def train(base, directory, settings, *, kill_at=None, on_step=None, longest=12):
    """Train on the usual records; with `kill_at`, die like a power cut after that update."""

    def watch(step, _steps, _left):
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    start = Base(str(base))
    examples = tokenise(records(longest=longest), start, "plain")
    return finetune(start, examples, directory, settings, seed=3, on_step=on_step or watch)
