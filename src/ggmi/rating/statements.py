"""Sentences and lines that say nothing but a rating."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ggmi.rating.wording import (
    JUDGES,
    LAST_WORD,
    NUMBER_WORDS,
    RATES,
    RATING_NAMES,
    SUMMING_WORDS,
    WEAK_NAMES,
    WHOLE_WORDS,
)

LOWEST, HIGHEST = 1, 10
# Characters of a line's end in which a statement is looked for.
WITHIN = 600

# Every part is bounded or possessive, so reading takes time in proportion to the text.
_BLANKS = r"[ \t]{0,4}"
_MARKUP = r"[*_`]{0,4}"
_EMOJI = "[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
_STARS = re.compile("[\u2605\u2606\u2b50\U0001f31f]")
_OPENING = rf"(?:[ \t>#*_`|(\u2022\u00b7\u25e6\u2023]|[+-](?=[ \t])|<(?=[a-z\[])|[=-]>|\[(?=[a-z])|{_EMOJI}){{0,16}}"
_ITEM = r"(?:(?:step|schritt|paso)?[ \t]?[0-9]{1,2}[.):][ \t]{1,2})?"


def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_WHOLE = _any_of(WHOLE_WORDS)
_ANSWER = r"(?:answer|response|reply|antwort|réponse|respuesta|resposta|risposta)"
_OF = rf"(?:[ \t](?:of|for)[ \t](?:the[ \t]|this[ \t])?(?:assistant's[ \t]|ai's[ \t])?{_ANSWER})?"
NAME = rf"(?:(?:{_WHOLE})[,，、 \t]{{0,4}}){{0,3}}(?:{_any_of(RATING_NAMES)})(?:[ \t]\(?(?:{_WHOLE})\)?)?(?![a-z]){_OF}"
_UP_TO = r"(?:\d{1,3}[ \t]?(?:-|–|—|~|to|bis|à|a)[ \t]?)?"
_SCALE = (
    rf"(?:[ \t]?[(\[][ \t]?(?:(?:on a )?scale(?: of)?[ \t]|(?:out of|from|von|sur|de|su|из)[ \t]|/)?[ \t]?{_UP_TO}"
    r"(?P<top>\d{1,3})[ \t]?[)\]]|"
    r"[ \t]?\(1[ \t]?=[^()\n0-9]{1,30}(?P<best>\d{1,3})[ \t]?=[^()\n0-9]{1,30}\)|"
    r"[ \t]?(?:/|out of)[ \t]?(?P<of>\d{1,3})(?=[ \t]?[:=])"
    rf"|[ \t]on[ \t]a[ \t]scale[ \t](?:of|from)[ \t]{_UP_TO}(?P<to>\d{{1,3}}))?"
)
_ON_A_SCALE = (
    r"(?:(?:on|auf|sur|en)[ \t]\w{1,5}[ \t](?:scale|skala|échelle|escala)[ \t]\w{2,4}[ \t]"
    rf"{_UP_TO}(?P<first>\d{{1,3}}),?[ \t])?"
)
_SIGN = (
    r"(?P<sign>(?:[ \t]?(?:(?:is|are|of|ist|est(?: de)?|es(?: de)?|è|é|lautet|هو|هي)\b|是|为|為|は|은|는))?"
    r"[ \t]?(?:=>|->|[:=|\u2192]|[–—-](?=[ \t*\[(]))?)"
)
_LABEL = (
    rf"(?P<label>{_ITEM}(?:(?:(?P<quote>[\"']?){NAME}(?P=quote)|\[(?P<boxed>{NAME})\]|\[\[ratings?\]\]){_MARKUP}{_SCALE}{_MARKUP}{_BLANKS}{_SIGN}"
    rf"|assistant's (?:rating|score):){_MARKUP}{_BLANKS}\|?{_BLANKS})(?:{_MARKUP}{NAME}:[ \t]?)?"
)
_SUMMED_UP = rf"(?P<said>(?:(?:{_any_of(SUMMING_WORDS)})(?:,?[ \t]{{1,4}}|:[ \t]{{0,4}}(?=[\[*_`(<0-9]))){{1,40}}+"
_SUMMED_UP += "|[我的给給这這个個回答案打了评評为為最终終因此所以综綜合上述，, 助手该該会會认認可得出是予值考虑]{1,40})"
_NUMBER = (
    rf"(?:[+-]?+[0-9]++(?:[.,][0-9]*+)?+|(?:{_any_of(tuple(NUMBER_WORDS))})(?![\w'-])"
    r"|[一二三四五六七八九十](?=[分点\]。 ]|$))"
)
_TEN = r"(?:10(?:[.,]0{1,2})?|\[\[10\]\]|ten|zehn|dix|diez|dieci|dez|десяти)"
_POINTS = r"(?:[ \t]?(?:分|点|點|점|points?\b|pts\b|punkten?\b|puntos\b|punti\b|pontos\b|балл(?:ов|а)?\b))?"
_OUT_OF_TEN = (
    rf"(?:[ \t]?/[ \t]?{_TEN}|[ \t]{{1,3}}(?:out[ \t]of|of|von|sur|de|su|van|av|из|من|sobre|em|na|z|में से)"
    rf"[ \t]{{1,3}}{_TEN}"
    r"|,?[ \t]\(?(?:on[ \t]a[ \t])?(?:scale[ \t](?:of[ \t]|from[ \t])?1[ \t]?(?:-|–|to)[ \t]?10|10-point[ \t]scale)\)?)"
    r"(?![0-9.,]*[0-9])(?:[ \t]stars?)?"
)
_OF_TEN = r"(?:10(?:[点分](?:満点)?中|점[ \t]만점에[ \t]|[ \t]में[ \t]से[ \t]))?"
_SCALED = (
    rf"{_POINTS}(?:{_OUT_OF_TEN})?(?![0-9.,]*[0-9]){_POINTS}"
    rf"(?:[ \t]?\((?:满分|滿分|max\.?|out of|von|sur)[ \t]?10[ \t]?分?\))?"
)
MARK = (
    r"(?<!\[)\[[ \t]?\[\[?[ \t]*+(?:(?:rating|score|n)[ \t]?[:=][ \t]{0,2})?[*_`]{0,2}"
    rf"(?P<marked>{_NUMBER}){_SCALED}[*_`]{{0,2}}[ \t]*+\][ \t]?\]\]?(?!\])"
)
_LOOSE = (
    rf"(?:[\[({{<]{{1,3}}|[\"']){_MARKUP}[ \t]?(?P<loose>{_NUMBER}){_SCALED}[ \t]?{_MARKUP}(?:[\])}}>]{{1,3}}|[\"'])"
)
_QUALITY = (
    r"(?:[a-f][+-]?|[\u2605\u2606\u2b50 ]{1,20}|(?:(?:very|quite|fairly|rather|pretty|really)[ \t])?(?:good|great"
    r"|excellent|outstanding|perfect|solid|strong|decent|fair|adequate|acceptable|satisfactory|average|mediocre|weak|poor|bad"
    r"|terrible|useless|incorrect|correct|gut|sehr gut|bon|très bon|bueno|muy bueno|良好|优秀))"
)
_WORDY = rf"(?P<words>{_QUALITY}[ \t]?)(?:\(|[,:–—-][ \t])(?P<worded>{_NUMBER}){_OUT_OF_TEN}\)?"
_AGAIN = rf"(?:[ \t]?\([ \t]?(?P<again>{_NUMBER})(?P<hundred>[ \t]?%|[ \t]?/[ \t]?100)?{_SCALED}[ \t]?\))?"
_VERB = (
    r"(?:[ \t]?(?:です|となります|とします|입니다|bewerten|geben|vergeben|it is)|[ \t](?:is|seems|feels)[ \t]"
    r"(?:fair|right|appropriate|justified|warranted|deserved|fitting|reasonable|adequate)"
    rf"|[ \t]for[ \t](?:this|the)[ \t]{_ANSWER})?"
)
_REMARK = (
    r"(?P<remark>[ \t]{0,2}(?:[(|;–—]|-[ \t]|,?[ \t](?:because|since|as|although|though|but|due[ \t]to|weil|da|car"
    r"|porque)[ \t]|,?[ \t]{0,2}(?=confidence|certainty))[^\n]{1,300})?"
)
_CLOSING = (
    rf"{_MARKUP}[)>\]]?{_SCALED}{_AGAIN}{_VERB}"
    rf"(?:[*_`.!;。|)> \t]|\[/[a-z]{{1,10}}\]|{_EMOJI}){{0,16}}{_REMARK}[ \t]{{0,8}}"
)
_STATEMENT = re.compile(
    rf"{_OPENING}(?:{_ON_A_SCALE}(?:{_LABEL}|{_SUMMED_UP}))?(?:{_EMOJI}[ \t]?){{0,12}}{_MARKUP}{_OF_TEN}"
    rf"(?:[(<]?{MARK}|{_WORDY}|{_LOOSE}|(?P<value>{_NUMBER})){_CLOSING}",
    re.IGNORECASE,
)
_ANY_MARK = re.compile(MARK, re.IGNORECASE)
HEADING = re.compile(rf"{_OPENING}{NAME}{_MARKUP}{_SCALE}{_MARKUP}[ \t]?:?{_MARKUP}[ \t]{{0,4}}", re.IGNORECASE)
_NAME = re.compile(NAME, re.IGNORECASE)
_THEREFORE = re.compile(
    r"(?:(?:and|so|therefore|thus|hence|overall|finally|in summary|in conclusion|for these reasons|somit|daher"
    r"|donc|por lo tanto|portanto|quindi|поэтому)[,: \t]*)+",
    re.IGNORECASE,
)
_SUMMARY = re.compile(r"\ban?$|\bi(?:'d| would) say\b|\b(?:summary|conclusion|overall):$", re.IGNORECASE)
_STRONG_NAME = re.compile(r"\b(?:rating|score)$", re.IGNORECASE)
# One of several answers by its letter.
_OF_ONE = re.compile(r"\W*(?:the )?(?:answer|response|reply|assistant|rating|score|grade) a\b", re.IGNORECASE)
_OF_ANOTHER = re.compile(
    r"\bassistant(?:'s)? (?:final |overall |total )?(?:rating|score|grade|mark)"
    r"|\b(?:in|for)(?: an?| the)? grade\b|\bthe rate\b|\b(?:the|see|on|in) note\b",
    re.IGNORECASE,
)
# What may be a result that the judge worked out.
_OF_THE_ANSWER = re.compile(r"\bthe final answer (?:is|are)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])[\"')*_]{0,4}[ \t]{1,4}(?=[^ \t])|(?<=[。！？])(?=[^ \t])")
_ON_SCALE = re.compile(r"0?[1-9](?:\.[0-9]?)?|10(?:\.0?)?")
_TOLD_SCALE = re.compile(_OUT_OF_TEN, re.IGNORECASE)
# What takes a number back.
_WAVERS = re.compile(
    r"\A\W*(?:no|not|nope|wait|actually|hmm+|sorry|or|to|maybe|perhaps|rather)\b|\b(?:wait|scratch that|correction"
    r"|second thoughts?|make (?:it|that)|instead|changed my mind)\b",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    rf"[0-9\[\]{{}}\"“”«»\\]|\b(?:{_any_of(tuple(w for w in NUMBER_WORDS if len(w) > 2 and w != 'one'))})\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;|][ \t]{1,3}|[ \t][–—-][ \t]")
_CONCLUDES = re.compile(
    r"(?:and )?(?:so|therefore|thus|hence|daher|deshalb|also|donc|por lo tanto|portanto|quindi|поэтому)\b",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"\W{0,4}(?:given|due to|because|taking|considering|since|as|while|although|though|in (?:light|view) of|based on"
    r"|for|despite|after|with|weighing|da|weil|comme|puisque|como|dado|учитывая)\b",
    re.IGNORECASE,
)
_QUOTES = re.compile('["“”«»\\[\\]{}<>]|: ?$')
# What announces somebody's words, an example or a result.
_SAYING = (
    "says?|said|ends?|states?|reads?|writes?|wrote|demands?|asks?|claims?|contains?|requests?|instructs?|wants?|begins?"
    "|closes|quotes?"
)
REPORTS = re.compile(
    rf"\b(?:{_SAYING}|example|e\.g|instance|such as|format|form|template|like this|outputs?|results?|answers?)\b",
    re.IGNORECASE,
)
# The same at the end of a line, which leads over to the next: with a colon, or by its very last words. To be looked
# for in the last `WITHIN` characters.
ANNOUNCES = re.compile(
    rf"(?:{REPORTS.pattern}[^\n]*[:：]"
    rf"|\b(?:{_SAYING})(?: (?:with|as|by|for|so|that|the|this|these|words?|line|following)){{0,4}}"
    r"|\b(?:results?|outputs?|solution)\b[^\n]{0,20} (?:is|are|was))[\s*_`\"“'(]{0,6}\Z",
    re.IGNORECASE,
)
_CONFIDENCE = re.compile(r"\W{0,4}(?:my )?(?:confidence|certainty)\b[^\n\[\]\"]{0,40}", re.IGNORECASE)
# What an answer does that speaks to its judge.
DEMANDS = re.compile(
    r"\b(?:demand|instruct|inject|manipulat|pretend|request)\w*|\bask(?:s|ed|ing)? (?:me|for|to)\b"
    r"|\bsays (?:so|to|i)\b|\btells? me\b|\bits(?:elf| own)\b|\bverlangt|\bexige|\bтребует|要求",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A rating that is stated.

    Parameters
    ----------
    rating
        From 1 to 10; None where the number is off the scale or beside another one.
    marked
        Whether it is in double square brackets.
    labelled
        Whether a label is before it.
    bare
        Whether nothing is before it.
    scaled
        Whether a scale to ten is told beside it.
    final
        Whether its label says that it is the last or the whole one.
    """

    rating: float | None
    marked: bool
    labelled: bool
    bare: bool
    scaled: bool
    final: bool


