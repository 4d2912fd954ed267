"""What a person sets about a pilot: the one place of its defaults."""

from __future__ import annotations

from pydantic import Field

from ggmi.models.settings import Count, Positive, Settings
from ggmi.students.settings import TrainingSettings

# Highest learning rates, and records an update: of a small model from random weights, and of one that has learned.
PROXY_RATE, BASE_RATE = 4e-3, 5e-5
PROXY_BATCH, BASE_BATCH = 4, 8
# Most test records whose answers are rated: of a hundred pairs that differ by 2.5 points (standard deviation), a mean
# difference of one point is found in 97 of 100 pilots.
MOST_RATED = 100


class PilotSettings(Settings):
    """How sets are compared by small trainings."""

    base: str | None = Field(
        None,
        min_length=1,
        description="directory or hub id of the model to be trained; null: a small GPT from random weights stands in",
    )
    mixtures: bool = Field(False, description="whether T with each set added to it is compared, too")
    epochs: float = Field(3.0, ge=0.1, allow_inf_nan=False, description="passes over a set")
    learning_rate: Positive | None = Field(
        None, description=f"highest learning rate; null: {PROXY_RATE:g}, with a base {BASE_RATE:g}"
    )
    tokens: Count = Field(4_000_000, description="tokens that all trainings may read, all passes counted")
    processes: Count = Field(2, description="trainings at a time on CPUs; results do not depend on it")

    def training(self) -> TrainingSettings:
        """How every training trains.

        Examples
        --------
        >>> PilotSettings().training().learning_rate
        0.004
        """
        batch, rate = (BASE_BATCH, BASE_RATE) if self.base else (PROXY_BATCH, PROXY_RATE)
        return TrainingSettings(
            epochs=self.epochs, batch_size=batch, learning_rate=self.learning_rate or rate, warmup=0.05
        )
