"""The world's language: letters, skills, records as JSON lines, and the tokenizer that reads them.

A record is one line of JSON, ``{"instruction": "<skill word>", "context": "<letters>", "response":
"<letters>"}``, whose response is the skill applied to the context. Eleven tokens make a record of three
letters: four fragments of JSON, the skill word and six letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.random import stream

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Ints = NDArray[np.int64]
Role = Literal["anchored", "unsampled", "irrelevant"]

OPENING = '{"instruction": "'
TO_CONTEXT = '", "context": "'
TO_RESPONSE = '", "response": "'
CLOSING = '"}\n'
MARKER = "more like these\n"
END, PAD, UNKNOWN = "<|end|>", "<|pad|>", "<|unknown|>"
# In the order of their token ids; letters and skill words follow.
FIXED_TOKENS = (END, PAD, UNKNOWN, OPENING, TO_CONTEXT, TO_RESPONSE, CLOSING, MARKER)
END_ID, PAD_ID, UNKNOWN_ID, OPENING_ID, TO_CONTEXT_ID, TO_RESPONSE_ID, CLOSING_ID, MARKER_ID = range(len(FIXED_TOKENS))

ALPHABET = "abcdefghij"
# Skill words share no letter with the alphabet, so that any sequence of tokens is read back as itself.
SYLLABLES = tuple(consonant + vowel for consonant in "klmnprstvwz" for vowel in "ouy")


@dataclass(frozen=True)
class Sizes:
    """How large a world is.

    Parameters
    ----------
    anchored
        K, target skills that anchors show.
    unsampled
        J, target skills that anchors never show.
    irrelevant
        L, skills outside the target task.
    letters
        Letters of the alphabet, 2 to 10.
    length
        Letters of a context, and of a response.

    Raises
    ------
    UserError
        If the world cannot be built in these sizes.
    """

    anchored: int = 6
    unsampled: int = 6
    irrelevant: int = 10
    letters: int = 10
    length: int = 3

    def __post_init__(self) -> None:
        limits = {
            "anchored": (4, 20),
            "unsampled": (1, 20),
            "irrelevant": (self.unsampled + 3, 40),
            "letters": (2, len(ALPHABET)),
            "length": (1, 4),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise UserError(f"world.{name} = {value} is outside {least} to {most}")
        if self.skills > self.possible_skills // 2:
            raise UserError(
                f"{self.skills} skills are wanted and {self.letters} letters in contexts of {self.length} "
                f"give only {self.possible_skills} different ones; use more letters or fewer skills"
            )

    @property
    def target(self) -> int:
        """K + J, skills of the target task D; they come first in every list of skills."""
        return self.anchored + self.unsampled

    @property
    def skills(self) -> int:
        """K + J + L, all skills."""
        return self.target + self.irrelevant

    @property
    def contexts(self) -> int:
        """Number of different contexts."""
        return self.letters**self.length

    @property
    def possible_skills(self) -> int:
        """Letter substitutions times permutations of the positions."""
        return int(np.prod(np.arange(1.0, self.letters + 1)) * np.prod(np.arange(1.0, self.length + 1)))

    @property
    def record_tokens(self) -> int:
        """Tokens of a record: four fragments, the skill word, context and response."""
        return 5 + 2 * self.length


@dataclass(frozen=True)
class Language:
    """Skills of one world and the records they make.

    Skills are numbered from 0: the K anchored, the J unsampled, the L irrelevant ones. Contexts are
    numbered as their letters read in base `letters`.

    Parameters
    ----------
    sizes
        The world's sizes.
    words
        The word that names each skill in a record's instruction.
    substitutions
        Letter each skill puts for each letter, shape (skills, letters).
    orders
        Position of the context that each position of the response is taken from, shape
        (skills, length).

    Examples
    --------
    >>> language = Language.draw(0)
    >>> record = language.records([0], [[0, 1, 2]])[0]
    >>> sorted(record), record["context"]
    (['context', 'instruction', 'response'], 'abc')
    >>> len(language.tokenizer()(language.text(record))["input_ids"])
    11
    """

    sizes: Sizes
    words: tuple[str, ...]
    substitutions: Ints
    orders: Ints

    @classmethod
    def draw(cls, seed: int, sizes: Sizes | None = None) -> Language:
        """Draw a world's skills: different maps, each under a word of its own.

        Parameters
        ----------
        seed
            The run's seed.
        sizes
            The world's sizes; the default is K = J = 6, L = 10, ten letters.
        """
        sizes = sizes or Sizes()
        generator = stream(seed, "embedded", "skills")
        pairs = generator.permutation(len(SYLLABLES) ** 2)[: sizes.skills]
        words = tuple(SYLLABLES[p // len(SYLLABLES)] + SYLLABLES[p % len(SYLLABLES)] for p in pairs)
        drawn: dict[tuple[int, ...], None] = {}
        while len(drawn) < sizes.skills:
            both = (*generator.permutation(sizes.letters), *generator.permutation(sizes.length))
            drawn[tuple(int(i) for i in both)] = None
        table = np.array(list(drawn), dtype=np.int64)
        return cls(sizes, words, table[:, : sizes.letters], table[:, sizes.letters :])

    def role(self, skill: int) -> Role:
        """Whether a skill is anchored, unsampled or irrelevant."""
        if skill < self.sizes.anchored:
            return "anchored"
        return "unsampled" if skill < self.sizes.target else "irrelevant"

    @cached_property
    def contexts(self) -> Ints:
        """All contexts as letter numbers, shape (contexts, length)."""
        return np.array(list(product(range(self.sizes.letters), repeat=self.sizes.length)), dtype=np.int64)

    def apply(self, skills: NDArray, contexts: NDArray) -> Ints:
        """Apply skills to contexts.

        Parameters
        ----------
        skills
            Shape (...).
        contexts
            Letter numbers, shape (..., length).

        Returns
        -------
        ndarray, shape (..., length)
            The responses' letter numbers.
        """
        skills = np.asarray(skills)
        moved = np.take_along_axis(np.asarray(contexts), self.orders[skills], axis=-1)
        return self.substitutions[skills[..., None], moved]

    def random_contexts(self, shape: tuple[int, ...], generator: np.random.Generator) -> Ints:
        """Contexts drawn uniformly, shape (*shape, length)."""
        return generator.integers(0, self.sizes.letters, size=(*shape, self.sizes.length))

    def records(self, skills: NDArray | list, contexts: NDArray | list) -> list[dict[str, str]]:
        """Records of n skills applied to n contexts, as dictionaries.

        Parameters
        ----------
        skills
            Shape (n,).
        contexts
            Shape (n, length).
        """
        skills, contexts = np.asarray(skills), np.asarray(contexts)
        return [
            {"instruction": self.words[s], "context": _letters(c), "response": _letters(r)}
            for s, c, r in zip(skills, contexts, self.apply(skills, contexts), strict=True)
        ]

    @staticmethod
    def text(record: dict[str, str]) -> str:
        """A record's line of JSON, with its line end."""
        return Language.question(record) + Language.answer(record)

    @staticmethod
    def question(record: dict[str, str]) -> str:
        """The part of a record's line that a student is given: up to the response's opening quote."""
        return OPENING + record["instruction"] + TO_CONTEXT + record["context"] + TO_RESPONSE

    @staticmethod
    def answer(record: dict[str, str]) -> str:
        """The part of a record's line that a student has to write."""
        return record["response"] + CLOSING

    @staticmethod
    def prompt(anchors: list[dict[str, str]]) -> str:
        """The text a generator continues: anchors, one record a line, and the marker line."""
        return "".join(map(Language.text, anchors)) + MARKER

    def skill_of(self, word: str) -> int | None:
        """The skill a word names, or None."""
        return self._skill_numbers.get(word)

    @cached_property
    def _skill_numbers(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @property
    def first_letter_id(self) -> int:
        """Token id of the first letter; the others follow."""
        return len(FIXED_TOKENS)

    @property
    def first_skill_id(self) -> int:
        """Token id of the first skill's word; the others follow."""
        return self.first_letter_id + self.sizes.letters

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens in the order of their ids."""
        return (*FIXED_TOKENS, *ALPHABET[: self.sizes.letters], *self.words)

    def record_ids(self, skills: NDArray, contexts: NDArray) -> Ints:
        """Token ids of records, as the tokenizer would give them.

        Parameters
        ----------
        skills
            Shape (...).
        contexts
            Shape (..., length).

        Returns
        -------
        ndarray, shape (..., record_tokens)
        """
        skills = np.asarray(skills)
        length = self.sizes.length
        ids = np.empty((*skills.shape, self.sizes.record_tokens), dtype=np.int64)
        ids[..., 0] = OPENING_ID
        ids[..., 1] = self.first_skill_id + skills
        ids[..., 2] = TO_CONTEXT_ID
        ids[..., 3 : 3 + length] = self.first_letter_id + np.asarray(contexts)
        ids[..., 3 + length] = TO_RESPONSE_ID
        ids[..., 4 + length : -1] = self.first_letter_id + self.apply(skills, contexts)
        ids[..., -1] = CLOSING_ID
        return ids

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The language's tokenizer, in Hugging Face's form.

        Every text of the language is read back exactly, and every sequence of tokens a model may
        write is decoded to the text they spell and encoded to the same tokens again; characters
        outside the language become one unknown token each run of them.
        """
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        vocabulary = self.vocabulary
        spelled = [t for t in vocabulary if t not in (END, PAD, UNKNOWN)]
        core = Tokenizer(models.WordLevel({t: i for i, t in enumerate(vocabulary)}, unk_token=UNKNOWN))
        pattern = "|".join(t.replace("{", r"\{").replace("}", r"\}") for t in spelled)
        core.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
        core.decoder = decoders.Fuse()
        return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=core,
            eos_token=END,
            pad_token=PAD,
            unk_token=UNKNOWN,
            clean_up_tokenization_spaces=False,
            padding_side="left",
        )


def _letters(numbers: NDArray) -> str:
    return "".join(ALPHABET[n] for n in numbers)
