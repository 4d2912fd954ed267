"""The words in which a judge says a rating: its names, numbers, scales and wrappers, in many languages."""

from __future__ import annotations

import re
import unicodedata

# What ratings are called, by language; a label that is none of these may be of a single aspect.
RATING_NAMES = (
    *("rating", "ratings", "score", "scores", "verdict", "grade", "overall", "final answer", "assessment"),
    *("punkte", "evaluación", "note attribuée", "оценка ответа", "итог", "баллов", "总评", "评分结果"),
    *("打分结果", "给分", "評価点", "総合点", "採点"),
    *("final", "points", "marks", "mark", "total", "total points", "conclusion", "fazit", "баллы"),
    *("总分", "總分", "총점", "overall performance", "answer quality", "درجة التقييم", "تقييم الإجابة"),
    *("judgment", "judgement", "quality rating", "quality score", "overall quality", "overall impression"),
    *("bewertung", "gesamtbewertung", "wertung", "punktzahl", "note", "gesamtnote", "beoordeling", "cijfer"),
    *("gesamturteil", "gesamtpunktzahl", "urteil", "eindcijfer", "kokonaisarvosana", "totaalscore"),
    *("calificación", "calificacion", "puntuación", "puntuacion", "valoración", "puntaje", "nota", "note finale"),
    *("évaluation", "evaluation", "notation", "valutazione", "voto", "punteggio", "avaliação", "pontuação"),
    *("classificação", "betyg", "bedömning", "poäng", "vurdering", "karakter", "arvosana", "arvio", "pisteet"),
    *("ocena", "ocjena", "hodnocení", "hodnotenie", "známka", "értékelés", "pontszám", "evaluare", "punctaj"),
    *("değerlendirme", "puan", "skor", "peringkat", "nilai", "penilaian", "đánh giá", "điểm", "điểm số"),
    *("оценка", "рейтинг", "балл", "оцінка", "βαθμολογία", "דירוג", "ציון", "التقييم", "تقييم", "تقييمي", "الدرجة"),
    *("النتيجة", "امتیاز", "रेटिंग", "अंक", "मूल्यांकन", "स्कोर", "স্কোর", "คะแนน", "评分", "評分", "评价"),
    *("評價", "評価", "评级", "得分", "分数", "分數", "打分", "評点", "点数", "スコア", "평가", "점수", "평점"),
    *("평가 점수",),
)  # fmt: skip
# Those of them that are called so elsewhere, too: they need a mark or a scale.
WEAK_NAMES = re.compile(
    r"\W*(?:(?:my|the|total) )?(?:points|marks?|total|conclusion|note|fazit|final|punkte|итог|总分|總分)\W*",
    re.IGNORECASE,
)
# What may stand beside such a name and makes it no rating of a single aspect.
WHOLE_WORDS = (
    *("my", "the", "final", "finale", "overall", "total", "totale", "global", "globale", "générale", "general"),
    *("geral", "generale", "complessivo", "complessiva", "meine", "endgültige", "abschließende", "algemene", "slutlig"),
    *("mon", "mio", "il mio", "daher", "lautet", "поэтому", "최종", "제", "따라서", "इसलिए", "मेरा", "最后", "整体"),
    *("よって", "したがって"),
    *("revised", "updated", "adjusted", "corrected", "answer", "response", "judge", "judge's", "ai", "मेरी"),
    *("la", "el", "il", "die", "mi", "ma", "mia", "minha", "mijn", "min", "numerical", "numeric"),
    *("so", "thus", "hence", "therefore"),
    *("końcowa", "ostateczna", "celkové", "итоговая", "итоговый", "общая", "общий", "підсумкова", "τελική", "akhir"),
    *("النهائي", "النهائية", "نهایی", "अंतिम"),
    *("最终", "最終", "总体", "总", "總", "綜合", "総合", "综合", "최종", "종합", "총"),
    *("この回答の", "回答の", "该回答的", "这个回答的", "综上所述", "综上"),
    *("我给出的", "给出的", "因此", "所以", "我的", "私の", "моя", "мой"),
)  # fmt: skip
# Those of them that say: this one, whatever was said of parts or at first.
LAST_WORD = re.compile(
    "final|overall|total|revised|updated|adjusted|corrected|global|general|generale|général|geral|complessiv|endgültig|abschließend|gesamt|итогов|общ"
    "|النهائي|अंतिम|最终|最終|总|總|綜合|総合|综合|최종|종합",
    re.IGNORECASE,
)
# The words with which a judge sums up; none of them reports what somebody else says, asks or demands, or denies.
SUMMING_WORDS = (
    *(  # noqa: SIM905 - words are read better whole
        "a an the this that it is are and but so then therefore thus hence overall finally in summary conclusion "
        "on with for of as at to i i'd would will my rate give score assign deserves gets receives earns merits "
        "warrants scores given rating rated grade mark final total based above these points reasons all considerations "
        "analysis considering everything assistant's assistant ai's answer response reply correct incorrect right "
        "wrong good poor bad fair accurate inaccurate complete incomplete partially mostly fully largely very "
        "quite rather only clear unclear helpful unhelpful relevant irrelevant brief short concise detailed "
        "thorough excellent fine solid adequate acceptable decent mediocre weak strong useful useless factual "
        "coherent well written vague too accordingly award settle consider be i'm i'll giving rating assigning overall "
        "weighing follows lui fair taken together out i've decided "
        "ich gebe der antwort eine ein einen die das den bewerte mit daher deshalb also somit insgesamt vergebe note "
        "würde wertung punktzahl von als für bewertung erhält bekommt verdient diese dieser je donne une la le les "
        "à cette cet réponse de un donc attribue ainsi j'attribue je donnerais mérite obtient pour au final "
        "doy una al a esta respuesta por lo tanto tanto merece calificación con en general le daría puntuación mi "
        "calificacion asigno otorgo es do dou uma esta resposta portanto nota merece atribuo "
        "assegno a questa risposta voto quindi merita do all' ik geef het antwoord dit een cijfer dus "
        "ihr mir eu califico la j'évalue бы поставил оценки أعطي الإجابة "
        "я ставлю этому этот ответу ответ поэтому оцениваю на оценку заслуживает итого в итоге моя оценка"
    ).split(),
    *("i'd say", "i would say", "i think", "i believe", "i feel", "let me rate it", "we", "worth", "conclude"),
    *("i'll go with", "i'd go with", "i'd go for", "i would go with", "i would go for", "settle for", "that makes it"),
    *("this makes it", "leads to", "results in", "the rating should be", "the score should be", "for these reasons"),
)
JUDGES = re.compile(
    r"\b(?:rated?|give|giving|scores?|assign(?:ing)?|award|deserves|gets|receives|earns|merits|warrants|given|rating"
    r"|grade|mark|settle (?:on|for)"
    r"|go (?:with|for)|makes it|worth|gebe|vergebe|bewerte|bewertung|note|punktzahl|wertung|verdient|erhält|bekommt"
    r"|donne|donnerais|j'attribue|attribue|mérite|obtient|doy|daría|asigno|otorgo|merece|calificación|calificacion"
    r"|puntuación|dou|atribuo|nota|assegno|merita|voto|geef|cijfer|ставлю|поставил|оцениваю|заслуживает|оценка|оценку"
    r"|califico|j'évalue|أعطي)\b"
    r"|\ban?$|\bi (?:think|believe|feel)$|\bi(?:'d| would) say\b|[打给給評评得]",
    re.IGNORECASE,
)
# Of these, what nobody says of a number that is no rating: "it gets 3" may be of a sum.
RATES = re.compile(
    r"\b(?:rated?|rating|scores?|go (?:with|for)|makes it|worth|settle (?:on|for)"
    r"|assign(?:ing)?|award|deserves|earns|merits|warrants|grade|gebe|vergebe|bewerte|note"
    r"|bewertung|punktzahl|wertung|verdient|donne|donnerais|attribue|j'attribue|mérite|doy|daría|asigno|otorgo|merece"
    r"|calificación|calificacion|puntuación|dou|atribuo|nota|assegno|merita|voto|geef|cijfer|ставлю|оцениваю"
    r"|заслуживает|оценка|оценку)\b|\b(?:give|giving)\b.*\b(?:it|this|answer|response|reply)\b|\bwürde\b.*\b(?:mit|eine)\b|[打给給評评得]",
    re.IGNORECASE,
)
_NUMBERS = (
    "one two three four five six seven eight nine ten|eins zwei drei vier fünf sechs sieben acht neun zehn"
    "|un deux trois quatre cinq six sept huit neuf dix|uno dos tres cuatro cinco seis siete ocho nueve diez"
    "|один два три четыре пять шесть семь восемь девять десять|一 二 三 四 五 六 七 八 九 十"
    "|एक दो तीन चार पांच छह सात आठ नौ दस|واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة"
)
NUMBER_WORDS = {word: n for line in _NUMBERS.split("|") for n, word in enumerate(line.split(), 1)}
# A lone I, V or X is rather a letter.
NUMBER_WORDS |= {"ii": 2, "iii": 3, "iv": 4, "vi": 6, "vii": 7, "viii": 8, "ix": 9}

