"""What follows the transformer in a model of sentence-transformers: pooling, dense layers, length one.

Read from ``modules.json`` and its neighbours as that package saves them, and computed here; nothing
that a directory holds is executed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggmi.errors import UserError

if TYPE_CHECKING:  # torch takes seconds to import
    from torch import Tensor

    Layer = Callable[[Tensor], Tensor]

# Ways of pooling, and the flags by which older versions chose them. Vectors of several flags are
# joined in this order, those of a list of names in the list's.
FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
POOLINGS = tuple(FLAGS.values())
# Classes of ``torch.nn`` by which a dense layer may end; other names would be code of the directory's choice.
ACTIVATIONS = ("Tanh", "Identity", "ReLU", "GELU", "SiLU", "Sigmoid")
VECTOR = "sentence_embedding"
OWNER = "sentence_transformers."


@dataclass(frozen=True)
class Modules:
    """A sentence-embedding model's parts.

    Parameters
    ----------
    transformer
        Folder of the transformer.
    pooling
        Of `POOLINGS`; vectors of several are joined.
    after
        What follows, in order: the folder of a dense layer, or None for length one.
    prompt
        Text that the model's settings put before every text.
    """

    transformer: Path
    pooling: tuple[str, ...]
    after: tuple[Path | None, ...]
    prompt: str = ""

    @property
    def dense_weights(self) -> list[Path]:
        """Files of the dense layers' weights."""
        return [place / "model.safetensors" for place in self.after if place is not None]

    def layers(self, device: str) -> list[Layer]:
        """What is applied to pooled vectors, in order, with weights loaded."""
        from torch.nn.functional import normalize

        return [normalize if place is None else _dense(place, device) for place in self.after]


def read_modules(root: Path) -> Modules:
    """Read which parts a model has; a plain transformer gets mean pooling and length one.

    Parameters
    ----------
    root
        The model's directory.

    Returns
    -------
    Modules

    Raises
    ------
    UserError
        If a settings file is damaged, or names what is not supported.
    """
    listed = root / "modules.json"
    if not listed.exists():
        return Modules(root, ("mean",), (None,))
    named = [_named(module, listed, root) for module in _entries(listed)]
    kinds = [kind for kind, _ in named]
    if kinds[:2] != ["Transformer", "Pooling"] or not {*kinds[2:]} <= {"Dense", "Normalize"}:
        raise UserError(
            f"{listed}: modules {', '.join(kinds) or 'none'} are not supported; "
            "allowed: Transformer, Pooling, then any of Dense and Normalize"
        )
    after = [place if kind == "Dense" else _of_vectors(place, None) for kind, place in named[2:]]
    for place in filter(None, after):
        _check_dense(place)
    settings = read_json(named[1][1] / "config.json")
    prompt = _prompt(root)
    if prompt and settings.get("include_prompt") is False:
        raise UserError(f"{named[1][1] / 'config.json'}: a prompt that pooling leaves out is not supported")
    return Modules(named[0][1], pooling_modes(settings, named[1][1] / "config.json"), tuple(after), prompt)


def pooling_modes(settings: Mapping[str, Any], source: Path) -> tuple[str, ...]:
    """Ways of pooling that settings choose: by name, by names, or by flags; the mean where by none.

    Parameters
    ----------
    settings
        Of the module.
    source
        Their file, for messages.

    Raises
    ------
    UserError
        If a way is unknown.

    Examples
    --------
    >>> pooling_modes({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, Path("config.json"))
    ('max', 'mean')
    """
    named = settings.get("pooling_mode")
    if named is None:
        flags = [flag for flag, on in settings.items() if flag.startswith("pooling_mode_") and on is True]
        chosen = [FLAGS.get(flag, flag) for flag in sorted(flags, key=lambda flag: [*FLAGS, flag].index(flag))]
    else:
        chosen = [named] if isinstance(named, str) else list(named) if isinstance(named, list) else [str(named)]
    for mode in chosen:
        if mode not in POOLINGS:
            raise UserError(f"{source}: pooling {mode!r} is not supported; allowed: {', '.join(POOLINGS)}")
    return tuple(chosen) or ("mean",)


def pooled(states: Tensor, mask: Tensor, modes: tuple[str, ...]) -> Tensor:
    """One vector a text, of the vectors of its tokens.

    Parameters
    ----------
    states
        Vectors of tokens, shape (texts, tokens, d).
    mask
        1 for tokens and 0 for padding, which follows them; shape (texts, tokens).
    modes
        Of `POOLINGS`; vectors of several are joined.

    Returns
    -------
    Tensor of shape (texts, d · len(modes))
    """
    import torch

    return torch.cat([_pooled(states, mask, mode) for mode in modes], dim=1)


