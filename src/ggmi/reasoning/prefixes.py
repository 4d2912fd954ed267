"""Prefixes of chains, each kept once, and transformers that read each prefix once.

A prefix has a number, its node; the prompts come first. What a model says after a prefix depends on the
prefix alone, so that its keys, values and outputs are kept and the next token costs one token, however many
searches come by.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache, PreTrainedModel

from ggmi.loading import threads
from ggmi.reasoning.problems import END, FIRST_VALUE, STEP_TOKENS, Bools, Ints, Problems, positions
from ggmi.search.policy import NO_ANSWER, Floats, Steps

# Prefixes read at the same time.
BATCH = 4096
# A step that has not ended after so many tokens never will.
MOST_STEP_TOKENS = 4


class Prefixes:
    """All prefixes met so far of the chains of some problems.

    Parameters
    ----------
    problems
        Problems of one length; prefix i below their number is the prompt of problem i.
    all_positions
        Positions that the models have (`ggmi.reasoning.problems.positions_needed`).
    """

    def __init__(self, problems: Problems, all_positions: int) -> None:
        self.problems = problems
        self.prompts = problems.prompts()
        self.positions = positions(problems.length, all_positions)
        # Tokens that may follow a prompt.
        self.deepest = len(self.positions) - self.prompts.shape[1]
        self._thoughts = problems.thoughts()
        count = len(problems)
        self.size = count
        self._child = np.full((count, problems.vocabulary), -1, dtype=np.int32)
        self.parent, self.problem = np.full(count, -1), np.arange(count)
        self.token = FIRST_VALUE + problems.starts
        self.depth, self.written = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
        self.right, self.broken = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)

    def children(self, nodes: Ints, tokens: Ints) -> Ints:
        """The prefixes one token longer.

        Parameters
        ----------
        nodes, tokens
            Shape (n,).
        """
        found = self._child[nodes, tokens]
        missing = found < 0
        if missing.any():
            pairs = np.unique(nodes[missing] * self.problems.vocabulary + tokens[missing])
            self._add(*np.divmod(pairs, self.problems.vocabulary))
            found = self._child[nodes, tokens]
        return found.astype(np.int64)

    def ends_step(self, nodes: Ints) -> Bools:
        """Whether the last token of each prefix ends a step: a value, or the end of the chain."""
        token = self.token[nodes]
        return (token == END) | ((token >= FIRST_VALUE) & (token < FIRST_VALUE + self.problems.order))

    def ended(self, nodes: Ints) -> Bools:
        """Whether a chain has ended, or was cut within a step."""
        return ((self.token[nodes] == END) | self.broken[nodes]) & (self.depth[nodes] > 0)

    def answers(self, nodes: Ints) -> Ints:
        """The last value of each chain that has ended."""
        last = self.parent[nodes]
        whole = (self.token[nodes] == END) & (self.depth[nodes] > 0) & self.ends_step(last)
        return np.where(whole, self.token[last] - FIRST_VALUE, NO_ANSWER)

    def tokens(self, nodes: Ints) -> Ints:
        """The tokens of each prefix after its prompt, -1 after its end, shape (n, deepest)."""
        found = np.full((len(nodes), self.deepest), -1)
        walker = nodes.copy()
        while (going := np.flatnonzero(self.depth[walker] > 0)).size:
            found[going, self.depth[walker[going]] - 1] = self.token[walker[going]]
            walker[going] = self.parent[walker[going]]
        return found

    def cut(self, nodes: Ints) -> None:
        """Give up prefixes: a step that does not end, or a chain that does not."""
        self.broken[nodes], self.right[nodes] = True, False

    def _add(self, parents: Ints, tokens: Ints) -> None:
        """Take up prefixes that are new."""
        new = self.size + np.arange(len(parents))
        self._grow(self.size + len(parents))
        self.size += len(parents)
        self._child[parents, tokens] = new
        problem = self.problem[parents]
        value = tokens - FIRST_VALUE
        is_value = (value >= 0) & (value < self.problems.order)
        written = self.written[parents] + is_value
        length = self.problems.length
        wanted = self._thoughts[problem, np.minimum(written, length)]
        depth = self.depth[parents] + 1
        # A step that takes more or fewer tokens than was taught is wrong, whatever its value.
        fits = np.where(
            is_value,
            (written <= length) & (value == wanted) & (depth == STEP_TOKENS * written),
            (tokens != END) | (depth == STEP_TOKENS * length + 1),
        )
        self.parent[new], self.problem[new], self.token[new] = parents, problem, tokens
        self.depth[new], self.written[new] = depth, written
        self.right[new] = self.right[parents] & fits

    def _grow(self, entries: int) -> None:
        have = len(self.parent)
        if entries <= have:
            return
        more = max(entries, 2 * have) - have
        self._child = np.concatenate([self._child, np.full((more, self._child.shape[1]), -1, dtype=np.int32)])
        for name in ("parent", "problem", "token", "depth", "written", "right", "broken"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros(more, dtype=array.dtype)]))


class Reader:
    """A transformer's outputs after prefixes, each computed once.

    Parameters
    ----------
    model
        A model with GPT-2's body: a language model, or a classifier of tokens.
    prefixes
        What it reads.
    """

    def __init__(self, model: PreTrainedModel, prefixes: Prefixes) -> None:
        parts: Any = model
        self._body, self._prefixes = parts.transformer, prefixes
        self._head = parts.get_output_embeddings() or parts.classifier
        self._places = torch.from_numpy(prefixes.positions)
        ids = torch.from_numpy(prefixes.prompts)
        with threads(1), torch.inference_mode():
            read = self._body(
                ids,
                position_ids=self._places[None, : ids.shape[1]],
                attention_mask=torch.ones_like(ids),
                past_key_values=DynamicCache(),
                use_cache=True,
            )
            self._prompts = [(layer.keys, layer.values) for layer in read.past_key_values.layers]
            self._outputs = self._head(read.last_hidden_state[:, -1]).float()
        count, heads, _, width = self._prompts[0][0].shape
        self._known = np.ones(count, dtype=bool)
        self._keys = torch.zeros(count, len(self._prompts), 2, heads, width)

    def outputs(self, nodes: Ints) -> NDArray[np.float32]:
        """The head's output after each prefix, shape (n, outputs)."""
        self._read(nodes)
        return self._outputs[torch.from_numpy(nodes)].numpy()

    def _read(self, nodes: Ints) -> None:
        """Compute what is not known yet, shorter prefixes first."""
        self._grow()
        found, wanted = [], np.unique(nodes)
        while len(wanted := wanted[~self._known[wanted]]):
            found.append(wanted)
            wanted = np.unique(self._prefixes.parent[wanted])
        if not found:
            return
        missing = np.unique(np.concatenate(found))
        depths = self._prefixes.depth[missing]
        with threads(1), torch.inference_mode():
            for depth in np.unique(depths):
                there = missing[depths == depth]
                for first in range(0, len(there), BATCH):
                    self._read_layer(there[first : first + BATCH], int(depth))
        self._known[missing] = True

    def _read_layer(self, nodes: Ints, depth: int) -> None:
        """Read the last tokens of prefixes of one depth, whose parents are known.

        One token through GPT-2's own layers: its attention is over the prompt's, the prefix's and its own keys.
        """
        p = self._prefixes
        above = np.empty((len(nodes), depth - 1), dtype=np.int64)
        walker = p.parent[nodes]
        for column in range(depth - 2, -1, -1):
            above[:, column] = walker
            walker = p.parent[walker]
        problem, index = torch.from_numpy(p.problem[nodes]), torch.from_numpy(nodes)
        kept = self._keys[torch.from_numpy(above)]  # (n, depth - 1, layers, 2, heads, width)
        body, place = self._body, self._places[p.prompts.shape[1] + depth - 1]
        state = body.wte(torch.from_numpy(p.token[nodes])) + body.wpe(place)
        for layer, block in enumerate(body.h):
            query, *own = block.attn.c_attn(block.ln_1(state)).view(len(nodes), 3, *kept.shape[4:]).unbind(1)
            read = []
            for kind, (prompt, mine) in enumerate(zip(self._prompts[layer], own, strict=True)):
                self._keys[index, layer, kind] = mine
                parts = [prompt[problem], kept[:, :, layer, kind].transpose(1, 2), mine[:, :, None]]
                read.append(torch.cat(parts, dim=2))
            keys, values = read
            found = torch.nn.functional.scaled_dot_product_attention(query[:, :, None], keys, values)
            state = state + block.attn.c_proj(found[:, :, 0].flatten(1))
            state = state + block.mlp(block.ln_2(state))
        self._outputs[index] = self._head(body.ln_f(state)).float()

    def _grow(self) -> None:
        more = len(self._prefixes.parent) - len(self._known)
        if more > 0:
            self._known = np.concatenate([self._known, np.zeros(more, dtype=bool)])
            self._outputs = torch.cat([self._outputs, torch.zeros(more, self._outputs.shape[1])])
            self._keys = torch.cat([self._keys, torch.zeros(more, *self._keys.shape[1:])])