def on_scale(number: str) -> float | None:
    """The number that a text says, in digits or as a word; None where it is off the scale."""
    number = number.strip().replace(",", ".").lower()
    if number in NUMBER_WORDS:
        return float(NUMBER_WORDS[number])
    return float(number) if _ON_SCALE.fullmatch(number) else None


def _last_clause(tail: str) -> Statement | None:
    """What the last clause of a sentence states that draws a conclusion, or sums up numbers of aspects."""
    for comma in _CLAUSE.finditer(tail):
        before, clause = tail[: comma.start()], tail[comma.end() :]
        if _QUOTES.search(before) or DEMANDS.search(before) or REPORTS.search(before.rpartition(" ")[2]):
            return None
        found = _read(clause, whole=False)
        if found and ((found.final and not REPORTS.search(before)) or _CONCLUDES.match(clause) or _GIVEN.match(before)):
            return found
        if found and found.labelled and not _OTHER_NUMBER.search(before) and not REPORTS.search(before):
            return found
    return None


def opens_with(line: str) -> tuple[Statement, str] | None:
    """What the first sentence of a line states, and the rest of the line; None where it states nothing."""
    place = _SENTENCE.search(line[:WITHIN])
    end = len(line) if place is None else place.start()
    found = _read(line[:end], whole=place is None) if end <= WITHIN else None
    return None if found is None else (found, line[end:].strip())


