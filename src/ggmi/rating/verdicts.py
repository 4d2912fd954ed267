"""The rating taken out of what a judge wrote: strictly, in one pass, every failure with its reason.

The rule. A *mark* is a number in two square brackets a side, ``[[7]]``. A mark is *stated* where
it stands for itself: on a line or as a sentence of its own, after nothing but a label ("Rating:",
"Bewertung:", "My overall rating is", "I would give it a") or a sentence of the few words with which
a judge sums up, and before nothing but a full stop, markdown, "/10" or the end of a wrapper. The
rating is the stated mark that ends the verdict, from 1 to 10, whole or with one decimal. Other
marks, such as those of an answer that the judge quotes or of single aspects, do not count; but if
another stated mark differs, the judge has said two things, and nothing is taken. A verdict without
any mark whose last line is a label and a number says its rating, too.

So a verdict never becomes a rating by what it quotes, except where its very last words are a
quoted sentence of that form: a sentence that reports what somebody says, asks or demands has other
words than these. What the rule refuses is asked again and then missing. Thoughts
(`ggmi.text.thinking`) are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ggmi.text.thinking import Marks

LOWEST, HIGHEST = 1, 10

EMPTY = "empty"
NO_RATING = "no_rating"
NOT_LAST = "not_last"
OFF_SCALE = "off_scale"
CONFLICT = "conflict"
NO_VERDICT = "no_verdict"
THINKING_CUT = "thinking_cut"
REASONS = {
    EMPTY: "the verdict holds nothing but spaces",
    NO_RATING: "the verdict holds no number in double square brackets",
    NOT_LAST: "the verdict does not end with a rating that stands for itself",
    OFF_SCALE: "the rating is not 1 to 10 with one decimal at most",
    CONFLICT: "the verdict states two different ratings",
    NO_VERDICT: "the judge was asked and gave no answer",
    THINKING_CUT: "the verdict ends while the judge is still thinking",
}

# What ratings are called, by language; a label that is none of these may be of a single aspect.
_RATING_WORDS = (
    *("rating", "ratings", "score", "scores", "verdict", "grade", "overall", "final answer"),
    *("bewertung", "gesamtbewertung", "wertung", "punktzahl", "note", "gesamtnote", "beoordeling", "cijfer"),
    *("calificación", "calificacion", "puntuación", "puntuacion", "valoración", "puntaje", "nota", "note finale"),
    *("évaluation", "evaluation", "notation", "valutazione", "voto", "punteggio", "avaliação", "pontuação"),
    *("classificação", "betyg", "bedömning", "poäng", "vurdering", "karakter", "arvosana", "arvio", "pisteet"),
    *("ocena", "ocjena", "hodnocení", "hodnotenie", "známka", "értékelés", "pontszám", "evaluare", "punctaj"),
    *("değerlendirme", "puan", "skor", "peringkat", "nilai", "penilaian", "đánh giá", "điểm", "điểm số"),
    *("оценка", "рейтинг", "балл", "оцінка", "βαθμολογία", "דירוג", "ציון", "التقييم", "تقييم", "الدرجة", "امتیاز"),
    *("रेटिंग", "अंक", "স্কোর", "คะแนน", "评分", "評分", "评价", "評價", "評価", "评级", "得分", "分数", "分數", "打分"),
    *("評点", "点数", "スコア", "평가", "점수", "평점"),
)  # fmt: skip
# The words with which a judge sums up; none of them reports what somebody else says, asks or demands.
_SUMMING_WORDS = (  # noqa: SIM905 - words are read better whole
    "a an the this that it is are and but so then therefore thus hence overall finally in summary conclusion "
    "on with for of as at to i i'd would will my rate give score assign deserves gets receives earns merits "
    "warrants scores given rating grade mark final total based above these points reasons all considerations "
    "analysis considering everything assistant's assistant ai's answer response reply correct incorrect right "
    "wrong good poor bad fair accurate inaccurate complete incomplete partially mostly fully largely very "
    "quite rather only clear unclear helpful unhelpful relevant irrelevant brief short concise detailed "
    "thorough excellent fine solid adequate acceptable decent mediocre weak strong useful useless factual "
    "coherent well written vague too"
).split()
# Full-width signs, as written beside Chinese and Japanese.
_WIDE = str.maketrans("［］：／（）｜０１２３４５６７８９", "[]:/()|0123456789")
# Every part is bounded or possessive, so reading takes time in proportion to the text.
_BLANKS = r"[ \t]{0,4}"
_MARKUP = r"[*_`]{0,4}"
_TAG = r"(?:answer|output|response|rating|verdict|score|result|final|evaluation)"
_OPENING = rf"^[ \t]{{0,8}}(?:<{_TAG}>)?[ \t>#*_`|(<-]{{0,16}}"
# What may stand beside such a word and makes it no rating of a single aspect.
_WHOLE = (
    *("my", "the", "final", "finale", "overall", "total", "totale", "global", "globale", "générale", "general"),
    *("geral", "generale", "complessivo", "complessiva", "meine", "endgültige", "abschließende", "algemene", "slutlig"),
    *("końcowa", "ostateczna", "celkové", "итоговая", "итоговый", "общая", "общий", "підсумкова", "τελική", "akhir"),
    *("النهائي", "نهایی", "अंतिम", "最终", "最終", "总体", "总", "總", "綜合", "総合", "综合", "최종", "종합", "총"),
    *("因此", "所以", "我的", "私の", "моя", "мой"),
)  # fmt: skip
_WHOLE_WORD = "|".join(sorted(_WHOLE, key=len, reverse=True))
_BEFORE_LABEL = rf"(?:(?:{_WHOLE_WORD})[ \t]{{0,4}}){{0,3}}"
_BEHIND_LABEL = rf"(?:[ \t](?:{_WHOLE_WORD}))?"
_OF = r"(?:[ \t](?:of|for)[ \t](?:the[ \t])?(?:assistant's[ \t]|ai's[ \t])?(?:answer|response|reply))?"
_SCALE = r"(?:[ \t]?\([ \t]?(?:\d{1,2}[ \t]?(?:-|–|to|bis|a)|out of|von|sur|de|/)[ \t]?\d{1,2}[ \t]?\))?"
_SIGN = r"(?:[:=|–—-]|(?:is|of|ist|est|es|è|é)\b|是|为|為|は)?"
_NAME = (
    rf"{_BEFORE_LABEL}(?:{'|'.join(sorted(_RATING_WORDS, key=len, reverse=True))}){_BEHIND_LABEL}(?![a-z]){_OF}{_SCALE}"
)
_LABEL = rf"(?:{_NAME}{_MARKUP}{_BLANKS}{_SIGN}|assistant's (?:rating|score):){_MARKUP}{_BLANKS}\|?{_BLANKS}"
_SUMMING = "|".join(sorted(_SUMMING_WORDS, key=len, reverse=True))
_SUMMED_UP = rf"(?P<said>(?:(?:{_SUMMING})(?:,?[ \t]{{1,4}}|:[ \t]{{0,4}}(?=[\[*_`(<]))){{1,40}}+)"
_NUMBER = r"[+-]?+[0-9]++(?:[.,][0-9]*+)?+"
_SCALED = (
    r"(?:[ \t]?/[ \t]?10|[ \t]{1,2}(?:out[ \t]of|von|sur|de|su|van|av|из)[ \t]10)?(?![0-9.,]*[0-9])"
    r"(?:[ \t]?(?:分|点|點|점|points?\b))?"
)
_IN_MARK = rf"[ \t]*+(?:(?:rating|score|n)[ \t]?[:=][ \t]?)?[*_`]{{0,2}}({_NUMBER}){_SCALED}[*_`]{{0,2}}[ \t]*+"
_MARK = rf"(?<!\[)\[\[{_IN_MARK}\]\](?!\])"
_CLOSING = (
    rf"{_MARKUP}[)>]?{_SCALED}(?:[ \t]\([a-z ]{{1,30}}\))?[*_`.!。|)> \t\r]{{0,8}}(?:</{_TAG}>)?"
    r"(?:<(?:[|｜][^<>|｜\n]{1,40}[|｜]|/?s|eos|end_of_turn)>){0,4}[ \t\r]{0,8}$"
)
_FLAGS = re.IGNORECASE | re.MULTILINE
_ANY_MARK = re.compile(_MARK, _FLAGS)
_STATED = re.compile(
    rf"(?:{_OPENING}|(?P<amid>(?<=[.!?])[\"')*_]{{0,4}}[ \t]{{1,4}}{_MARKUP}))(?:{_LABEL}|{_SUMMED_UP})?{_MARKUP}[(<]?"
    rf"{_MARK}{_CLOSING}",
    _FLAGS,
)
# A label and a number on a line of their own, where there is no mark at all.
_UNMARKED = re.compile(
    rf"{_OPENING}(?:{_NAME}|\[\[ratings?\]\]){_MARKUP}{_BLANKS}[:=]{_MARKUP}{_BLANKS}({_NUMBER}){_CLOSING}", _FLAGS
)
_JUDGES = re.compile(
    r"\b(?:rate|give|scores?|assign|deserves|gets|receives|earns|merits|warrants|given|rating|grade|mark)\b",
    re.IGNORECASE,
)
_OF_ANOTHER = re.compile(r"\bassistant(?:'s)? (?:final |overall |total )?(?:rating|score|grade|mark)", re.I)
_ON_SCALE = re.compile(r"0?[1-9](?:\.[0-9]?)?|10(?:\.0?)?")
# A fence around nothing but the rating.
_FENCED = re.compile(r"^```[a-z]{0,12}[ \t]*\n([^\n]{1,200})\n[ \t]*```\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a verdict says.

    Parameters
    ----------
    rating
        From 1 to 10; None where there is none.
    reason
        Why there is none, one of `REASONS`; None where there is a rating.
    """

    rating: float | None
    reason: str | None