class Reasoner:
    """A reasoner as a policy (`ggmi.search.policy.Policy`).

    Parameters
    ----------
    reader
        Its outputs: logits of the next token.
    prefixes
        Chains so far.
    generator
        Source of randomness, a number a token.
    temperature
        Divides the logits.
    """

    def __init__(
        self, reader: Reader, prefixes: Prefixes, generator: np.random.Generator, temperature: float = 1.0
    ) -> None:
        self._reader, self._prefixes, self._generator = reader, prefixes, generator
        self._temperature = temperature

    def extend(self, nodes: Ints) -> Steps:
        """Sample a step after each prefix."""
        p = self._prefixes
        nodes = nodes.copy()
        tokens, log_probs = np.zeros_like(nodes), np.zeros(len(nodes))
        going = np.arange(len(nodes))
        for number in range(1, MOST_STEP_TOKENS + 1):
            drawn, nats = self._draw(nodes[going])
            nodes[going] = p.children(nodes[going], drawn)
            tokens[going] += 1
            log_probs[going] += nats
            going = going[~p.ends_step(nodes[going])]
            cut = going if number == MOST_STEP_TOKENS else going[p.depth[nodes[going]] >= p.deepest]
            p.cut(nodes[cut])
            going = going[~p.broken[nodes[going]]]
            if not len(going):
                break
        # A chain that fills all positions cannot go on.
        p.cut(nodes[(p.depth[nodes] >= p.deepest) & ~p.ended(nodes)])
        return Steps(nodes, tokens, log_probs / np.maximum(tokens, 1))

    def ended(self, nodes: Ints) -> Bools:
        """Whether a chain has ended."""
        return self._prefixes.ended(nodes)

    def answers(self, nodes: Ints) -> Ints:
        """The last value of each chain that has ended."""
        return self._prefixes.answers(nodes)

    def _draw(self, nodes: Ints) -> tuple[Ints, Floats]:
        """Next tokens by inversion of their distribution functions, and their log-probabilities."""
        different, which = np.unique(nodes, return_inverse=True)
        logits = self._reader.outputs(different).astype(float) / self._temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        upto = odds.cumsum(axis=1) / odds.sum(axis=1, keepdims=True)
        upto[:, -1] = 1.0
        # One ascending list of all distribution functions, the i-th from i to i + 1.
        line = (np.arange(len(different))[:, None] + upto).ravel()
        numbers = which + self._generator.random(len(nodes))
        tokens = np.searchsorted(line, numbers, side="right") - which * odds.shape[1]
        tokens = np.minimum(tokens, odds.shape[1] - 1)  # a sum of i and a number near 1 may round up to i + 1
        return tokens, np.log(odds / odds.sum(axis=1, keepdims=True))[which, tokens]


