"""Languages of prose are told; code, formulas and a few words have none."""

import pytest

from ggmi.text.languages import language, language_name

PROSE = {
    "en": "Nobody had expected that the train would arrive on time, so the platform was almost empty.",
    "de": "Niemand hatte erwartet, dass der Zug pünktlich ankommt, deshalb war der Bahnsteig fast leer.",
    "fr": "Personne ne s'attendait à ce que le train arrive à l'heure, si bien que le quai était presque vide.",
    "es": "Nadie esperaba que el tren llegara a tiempo, así que el andén estaba casi vacío aquella mañana.",
    "ru": "Никто не ожидал, что поезд придёт вовремя, поэтому платформа была почти пуста в то утро.",
    "zh": "没有人预料到火车会准时到达，所以那天早上站台上几乎空无一人，只有几位老人坐在长椅上等待着他们的亲人回来。",
    "ja": "電車が時間どおりに着くとは誰も思っていなかったので、その朝のホームにはほとんど人がいませんでした。",
    "ar": "لم يتوقع أحد أن يصل القطار في موعده، ولذلك كان الرصيف شبه خال في ذلك الصباح من المسافرين.",
    "hi": "किसी को उम्मीद नहीं थी कि ट्रेन समय पर पहुँचेगी, इसलिए उस सुबह प्लेटफ़ॉर्म लगभग खाली था।",
    "th": "ไม่มีใครคาดคิดว่ารถไฟจะมาถึงตรงเวลา ดังนั้นชานชาลาจึงแทบจะว่างเปล่าในเช้าวันนั้น",
}
NONE = [
    "Ja, gut.",
    "def area(r):\n    return math.pi * r ** 2\n\nfor i in range(10):\n    print(area(i), sum(x[j] for j in range(i)))",
    'for (int i = 0; i < n; i++) { total += a[i] * b[i]; } printf("%d\\n", total);',
    "$$\\int_0^1 x^2 \\, dx = \\frac{1}{3}, \\qquad \\sum_{k=1}^n k = \\frac{n(n+1)}{2}$$",
    "48/2 = <<48/2=24>>24\n48+24 = <<48+24=72>>72\n#### 72",
    "a1 b2 c3 d4 e5 f6 g7 h8 i9 j10 k11 l12 m13 n14 o15 p16 q17 r18 s19 t20",
    "https://example.org/was/ist/das/denn/hier/fuer/eine/adresse/die/so/lang/ist",
]


@pytest.mark.parametrize("code", PROSE)
def test_prose_has_its_language(code):
    assert language(PROSE[code]) == code
    # Formulas and numbers beside it change nothing.
    assert language(f"{PROSE[code]}\n\n```\nwhile True: pass\n```\n3 + 4 = 7") == code


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_prose_has_none(text):
    assert language(text) is None


def test_a_few_dozen_chinese_characters_are_told_from_japanese_and_from_words():
    text = "昨天晚上，农民买了一篮苹果，然后回家吃了晚饭。"
    assert language(text) == "zh"
    assert language("先生は今朝、古い窓を直しました。") is None
    assert language("东京大学 2024") is None
    assert (
        language("x = 3  # 老师今天早上修好了那扇窗户\n" + "y = [f(x[i]) for i in rows if g(x[i]) > 3]\n" * 2) is None
    )


def test_languages_have_names():
    assert [language_name(code) for code in ("zh", "th", "en")] == ["Chinese", "Thai", "English"]