# Beside ASCII's: full-width and circled signs, Roman numerals and blanks of other widths.
_COMPATIBLE = re.compile("[\u2000-\u200a\u2160-\u2168\u2460-\u2469\u3000\uff00-\uffef]")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_SIGNS = str.maketrans(
    {"【": "[", "】": "]", "〔": "[", "〕": "]", "−": "-", "‑": "-", "\xa0": " ", "٫": ".", "🔟": "10"}
    | {"⁄": "/", "∕": "/"}
    | dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f\u20e3")
)  # fmt: skip
_RATING_TAG = r"(?:(?:final|overall|total)[_-]?)?(?:rating|score|grade|bewertung|note|calificacion)"
# What is written otherwise and means the same, in this order.
_SAME = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        (r"(?<=[0-9])(?: ?½| 1/2(?![0-9/]))", ".5"),
        (r"\*{1,3}([0-9][0-9.,/ ]{0,7})\*{1,3}", r"\1"),
        (r"~~[^~\n]{1,40}~~[ \t]?", ""),
        (r"\\\[\s{0,3}(\\[a-z]{3,6}\{[^\n]{1,80}?\})\s{0,3}\\\]", r"\1"),
        (r"\\([\[\]()*_`{}])", r"\1"),
        (r"<br ?/?>", "\n"),
        (r"</?(?:b|i|u|p|em|strong|span|div|center|mark)(?: [^<>\n]{0,80})?>", ""),
        (rf"<{_RATING_TAG}>", "\nRating: "),
        (rf"<{_RATING_TAG} (?:value|score)=\"([^\"\n]{{1,8}})\" ?/?>", r"\nRating: \1"),
        (rf"</{_RATING_TAG}>", "\n"),
        (
            r"</?(?:answer|output|response|verdict|result|final|evaluation|judge?ment|assessment|review|judge|eval|root|grading)>",
            "",
        ),
        (r"&nbsp;", " "),
        (r"\\[,;:! ]", " "),
        (r"\\(?:text(?:bf|it|rm|tt)?|math(?:bf|rm|it|tt))\s?\{([^{}\n]{0,80})\}", r"\1"),
        (r"\\[dt]?frac\s?\{(\d{1,3})\}\s?\{(\d{1,3})\}", r"\1/\2"),
        (r"\\(?:boxed|fbox)\s?\{([^{}\n]{0,40}\[\[[^{}\n]{0,40})\}", r"\1"),
        (r"\\(?:boxed|fbox)\s?\{([^{}\n]{0,80})\}", r"[[\1]]"),
        (r"(?m)^\[([a-z ]{3,20}:[ ]?\[\[[^\[\]\n]{1,12}\]\])\]$", r"\1"),
        (r"\$\$?([^$\n]{1,80})\$\$?", r"\1"),
    )
)


def plain(text: str) -> str:
    r"""A verdict with one form of each sign: ASCII's digits and brackets, and no markup of HTML and LaTeX.

    Parameters
    ----------
    text
        What the judge said.

    Examples
    --------
    >>> plain("评分：【【７】】"), plain("$\\boxed{7}$"), plain("\u0667")
    ('评分:[[7]]', '[[7]]', '7')
    """
    text = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = _OTHER_DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text).translate(_SIGNS)
    for pattern, same in _SAME:
        text = pattern.sub(same, text)
    return text