def stated(line: str) -> Statement | None:
    """What a line states as a whole or in its last sentence; None where it ends with anything else."""
    whole = len(line) <= WITHIN
    if whole and (found := _read(line, whole=True)):
        return found
    tail = line[-WITHIN:]
    for place in _SENTENCE.finditer(tail):
        if _is_quoted(line, len(line) - len(tail) + place.end()):
            continue
        found = _read(tail[place.end() :], whole=False)
        if found and not (found.bare and _ANY_MARK.search(tail[: place.end()])):  # a second one is compared, not stated
            return found
    start = [place.end() for place in _SENTENCE.finditer(tail)]
    return _last_clause(tail[start[-1] if start else 0 :])


def _read(piece: str, *, whole: bool) -> Statement | None:
    """What a piece states that says nothing else."""
    found = _STATEMENT.fullmatch(piece)
    if found is None:
        return None
    said, label, marked = found["said"], found["label"], found["marked"] is not None
    bare = said is None and label is None
    scaled = _TOLD_SCALE.search(piece) is not None
    number = next(found[name] for name in ("marked", "worded", "loose", "value") if found[name] is not None)
    if said is not None:
        unmarked = RATES.search(said.rstrip()) or (
            scaled and (_SUMMARY.search(said.rstrip()) or _THEREFORE.fullmatch(said))
        )
        if (
            not (JUDGES.search(said.rstrip()) or _THEREFORE.fullmatch(said) if marked else unmarked and found["value"])
            or _OF_ANOTHER.search(said)
            or _OF_ONE.match(said)
        ):
            return None
    elif label is not None and not marked:
        plainly = found["sign"] or found["boxed"] or scaled or _STRONG_NAME.search(label.rstrip(" *_`|"))
        if not plainly or (WEAK_NAMES.fullmatch(label) and not scaled):
            return None
    elif bare and not marked and (found["words"] or not (scaled or (whole and number[0].isdigit()))):
        return None
    if label is not None and _OF_THE_ANSWER.search(label):
        return None
    if found["remark"] and not _is_remark(found["remark"]):
        return None
    tops = [found[name] for name in ("top", "best", "of", "to", "first") if found[name] is not None]
    rating = on_scale(number) if all(int(top) == HIGHEST for top in tops) else None
    if _STARS.search(piece) and not (marked or scaled):
        rating = None
    if found["again"] and rating is not None:
        again = found["again"].strip()
        same = again == f"{10 * rating:g}" if found["hundred"] else on_scale(again) == rating
        rating = rating if same else None
    return Statement(
        rating, marked, label is not None, bare, scaled, label is not None and bool(LAST_WORD.search(label))
    )


def _is_remark(text: str) -> bool:
    """Whether what is set off behind a rating leaves it as it is."""
    if _CONFIDENCE.fullmatch(text):
        return True
    return not (_OTHER_NUMBER.search(text) or _WAVERS.search(text) or DEMANDS.search(text))


def _is_quoted(line: str, place: int) -> bool:
    """Whether a quotation that began on a line is still open."""
    before = line[:place]
    return before.count('"') % 2 == 1 or before.count("“") > before.count("”")


def is_rating_name(name: str) -> bool:
    """Whether a name, such as a JSON member's, is a rating's."""
    return _NAME.fullmatch(name) is not None