class Scorer:
    """A trained verifier (`ggmi.search.policy.Verifier`).

    Parameters
    ----------
    reader
        Its outputs: one logit.
    prefixes
        What it reads.
    by_step
        Whether it is a process model: a prefix scores the product of its steps' probabilities. An outcome
        model's score is the probability at the last token alone.
    """

    def __init__(self, reader: Reader, prefixes: Prefixes, *, by_step: bool) -> None:
        self._reader, self._prefixes, self._by_step = reader, prefixes, by_step

    def score(self, nodes: Ints) -> Floats:
        """Probability that each prefix is right, shape as `nodes`; NaN for none (-1)."""
        found = np.full(nodes.shape, np.nan)
        there = nodes >= 0
        different, which = np.unique(nodes[there], return_inverse=True)
        if len(different):
            found[there] = np.exp(self._log_scores(different))[which]
        return found

    def _log_scores(self, nodes: Ints) -> Floats:
        log_scores = self._log_probability(nodes)
        if not self._by_step:
            return log_scores
        p = self._prefixes
        walker = p.parent[nodes]
        # At every end of a step above, up to the prompts.
        while (going := np.flatnonzero(p.depth[walker] > 0)).size:
            ends = going[p.ends_step(walker[going])]
            if len(ends):
                different, which = np.unique(walker[ends], return_inverse=True)
                log_scores[ends] += self._log_probability(different)[which]
            walker[going] = p.parent[walker[going]]
        return log_scores

    def _log_probability(self, nodes: Ints) -> Floats:
        return -np.logaddexp(0.0, -self._reader.outputs(nodes)[:, 0].astype(float))
