"""Languages of texts in prose, by py3langid's bytes of 139 languages; code, formulas and a few words have none."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Letters of words below which no language is told; in scripts without spaces they say more.
LEAST_LETTERS = 40
# Chinese characters from which on a text is prose.
LEAST_HAN = 15
# Share of a text's visible characters that stand in words, below which it is code or a formula.
PROSE = 0.6
# Probability of the likeliest language below which none is told.
SURE = 0.9
# Characters of a text that are looked at.
LOOKED_AT = 500

_APART = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\$[^$\n]*\$|\w+://\S+|<[^<>]*>", re.DOTALL)
_HAN, _KANA = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
# A word as prose sets it: nothing within it that code, numbers and formulas are made of.
_WORD = re.compile(
    r"(?<!\S)[\W_]*?([^\W\d_][^\s\d_.:;=+*/\\|^~@#$%&<>(){}\[\]`\"]*?)[.,;:!?…*)\]\"'”’»。，！？।]*(?!\S)"
)


def language(text: str) -> str | None:
    """The language that a text is written in, as a code of ISO 639; None where it does not tell.

    Parameters
    ----------
    text
        Anything.

    Examples
    --------
    >>> language("Die Antwort auf diese Frage ist nicht so einfach, wie man zuerst denkt.")
    'de'
    >>> language("for i in range(10): total += x[i] * y[i]") is None, language("Ja, gut.") is None
    (True, True)
    """
    text = _APART.sub(" ", text[:LOOKED_AT])
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    visible = len("".join(text.split()))
    if letters < PROSE * visible:
        return None
    written = "".join(words)
    # Of a few dozen characters the model is not sure, but kana tell Japanese, and Chinese has none.
    if len(_HAN.findall(written)) >= max(LEAST_HAN, letters / 2) and not _KANA.search(written):
        return "zh"
    if letters < LEAST_LETTERS:
        return None
    found, probability = _identifier().classify(" ".join(words))
    return str(found) if probability >= SURE else None


@cache
def _identifier() -> LanguageIdentifier:
    """The model that comes with the library, with probabilities; loading it takes half a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_name(code: str) -> str:
    """English name of a language.

    Parameters
    ----------
    code
        Of ISO 639.

    Examples
    --------
    >>> language_name("de"), language_name("qq")
    ('German', 'language qq')
    """
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    return LANGUAGES[code].title() if code in LANGUAGES else f"language {code}"
