"""What a person sets about a backend: the one place of its defaults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$")]
# Keys have small letters or hyphens: one that is written here by mistake is no name.
KeyName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
# Keys of a request that `extra` does not set.
OWN_KEYS = ("model", "messages", "n", "best_of", "max_tokens", "max_completion_tokens", "seed", "stop")
OPENAI, OPENAI_KEY = "https://api.openai.com/v1", "OPENAI_API_KEY"


class Settings(BaseModel):
    """A part of the settings: unknown keys are refused, values cannot change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Prices(Settings):
    """What an endpoint charges, in any currency, per million tokens."""

    input: float = Field(0.0, ge=0, description="price of a million prompt tokens")
    output: float = Field(0.0, ge=0, description="price of a million tokens written")

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Price of so many tokens.

        Examples
        --------
        >>> Prices(input=2.5, output=10).cost(1_000_000, 500_000)
        7.5
        """
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


class Budget(Settings):
    """Limits of a store as a whole, over all its runs; a run that reaches one stops with everything kept."""

    max_cost: float | None = Field(None, ge=0, description="in the currency of the prices")
    max_tokens: Count | None = Field(None, description="tokens read and written")
    max_requests: Count | None = Field(None, description="responses received")


class LocalSettings(Settings):
    """A model in this process (transformers)."""

    kind: Literal["local", "world"] = Field("local", description="world: a directory that the workflow makes")
    model: str = Field(description="directory in Hugging Face format, or an id of the hub")
    revision: str | None = Field(None, description="commit, branch or tag of an id")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    dtype: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: bfloat16 on a GPU, else float32")
    batch_size: Count = Field(32, description="responses written at the same time")
    threads: Count = Field(1, description="CPU threads; last bits of log-probabilities can depend on them")
    token_log_probs: bool = Field(
        False, description="keep the log-probability of each token with its place in the text"
    )


class ClientSettings(Settings):
    """How an endpoint is asked, wherever it runs."""

    model: str = Field(description="name of the model, as the endpoint knows it")
    revision: str | None = Field(None, description="version of the model, where its name does not tell it")
    concurrency: Count = Field(16, description="requests under way at the same time")
    requests_per_minute: Positive | None = Field(None, description="null: no limit")
    tokens_per_minute: Positive | None = Field(None, description="prompt tokens and max_tokens; null: no limit")
    attempts: Count = Field(8, description="how often a request is tried before it counts as failed")
    first_wait: Positive = Field(1.0, description="seconds before the second attempt; doubles from there, with jitter")
    longest_wait: Positive = Field(120.0, description="seconds; an endpoint that asks for a longer pause ends the run")
    connect_timeout: Positive = Field(10.0, description="seconds until the endpoint takes the call")
    read_timeout: Positive = Field(300.0, description="seconds of silence")
    total_timeout: Positive = Field(600.0, description="seconds of one attempt in all")
    context_window: Count | None = Field(
        None, description="tokens of prompt and response; null: not checked beforehand"
    )
    log_probs: Literal["none", "model", "sampled"] = Field(
        "model",
        description="which distribution the endpoint's log-probabilities are of: the model's own or the sampled one",
    )
    token_log_probs: bool = Field(
        False, description="keep the log-probability of each token with its place in the text"
    )
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="what the endpoint calls max_tokens; the other name is tried if it asks for it"
    )
    extra: dict[str, Any] = Field(
        {}, description="further keys of each request's body, such as reasoning_effort or chat_template_kwargs"
    )
    prices: Prices = Field(Prices(), description="per million tokens")
    budget: Budget = Field(Budget(), description="limits over all runs of a store")

    @field_validator("extra")
    @classmethod
    def _extra_asks_nothing_else(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in OWN_KEYS:
            if name in value:
                raise ValueError(f"{name} is set elsewhere or would be paid for in vain; allowed: other keys")
        return value

    @field_validator("log_probs", mode="before")
    @classmethod
    def _null_asks_for_none(cls, value: Any) -> Any:
        return "none" if value is None else value


class EndpointSettings(ClientSettings):
    """An OpenAI-compatible endpoint that somebody runs."""

    kind: Literal["openai"] = "openai"
    base_url: Address = Field(OPENAI, description="up to and with /v1")
    key_env: KeyName | None = Field(OPENAI_KEY, description="environment variable of the key; null: none")


class ServerSettings(ClientSettings):
    """A server started for the job on this machine, and stopped after it."""

    kind: Literal["vllm"] = "vllm"
    model: str = Field(description="directory in Hugging Face format, or an id of the hub")
    revision: str | None = Field(None, description="commit, branch or tag of an id")
    concurrency: Count = Field(256, description="requests under way at the same time; the server batches them")
    log_probs: Literal["none", "model", "sampled"] = Field("sampled", description="as the command below makes them")
    command: tuple[str, ...] = Field(
        # processed_logprobs: of the distribution after temperature and top-p.
        # generation-config vllm: no sampling settings of the model's own beside ours.
        tuple(
            "vllm serve {model} --host 127.0.0.1 --port {port}"  # noqa: SIM905 - a command is read better whole
            " --tensor-parallel-size {gpus} --logprobs-mode processed_logprobs --generation-config vllm".split()
        ),
        min_length=1,
        description="words of the command; {model}, {port}, {revision} and {gpus} are filled in",
    )
    gpus: Count = Field(1, description="GPUs that share the model")
    ready_timeout: Positive = Field(1800.0, description="seconds until the server answers")


class EmbeddingSettings(Settings):
    """Embeddings by an OpenAI-compatible endpoint that somebody runs."""

    base_url: Address = Field(OPENAI, description="up to and with /v1")
    model: str = Field(min_length=1, description="name of the embedding model, as the endpoint knows it")
    key_env: KeyName | None = Field(OPENAI_KEY, description="environment variable of the key; null: none")
    batch_size: Count = Field(64, description="texts of one request")


class EntailmentSettings(Settings):
    """A model of natural-language inference that tells which records say the same."""

    model: str = Field(
        min_length=1, description="directory or hub id of a classifier of entailment, neutral and contradiction"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    criterion: Literal["strict", "loose"] = Field(
        "strict", description="strict: each entails the other; loose: no contradiction, and not both neutral"
    )
    prefilter: float = Field(
        0.5, ge=0, le=1, description="cosine similarity of embeddings below which a pair is not asked about"
    )
    batch_size: Count = Field(64, description="pairs read at the same time")


class RewardSettings(Settings):
    """A reward model in this process: a sequence classifier of transformers with one output."""

    kind: Literal["reward"] = "reward"
    model: str = Field(min_length=1, description="directory in Hugging Face format, or an id of the hub")
    revision: str | None = Field(None, description="commit, branch or tag of an id")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    dtype: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: bfloat16 on a GPU, else float32")
    batch_size: Count = Field(32, description="texts read at the same time")
    threads: Count = Field(1, description="CPU threads")


BackendSettings = Annotated[
    LocalSettings | EndpointSettings | ServerSettings | RewardSettings, Field(discriminator="kind")
]
