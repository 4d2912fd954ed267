"""Models of natural-language inference: whether one text entails another."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike
from transformers import AutoModelForSequenceClassification

from ggmi.errors import UserError
from ggmi.information.clustering import CONTRADICTION, ENTAILMENT, NEUTRAL, MutualEntailment
from ggmi.information.embedding import DEFAULT_TOKENS
from ggmi.loading import chosen_device
from ggmi.models.hub import HubModel
from ggmi.models.settings import EntailmentSettings

# What a model's own name of each label contains, in small letters.
STEMS = {"entail": ENTAILMENT, "neutral": NEUTRAL, "contradict": CONTRADICTION}


class EntailmentModel:
    """A sequence classifier of transformers with the labels entailment, neutral and contradiction.

    Callable as `ggmi.information.clustering.Entails`. A pair is read once: its label is remembered,
    since entropies of a set, of its prompts and of a sample ask about the same pairs. Weights are
    read as safetensors only, in float32, and no code that comes with a model is run.

    Parameters
    ----------
    settings
        See `ggmi.models.settings.EntailmentSettings`.

    Raises
    ------
    UserError
        If the model cannot be had or loaded, lacks its classifier, or has other labels.
    """

    def __init__(self, settings: EntailmentSettings) -> None:
        self._settings, model = settings, settings.model
        self._device = chosen_device(settings.device, "entailment.device")
        hub = HubModel(model, refusal="cannot be loaded as a model of natural-language inference")
        #: The model by its content (directory) or by id and commit (hub).
        self.identity: str = hub.identity
        self._tokenizer: Any = hub.tokenizer
        net, info = hub.weights(AutoModelForSequenceClassification, torch.float32, output_loading_info=True)
        self._labels = labels_of(model, net.config.id2label)
        if info["missing_keys"]:
            raise UserError(f"{model}: its weights lack {min(info['missing_keys'])}; a trained classifier is needed")
        if self._tokenizer.pad_token_id is None:
            raise UserError(f"{model}: its tokenizer has no padding token, which texts of different length need")
        self._net: Any = net.eval().to(self._device)
        self._window = min(window_of(net), hub.longest)
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, premises: list[str], hypotheses: list[str]) -> list[str]:
        """Label pairs, in one batch; what is beyond the model's window is cut from the longer text.

        Parameters
        ----------
        premises, hypotheses
            Equally many texts.

        Returns
        -------
        list of str
            ``entailment``, ``neutral`` or ``contradiction`` of each pair.
        """
        pairs = list(zip(premises, hypotheses, strict=True))
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        if new:
            batch = self._tokenizer(
                [premise for premise, _ in new],
                [hypothesis for _, hypothesis in new],
                padding=True,
                truncation="longest_first",
                max_length=self._window,
                return_tensors="pt",
            ).to(self._device)
            try:
                with torch.inference_mode():
                    chosen = self._net(**batch).logits.argmax(dim=1).tolist()
            except torch.OutOfMemoryError:
                raise UserError(
                    f"entailment: {len(new)} pairs at the same time do not fit into the memory of the GPU; "
                    "set a smaller batch_size"
                ) from None
            self._known.update(zip(new, (self._labels[label] for label in chosen), strict=True))
        return [self._known[pair] for pair in pairs]

    def mutual(self, vectors: ArrayLike) -> MutualEntailment:
        """How some records are told to say the same, by the criterion and prefilter of the settings.

        Parameters
        ----------
        vectors
            Their embeddings, shape (n, d).
        """
        s = self._settings
        return MutualEntailment(self, s.criterion, vectors, s.prefilter, s.batch_size)

    def described(self) -> dict[str, Any]:
        """What decides which records say the same: the model by its content, criterion and prefilter."""
        return {"model": self.identity, **self._settings.model_dump(include={"criterion", "prefilter"})}


def labels_of(model: str, id2label: dict[int, str]) -> list[str]:
    """Our names of a model's labels, in its order.

    Parameters
    ----------
    model
        Its name, for the message.
    id2label
        What it calls its labels, by number.

    Raises
    ------
    UserError
        If they are not three, one each of entailment, neutral and contradiction.

    Examples
    --------
    >>> labels_of("m", {0: "CONTRADICTION", 1: "Neutral", 2: "entails"})
    ['contradiction', 'neutral', 'entailment']
    """
    names = [str(id2label[number]) for number in sorted(id2label)]
    found = [[label for stem, label in STEMS.items() if stem in name.casefold()] for name in names]
    if sorted(found) != sorted([label] for label in STEMS.values()):
        raise UserError(
            f"{model}: its labels are {', '.join(map(repr, names[:5]))}; a model of natural-language inference has "
            f"three, whose names contain {', '.join(STEMS)}"
        )
    return [label for (label,) in found]


def window_of(net: Any) -> int:
    """Tokens that a model reads at once.

    Parameters
    ----------
    net
        A model of transformers.
    """
    window = int(getattr(net.config, "max_position_embeddings", None) or DEFAULT_TOKENS)
    for name, part in net.named_modules():
        # RoBERTa and its like number positions from behind the padding token's number.
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            window -= part.padding_idx + 1
    return window