def _pooled(states: Tensor, mask: Tensor, mode: str) -> Tensor:
    """One way of pooling."""
    import torch

    if mode == "cls":
        return states[:, 0]
    lengths = mask.sum(dim=1)
    if mode == "lasttoken":
        return states[torch.arange(len(states), device=states.device), lengths - 1]
    weights = mask.unsqueeze(-1).to(states.dtype)
    if mode == "max":
        return states.masked_fill(weights == 0, -torch.inf).amax(dim=1)
    if mode == "weightedmean":  # the first token counts once, the second twice
        weights = weights * torch.arange(1, states.shape[1] + 1, device=states.device, dtype=states.dtype)[:, None]
    total = weights.sum(dim=1)
    return (states * weights).sum(dim=1) / (total.sqrt() if mode == "mean_sqrt_len_tokens" else total)


def read_json(path: Path) -> dict[str, Any]:
    """Read a settings file of a model.

    Raises
    ------
    UserError
        If it is not a JSON object.
    """
    found = _json(path)
    if not isinstance(found, dict):
        raise UserError(f"{path}: is not a JSON object")
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error


def _entries(listed: Path) -> list[Mapping[str, Any]]:
    """The entries of modules.json."""
    found = _json(listed)
    if not isinstance(found, list) or not all(isinstance(m, dict) and {"type", "path"} <= m.keys() for m in found):
        raise UserError(f"{listed}: is not a list of modules, each with a type and a path")
    return found


def _named(module: Mapping[str, Any], listed: Path, root: Path) -> tuple[str, Path]:
    """Kind and folder of a module."""
    kind, place = str(module["type"]), root / str(module["path"])
    if not place.resolve().is_relative_to(root.resolve()):
        raise UserError(f"{listed}: module path '{module['path']}' leads outside the directory")
    if not kind.startswith(OWNER):
        raise UserError(f"{listed}: module '{kind}' is code of the model's own, which is not executed")
    return kind.rsplit(".", 1)[-1], place


def _of_vectors(place: Path, found: Path | None) -> Path | None:
    """Refuse a layer whose settings apply it to anything but whole texts' vectors."""
    settings = read_json(place / "config.json") if (place / "config.json").exists() else {}
    for key in ("module_input_name", "module_output_name"):
        if settings.get(key) not in (None, VECTOR):
            raise UserError(f"{place / 'config.json'}: {key} {settings[key]!r} is not supported; allowed: {VECTOR}")
    return found


def _check_dense(place: Path) -> None:
    """Refuse a dense layer that cannot be followed, before anything is loaded."""
    _of_vectors(place, place)
    settings = read_json(place / "config.json")
    _activation(settings, place)
    if settings.get("use_residual"):
        raise UserError(f"{place / 'config.json'}: use_residual is not supported")
    if not (place / "model.safetensors").is_file():
        raise UserError(f"{place}: holds no weights; a dense layer needs model.safetensors here")


def _activation(settings: Mapping[str, Any], place: Path) -> str:
    """The class of `ACTIVATIONS` that settings name."""
    named = str(settings.get("activation_function", "torch.nn.modules.activation.Tanh"))
    name = named.rsplit(".", 1)[-1]
    if not named.startswith("torch.nn.") or name not in ACTIVATIONS:
        allowed = ", ".join(ACTIVATIONS)
        raise UserError(
            f"{place / 'config.json'}: activation {named!r} is not supported; allowed of torch.nn: {allowed}"
        )
    return name


def _dense(place: Path, device: str) -> Layer:
    """A dense layer with its weights."""
    from safetensors.torch import load_file
    from torch import nn

    from ggmi.loading import loading

    with loading(f"{place}: is not a usable dense layer"):
        weights = load_file(place / "model.safetensors")
        out_features, in_features = weights["linear.weight"].shape
        layer = nn.Linear(in_features, out_features, bias="linear.bias" in weights)
        layer.load_state_dict({name.removeprefix("linear."): weight for name, weight in weights.items()})
    activation: nn.Module = getattr(nn, _activation(read_json(place / "config.json"), place))()
    return nn.Sequential(layer, activation).eval().to(device)


def _prompt(root: Path) -> str:
    """What the settings put before every text; empty for nothing."""
    path = root / "config_sentence_transformers.json"
    settings = read_json(path) if path.exists() else {}
    name, prompts = settings.get("default_prompt_name"), settings.get("prompts") or {}
    if name is None:
        return ""
    if not isinstance(prompts, dict) or not isinstance(prompts.get(name), str):
        raise UserError(f"{path}: default_prompt_name {name!r} is not among the prompts")
    return str(prompts[name])
