"""Marks around thoughts are found where a plain search of the whole list finds them."""

import random
import re

import pytest

from ggmi.text.thinking import PAIRS, Mark, Marks

PIECES = [
    *("<think>", "</THINK>", "<a:thinking>", "[THINK]", "[/thinking]", "◁think▷", "◁/think▷", "<|inner_prefix|>"),
    *("<|end_of_thought|>", "<|channel|> analysis", "<|channel|>final", "final x<|message|>", "<|channel>thought"),
    *("<channel|>", "analysis", "assistantfinal", "ASSISTANTfinal", "<unused94>thought", "<unused95>", "</details>"),
    *('<details type="reasoning">', "Thinking...\n", "...done thinking.", "Here is my thought process:"),
    *("here IS my response:", "(musing)", "^Done", "^dONE", " ", "a", "H", "d", "\n", "<", "[", ".", "^", "(", "\\"),
]


@pytest.mark.parametrize("own", [(), (("(musing)", "^Done"),), ((".", "da"), ("\\", "]"))])
def test_a_mark_is_found_where_a_list_of_all_finds_it(own):
    pairs = [*PAIRS, *((re.escape(opening), re.escape(closing)) for opening, closing in own)]
    sides = [f"(?P<o{n}>{opening})|(?P<c{n}>{closing})" for n, (opening, closing) in enumerate(pairs)]
    plain, marks, draw = re.compile("|".join(sides), re.IGNORECASE), Marks(own), random.Random(len(own))
    found = 0
    for _ in range(5000):
        text = "".join(draw.choices(PIECES, k=draw.randint(1, 7)))
        start, end = sorted(draw.choices([0, draw.randrange(len(text) + 1), len(text)], k=2))
        expected = plain.search(text, start, end)
        mark = marks.find(text, start, end)
        if expected is None:
            assert mark is None, text
        else:
            side, kind = expected.lastgroup[0], int(expected.lastgroup[1:])
            assert mark == Mark(*expected.span(), kind, side == "o"), text
            found += 1
    assert 1000 < found < 4900
