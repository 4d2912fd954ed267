"""Refusals are told in twelve languages; apologies, definitions, quotations and answers with a disclaimer are none."""

import pytest

from ggmi.text.refusals import declines

DECLINED = {
    "English": ["I'm sorry, but I can't do that.", "As an AI language model, I have no", "I am unable to open files."],
    "Chinese": ["作为一个人工智能语言模型，我没有个人意见。", "很抱歉，我无法提供这些信息。"],
    "Spanish": ["Como modelo de lenguaje de IA, no tengo opiniones.", "Lo siento, pero no puedo ayudarte con eso."],
    "French": ["En tant qu'IA, je n'ai pas d'opinion.", "Désolé, mais je ne peux pas répondre à cette demande."],
    "Portuguese": ["Como um modelo de linguagem, não tenho gostos.", "Desculpe, mas não posso ajudar com isso."],
    "Russian": ["Как языковая модель, я не имею мнения.", "Извините, но я не могу помочь вам с этим."],
    "German": ["Als KI-Sprachmodell habe ich keine Meinung.", "Diese Anfrage kann ich leider nicht erfüllen."],
    "Japanese": ["AI言語モデルとして、意見は持っていません。", "申し訳ありませんが、その質問にはお答えできません。"],
    "Indonesian": ["Sebagai model bahasa AI, saya tidak punya pendapat.", "Maaf, saya tidak bisa membantu Anda."],
    "Arabic": ["بصفتي نموذج لغة، ليس لدي رأي.", "عذراً، لا أستطيع مساعدتك في ذلك."],
    "Hindi": ["एक एआई भाषा मॉडल के रूप में, मेरी कोई राय नहीं है।", "क्षमा करें, मैं इसमें आपकी मदद नहीं कर सकता।"],
    "Urdu": ["بطور اے آئی ماڈل، میری کوئی رائے نہیں۔", "معذرت، میں آپ کی مدد نہیں کر سکتا۔"],
}
ANSWERED = [
    "I cannot wait to see you! I'm sorry I was late.",
    "You could write: \"I'm sorry, but I can't help with that.\"",
    "As an AI language model, I have no taste, but here are five films.",
    "对不起，昨天我没有接到你的电话。",
    "人工智能是计算机科学的一个分支，它不能取代人。",
    "Lo siento mucho, no puedo esperar a verte.",
    "Je suis désolé, je ne peux pas venir demain.",
    "Desculpe o atraso, não posso esperar mais.",
    "Извините за опоздание. Я не могу дождаться лета.",
    "Als künstliche Intelligenz bezeichnet man Programme, die lernen.",
    "Ich kann es nicht erwarten, dich zu sehen.",
    "すみません、昨日は行けませんでした。",
    "Maaf, saya tidak bisa datang besok.",
    "آسف، لا أستطيع الحضور غداً.",
    "मुझे खेद है कि मैं कल नहीं आ सका।",
]


@pytest.mark.parametrize("language", DECLINED)
def test_refusals_are_told_in_their_language(language):
    assert all(declines(text) for text in DECLINED[language])


@pytest.mark.parametrize("text", ANSWERED)
def test_apologies_definitions_and_quotations_are_no_refusals(text):
    assert not declines(text)


def test_what_follows_an_answer_or_goes_on_to_one_is_none():
    assert not declines(f"{'It is so. ' * 40}I'm sorry, but I can't do that.")
    assert not declines(f"As an AI, I am unable to taste. {'Take two eggs and some flour. ' * 25}")


@pytest.mark.parametrize(
    ("declined", "answered"),
    [
        ("Als KI-Sprachmodell habe ich keine Meinung", ", aber hier sind drei Argumente."),
        ("En tant que modèle de langage, je n'ai pas de goûts", ", mais voici trois idées."),
        ("Como modelo de lenguaje no tengo gustos", ", pero aquí hay tres ideas."),
        ("Como um modelo de linguagem, não tenho gostos", ", mas aqui estão três ideias."),
        ("Как языковая модель, я не имею вкусов", ", но вот три идеи."),
        ("作为一个人工智能语言模型，我没有偏好", "，但以下是三个建议。"),
        ("言語モデルとして、好みはありません", "が、以下に三つ挙げます。"),
        ("Sebagai model bahasa, saya tidak punya selera", ", namun berikut tiga ide."),
    ],
)
def test_what_is_answered_all_the_same_is_no_refusal(declined, answered):
    assert declines(declined)
    assert not declines(declined + answered)
