"""Answers that decline to answer, by the forms that chat models write in twelve languages; the forms are ours."""

from __future__ import annotations

import re
import unicodedata

# Characters of an answer that are looked at: what is declined is declined at once.
BEGINNING = 300
# Characters beyond which an answer goes on to answer: "As an AI language model, I have no taste, but here are ...".
LONGEST = 600

# Of each language who speaks (a language model, of itself) and what it cannot do. A cannot without such a verb is
# everybody's, and so is what stands in quotation marks.
_FORMS = {
    "English": (
        r"\b(?:i'?m sorry,? but i|i apologi[sz]e,? but|(?:i'?m|i am) (?:unable|not able) to|as an? (?:ai|artificial|"
        r"large) \w*\s?(?:language )?(?:model|assistant|intelligence)|i (?:cannot|can'?t|can not|won'?t|don'?t|do not) "
        r"(?:assist|help|fulfil|comply|provide|answer|do that|know the answer|have (?:access|the ability|enough)))"
    ),
    "Chinese": (
        r"作为(?:一[个名款种位])?\s*(?:[^。，,\n]{0,6}(?:语言模型|ai\s?助[手理]|智能助[手理])|(?:ai|人工智能)[,，]\s*我)"
        r"|我是(?:一[个名款种位])?[^。，,\n]{0,8}(?:语言模型|智能助手|ai\s?助手)"
        r"|(?:无法|不能|没有?办法)[^。！？\n]{0,8}(?:提供|满足|回答|帮助?[你您]|协助|执行|生成|访问|浏览|参与)[^。！？\n]{0,6}"
        r"(?:帮助|信息|请求|要求|问题|[你您]|互联网|数据|内容|讨论)"
    ),
    "Spanish": (
        r"\bcomo (?:un |una )?(?:modelo de lenguaje|inteligencia artificial|ia\b|asistente (?:virtual|de ia))"
        r"[^.!?\n]{0,40}\b(?:no|soy|mis?|estoy|puedo)\b|\bno (?:puedo|poder|me es posible) (?:ayudar|asistir|cumplir|"
        r"responder|contestar|proporcionar|ofrecer|acceder|generar|completar)"
    ),
    "French": (
        r"\ben tant qu(?:e |')(?:un |une )?(?:modèle (?:de langage|linguistique)|ia\b|intelligence artificielle|"
        r"assistant)[^.!?\n]{0,40}\bj(?:e\b|')|\bje ne (?:peux|suis) (?:malheureusement )?pas "
        r"(?:(?:en mesure|capable) d(?:e |'))?"
        r"(?:vous |t'|te |y |l')?(?:aider|répondre|fournir|accéder|satisfaire|générer|assister)"
    ),
    "Portuguese": (
        r"\bcomo (?:um |uma )?(?:modelo de linguagem|inteligência artificial|ia\b|assistente (?:virtual|de ia))"
        r"[^.!?\n]{0,40}\b(?:não|sou|meus?|estou|posso)\b|\bnão (?:posso|consigo|sou capaz de) (?:te |lhe |o |a )?"
        r"(?:ajud|atender|responder|fornecer|acessar|cumprir|auxiliar|gerar)"
    ),
    "Russian": (
        r"\b(?:как|я|будучи)\s*[—-]?\s*(?:больш\w+ |просто )?(?:языков\w+ модел\w+|искусственн\w+ интеллект\w*|ии\b)"
        r"[^.!?\n]{0,12}\b(?:я|не|у меня)\b|\bне (?:могу|в состоянии) (?:вам |тебе |на это |на этот вопрос )?(?:помочь|"
        r"ответить|выполнить|предоставить|просматривать|обсуждать)"
    ),
    "German": (
        r"\bals (?:eine? |große[sr]? )*(?:ki\b|künstliche intelligenz|sprachmodell)[^.!?\n]{0,30}\b(?:ich|mir)\b"
        r"|\b(?:ich (?:kann|darf)|(?:kann|darf) ich)\b[^.!?\n]{0,40}\b(?:nicht|keine?n?)\b[^.!?\n]{0,30}\b(?:helfen|"
        r"beantworten|erfüllen|zugreifen|bereitstellen|unterstützen|behilflich|nachkommen)"
    ),
    "Japanese": (
        r"(?:ai|人工知能|言語モデル|アシスタント)(?:である|です|な)?(?:として|ので|ため)、"
        r"|(?:手伝|応え|答え|提供|対応|回答|アクセス|従う|生成)[^。！？\n]{0,10}(?:できません|できかねます|致しかねます|いたしかねます)"
    ),
    "Indonesian": (
        r"\bsebagai (?:sebuah |seorang )?(?:model bahasa|ai\b|asisten (?:ai|virtual)|kecerdasan buatan)[^.!?\n]{0,30}"
        r"\bsaya\b"
        r"|\bsaya tidak (?:dapat|bisa|mampu) (?:membantu|memberikan|menjawab|memenuhi|mengakses|menyediakan)"
    ),
    "Arabic": (
        r"(?:بصفتي|باعتباري|كوني)\s[^.!؟\n]{0,10}(?:نموذج|ذكاء|مساعد)|\bكنموذج لغ"
        r"|(?:لا (?:أستطيع|استطيع|يمكنني)|لست قادر\w*)\s[^.!؟\n]{0,8}"
        r"(?:مساعد|تلبية|الإجابة|تقديم|تصفح|الوصول|توفير|تنفيذ)"
    ),
    "Hindi": (
        r"(?:एआई|\bai|कृत्रिम बुद्धिमत्ता|भाषा मॉडल)[^।.!?\n]{0,20}(?:के रूप में|होने के नाते),?\s*(?:मैं|मेर)"
        r"|(?:मैं|खेद|क्षमा|माफ)[^।.!?\n]{0,50}(?:सहायता|मदद|पूरा|उत्तर|जवाब|जानकारी)[^।.!?\n]{0,12}नहीं[^।.!?\n]{0,8}सक"
    ),
    "Urdu": (
        r"بطور [^۔\n]{0,15}(?:اے آئی|لینگویج|مصنوعی)[^۔\n]{0,15}(?:ماڈل|ذہانت|اسسٹنٹ)|(?:میں|معذرت)[^۔\n]{0,40}"
        r"(?:مدد|جواب|فراہم|پورا)[^۔\n]{0,10}نہیں[^۔\n]{0,8}سکت"
    ),
}
_REFUSAL = re.compile("|".join(f"(?:{form})" for form in _FORMS.values()))
# What is answered all the same.
_ANSWERED = re.compile(
    r"\b(?:but|however),? (?:here|i can(?= )|i will|i'll|let)\b"
    r"|\b(?:pero|sin embargo),? (?:aquí|puedo|te|le)\b|\b(?:mais|cependant),? (?:voici|je peux)\b"
    r"|\b(?:mas|porém|no entanto),? (?:aqui|posso)\b|\bно (?:вот|я могу|могу)\b"
    r"|\b(?:aber|jedoch) (?:hier|ich kann|kann ich)\b|\b(?:namun|tetapi|tapi),? (?:berikut|saya (?:dapat|bisa))\b"
    r"|(?:但是?|不过)[,，]?(?:以下|这里|我可以|可以)|(?:ですが|ませんが|しかし)、(?:以下|こちら)"
    r"|(?:ولكن|لكن)،? (?:إليك|يمكنني)|(?:लेकिन|परंतु) (?:यहाँ|यहां|मैं आपको)|(?:لیکن|مگر) (?:یہاں|یہ رہ)"
)
_QUOTED = re.compile(r"\"[^\"\n]*\"?|“[^”\n]*”?|«[^»\n]*»?|「[^」\n]*」?|„[^“”\n]*[“”]?")


def declines(text: str) -> bool:
    """Whether a text declines to answer, in its beginning and its own words, in one of the languages of `_FORMS`.

    Parameters
    ----------
    text
        An answer.

    Examples
    --------
    >>> declines("I’m sorry, but I can't help with that."), declines("I can help you with that.")
    (True, False)
    >>> declines("Als KI-Sprachmodell habe ich keine Meinung."), declines("Als künstliche Intelligenz gilt vieles.")
    (True, False)
    """
    if len(text) > LONGEST:
        return False
    beginning = unicodedata.normalize("NFKC", text[:BEGINNING].strip('"“„«「 \n')).lower().replace("’", "'")
    own = _QUOTED.sub(" ", beginning)
    return _REFUSAL.search(own) is not None and not _ANSWERED.search(own)
