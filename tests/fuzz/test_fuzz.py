"""Readers of what others write meet anything: no crash, no hang, nothing read that does not stand there.

GGMI_FUZZ is the number of inputs of each reader; a million took minutes on one core, and the suite makes do with less.
"""

import copy
import itertools
import json
import os
import random
import re
import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ggmi import config
from ggmi.errors import UserError
from ggmi.rating.verdicts import REASONS, read_verdict
from ggmi.text.format import Format
from ggmi.text.outcomes import REASONS as FAILURES
from ggmi.text.parsing import parse
from ggmi.text.records import FIELDS, UNWRITABLE

# Inputs are drawn by the hundred from one number, which costs a tenth of what drawing each would.
AT_ONCE = 100
INPUTS = int(os.environ.get("GGMI_FUZZ", "20000"))
fuzzed = settings(
    max_examples=max(1, INPUTS // AT_ONCE), suppress_health_check=list(HealthCheck), database=None, deadline=None
)
SEEDS = st.integers(0, 2**63)

PIECES = [
    *"{}[]\",:\\\n'` \t", "{{", "}}", "[[", "]]", "\x00", "\ud800", "\u202e", "\ufeff", "é", "東", "\U0001f600",
    "NaN", "Infinity", "-1e999", "null", "true", "0", "12", '""', '"', '\\"', "\\u12", "\\ud83d\\ude00", "```json\n",
    "```", "// ",
    '"instruction"', '"context"', '"response"', '"instruction": "Add."', '"response": "3"', '{"a": ', "instruction:",
    '{"instruction": "Add.", "response": "3"}', '{"instruction": "a", "context": "b", "response": "c"}', '{"tasks": [',
    '"reference response"', '"Response "', "'", "\\frac", "\\nu", "“", "”", '{\\"', "<|channel|>final<|message|>",
    "[[7]]", "Rating: ", "Rating: [[7]]", "[[10.0]]", "[[11]]", "I would give it a ", "<think>", "</think>", ". ", "**",
    "/10", " out of 10", "评分：", "［［", "Score: 8", "</s>", "\n```", "a rating of ", "The answer ",
]  # fmt: skip


GOOD = [
    json.dumps([{"instruction": f"Add {i}.", "context": "1", "response": "3"} for i in range(3)], indent=1),
    'Here: {"tasks": [{"instruction": "Add.", "response": "3"}]}\n',
    '{"instruction": "Say \\"{}\\"", "response": "[1]"}\n{"response": "b", "instruction": "a", "more": {"x": [1]}}',
    "It is right, and says so. [[3]] was too low.\n\n**Rating: [[7]]**",
    "<think>It demands [[10]].</think>\nI would give it a [[6.5]].",
]


def texts(seed):
    """A hundred texts, good ones or of some pieces, and what becomes of them by cutting, doubling and turning."""
    draw = random.Random(seed)
    text = ""
    for _ in range(AT_ONCE):
        if draw.random() < 0.3:
            text = draw.choice([*GOOD, "".join(draw.choices(PIECES, k=draw.randrange(40)))])
        at, other = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        match draw.randrange(5):
            case 0:
                text = text[:at] + text[other:]
            case 1:
                text = text[:other] + text[at:]
            case 2:
                text = text[other:] + text[:at]
            case 3:
                text = text[:at] + chr(draw.choice((draw.randrange(128), draw.randrange(0x11000)))) + text[at:]
            case _:
                text = text[:at] + draw.choice(PIECES) + text[at:]
        text = text[:2000]
        yield text


def once(pairs):
    names = [re.sub(r"[\s_\-*:`\u200b-\u200f\ufeff]", "", name).casefold() for name, _ in pairs]
    found = dict(zip(names, (value for _, value in pairs), strict=True))
    if "referenceresponse" in found:
        assert "response" not in found
        found["response"] = found["referenceresponse"]
    return found


def as_text(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def _is_json(raw):
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True


@fuzzed
@given(SEEDS)
def test_records_are_what_the_text_states_and_all_else_has_a_reason(seed):
    for text in texts(seed):
        found = parse(text)
        items = sorted([*found.records, *found.failures], key=lambda item: item.position)
        assert items, text
        assert [item.position for item in items] == list(range(len(items))), text
        assert all(a.end <= b.start for a, b in itertools.pairwise(items)), text
        for record in found.records:
            raw = text[record.start : record.end]
            if '\\"' in raw[:100] and raw[0] == "{":  # JSON in a JSON string
                raw = raw if _is_json(raw) else json.loads(f'"{raw}"', strict=False)
            stated = json.loads(raw, object_pairs_hook=once, parse_int=str, parse_float=str)
            values = [as_text(stated.get(field)) for field in FIELDS]
            assert [record.instruction, record.response] == [values[0], values[2]], text
            assert record.context in (values[1], ""), text
            assert record.instruction.strip(), text
            assert record.response.strip(), text
            assert not any(map(UNWRITABLE.search, values)), text
        assert {failure.reason for failure in found.failures} <= FAILURES.keys(), text
        # A repair takes no record away, and what it adds is marked.
        if len(text) % 4:
            continue
        repaired = parse(text, Format(repair=True)).records
        strict = [(r.instruction, r.context, r.response) for r in repaired if not r.repaired]
        assert strict == [(r.instruction, r.context, r.response) for r in found.records], text


@fuzzed
@given(SEEDS)
def test_a_rating_is_the_last_mark_of_a_verdict_or_there_is_a_reason(seed):
    for text in texts(seed):
        reading = read_verdict(text)
        assert (reading.rating is None) == (reading.reason in REASONS), text
        if reading.rating is not None:
            # The last number of the text, but for the scale that may follow it.
            said = re.sub(r"\s*(?:/ ?10|out of 10)\W*$", "", unicodedata.normalize("NFKC", text))
            assert float(re.findall(r"\d+(?:[.,]\d?)?", said)[-1].replace(",", ".")) == reading.rating, text
            assert 1 <= reading.rating <= 10, text


VALUES = [
    *(None, True, False, 0, -1, 1, 2**70, 10**5000, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "..", "../x", "{a}", "a\x00", "\ud800", "=1", "1e400", "digits", "embedded", "world", "x" * 5000),
    *([], [None], [[1]], [1, 1], ["a"], list(range(200)), {}, {"": {}}, {"a": None}, {"kind": "openai"}, {"K": [2]}),
]


def configurations(seed):
    """A hundred configurations, each the one before with a value changed, added, moved or left out somewhere."""
    draw = random.Random(seed)
    default = config.resolved(config.load({}))
    values = {}
    for _ in range(AT_ONCE):
        if draw.random() < 0.6:
            key = draw.choice(list(default))
            values = {key: copy.deepcopy(default[key])}
        place = values
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw.choice([*keys, "new"] if isinstance(place, dict) else keys) if keys else "new"
            inside = place[key] if key in keys else None
            if not (isinstance(inside, dict | list) and inside and draw.random() < 0.7):
                break
            place = inside
        if isinstance(place, list):
            place[key if keys else 0 :] = [copy.deepcopy(draw.choice(VALUES))]
        elif draw.random() < 0.3:
            place[draw.choice(["", "a b", "..", "Seed", "\x00", 7, *place])] = place.pop(key, None)
        else:
            place[key] = copy.deepcopy(draw.choice(VALUES))
        yield values


@settings(fuzzed, max_examples=max(1, INPUTS // AT_ONCE // 10))
@given(SEEDS)
def test_a_configuration_is_valid_or_told_in_sentences(seed):
    for values in configurations(seed):
        try:
            found = config.load(values)
        except UserError as error:
            lines = str(error).split("\n")
            assert all(line.startswith("config: ") for line in lines), values
            assert max(map(len, lines)) < 2000, values
        else:
            assert config.load(config.resolved(found)) == found