def read_verdict(text: str, marks: Marks | None = None) -> Reading:
    r"""Take the rating out of a verdict.

    Parameters
    ----------
    text
        What the judge wrote, whatever it is.
    marks
        The marks around thoughts, which are passed over.

    Returns
    -------
    Reading

    Examples
    --------
    >>> read_verdict("Right, but short.\nRating: [[7]]")
    Reading(rating=7.0, reason=None)
    >>> read_verdict('It demands "[[10]]" and answers nothing.\n[[1]]').rating
    1.0
    >>> read_verdict("Rating: 1. It demands a rating of [[10]]").reason
    'not_last'
    >>> read_verdict("[[11]]").reason
    'off_scale'
    """
    said = (marks or Marks()).spoken(text)
    if said is None:
        return Reading(None, THINKING_CUT)
    spoken = said.translate(_WIDE).replace("\\[", "[").replace("\\]", "]").rstrip()
    if fenced := _FENCED.search(spoken, max(0, len(spoken) - 240)):
        spoken = f"{spoken[: fenced.start()]}{fenced[1]}"
    if not spoken:
        return Reading(None, EMPTY)
    if not _ANY_MARK.search(spoken):
        unmarked = _UNMARKED.search(spoken, spoken.rfind("\n") + 1)
        return _on_scale(_value(unmarked[1])) if unmarked else Reading(None, NO_RATING)
    stated = set()
    last = None
    for found in _STATED.finditer(spoken):
        words = found["said"]
        if words is None or (_JUDGES.search(words) and not _OF_ANOTHER.search(words)):
            last = found
            stated.add(_value(found[found.lastindex or 0]))
    if last is None or last.end() < len(spoken) or (last["amid"] and _is_quoted(spoken, last.start())):
        return Reading(None, NOT_LAST)
    return Reading(None, CONFLICT) if len(stated) > 1 else _on_scale(stated.pop())


def _value(number: str) -> float | None:
    """The number of a mark; None where it is off the scale."""
    number = number.replace(",", ".")
    return float(number) if _ON_SCALE.fullmatch(number) else None


def _on_scale(rating: float | None) -> Reading:
    return Reading(None, OFF_SCALE) if rating is None else Reading(rating, None)


def _is_quoted(text: str, place: int) -> bool:
    """Whether a quotation that began on this line is still open."""
    before = text[text.rfind("\n", 0, place) + 1 : place + 1]
    return before.count('"') % 2 == 1 or before.count("“") > before.count("”")
