"""Where a model thinks before it speaks: the marks around thoughts, in the one list that all readers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

# Names of tags that reasoning models put around their thoughts, <think>…</think>, <seed:think>, <REASONING_SCRATCHPAD>;
# also [THINK]…[/THINK] and <|think:start|>.
_NAMES = (
    r"(?:(?:[a-z]{1,12}[:_-]|ant)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|reflect(?:ion)?|scratchpad"
    r"|monologue|rationale|brainstorm(?:ing)?|plan(?:ning)?|deliberation|cot|chain[ _-]of[ _-]thoughts?)"
    r"(?:[ _-](?:process|steps?|block|scratchpad))?)"
)
_INSIDE = r"(?:think(?:ing)?|thought|reasoning)"
# Opening and closing mark, as regular expressions without groups. A closing mark counts without its opening
# one, too, since many chat templates write the opening one into the prompt.
PAIRS: tuple[tuple[str, str], ...] = (
    (rf"<{_NAMES}(?:\s[^<>\n]{{0,80}})?>", rf"</{_NAMES}\s?>"),
    (r"\[(?:THINK(?:ING)?|REASONING)\]", r"\[/(?:THINK(?:ING)?|REASONING)\]"),
    (r"◁think▷", r"◁/think▷"),
    (rf"<[|｜](?:(?:start|begin)[_▁](?:of[_▁])?{_INSIDE}|{_INSIDE}(?:[_:]start)?|inner_prefix)[|｜]>",
     rf"<[|｜](?:end[_▁](?:of[_▁])?{_INSIDE}|{_INSIDE}[_:]end|/{_INSIDE}|inner_suffix)[|｜]>"),
    # Channels (gpt-oss, Gemma); the words alone are what is left where a server takes its special tokens out.
    (r"<\|channel\|>\s{0,4}(?:analysis|commentary)", r"<\|channel\|>\s{0,4}final(?:[^<>\n]{0,80}<\|message\|>)?"),
    (r"<\|channel>thought", r"<channel\|>"),
    (r"\A\s{0,8}analysis(?=[A-Z])", r"assistantfinal"),
    (r"<unused94>(?:thought)?", r"<unused95>"),
    (r"<details(?: type=\"reasoning\"[^<>\n]{0,80}>|>\s{0,4}<summary>[^<>\n]{0,20}(?:think|thought|reason))",
     r"</details>"),
    (r"\A\s{0,8}Thinking\.\.\.\s", r"\.\.\.done thinking\."),
    (r"\A\s{0,8}Here is my thought process:", r"Here is my response:"),
    (r"\A\s{0,8}Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),
    (r"\A\s{0,8}#{1,4} Thinking\s", r"##{0,3} Final Response\s"),
)  # fmt: skip
# How those begin that are marks nowhere but where a text begins.
_AT_ONCE = r"\A"
_BLANK = re.compile(r"\s*+")
# Closing marks that mean something else, too, where no opening one stands before them.
_NOT_ALONE = frozenset([r"</details>", r"Here is my response:", r"##{0,3} Final Response\s"])


@dataclass(frozen=True)
class Mark:
    """A mark in a text.

    Parameters
    ----------
    start, end
        Its place, in characters.
    kind
        Which pair it belongs to.
    opens
        Whether thoughts begin here, or end.
    """

    start: int
    end: int
    kind: int
    opens: bool


@dataclass(frozen=True)
class Marks:
    """The marks around thoughts: `PAIRS`, and a person's own.

    Parameters
    ----------
    own
        Opening and closing text of each further pair.

    Examples
    --------
    >>> Marks().spoken("<think>Perhaps [[3]].</think>Good. [[7]]")
    'Good. [[7]]'
    >>> Marks().spoken("<think>Perhaps [[3]]") is None
    True
    >>> Marks((("(musing)", "(done)"),)).spoken("(musing)hm(done)[[7]]")
    '[[7]]'
    """

    own: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, own: Sequence[Sequence[str]]) -> Marks:
        """Marks of a configuration's lists of two texts."""
        return cls(tuple((opening, closing) for opening, closing in own))

    @cached_property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        return (*PAIRS, *((re.escape(opening), re.escape(closing)) for opening, closing in self.own))

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """Any mark but those that open a text.

        First characters stand in front, in both cases: a search skips to the next of them, while it would try every
        alternative of a mere list of marks at every character, tens of times slower.
        """
        by_first: dict[str, list[str]] = {}
        for n, pair in enumerate(self._pairs):
            for side, mark in zip("oc", pair, strict=True):
                if not mark.startswith(_AT_ONCE):
                    first = mark[: 1 + mark.startswith("\\")]
                    by_first.setdefault(first, []).append(f"{mark[len(first) :]}(?P<{side}{n}>)")
        firsts = "".join(f"{first.lower()}{first.upper()}" if first.isalpha() else first for first in by_first)
        marks = "|".join(f"(?<={first})(?:{'|'.join(rests)})" for first, rests in by_first.items())
        return re.compile(f"(?-i:[{firsts}])(?:{marks})", re.IGNORECASE)

    @cached_property
    def _at_once(self) -> re.Pattern[str]:
        """Marks that open a text."""
        marks = (f"{pair[0]}(?P<o{n}>)" for n, pair in enumerate(self._pairs) if pair[0].startswith(_AT_ONCE))
        return re.compile("|".join(marks), re.IGNORECASE)

    def find(self, text: str, start: int, end: int | None = None) -> Mark | None:
        """The first mark from a place on; None where there is none before `end`."""
        stop = len(text) if end is None else end
        found = self._at_once.match(text, start, stop) or self._any.search(text, start, stop)
        if found is None:
            return None
        assert found.lastgroup is not None
        return Mark(found.start(), found.end(), int(found.lastgroup[1:]), found.lastgroup[0] == "o")

    def alone(self, mark: Mark) -> bool:
        """Whether a closing mark ends thoughts whose beginning is not in the text."""
        return not mark.opens and self._pairs[mark.kind][1] not in _NOT_ALONE

    def closing(self, text: str, opened: Mark) -> int | None:
        """Where thoughts end that a mark opened; None where they are cut short."""
        found = re.compile(self._pairs[opened.kind][1], re.IGNORECASE).search(text, opened.end)
        return found.end() if found else None

    def spoken(self, text: str) -> str | None:
        """What a text says after its thoughts; None where thoughts are cut short.

        Parameters
        ----------
        text
            Prose, such as a verdict: what stands before the last closing mark is not looked at.
        """
        said = at = 0
        never: set[int] = set()  # kinds that are not closed any more, so that nothing is searched twice
        while mark := self.find(text, at):
            at = mark.end
            if not mark.opens:
                said = mark.end if self.alone(mark) else said
            elif mark.kind not in never and (end := self.closing(text, mark)):
                said = at = end
            else:
                never.add(mark.kind)
                blank = _BLANK.match(text, said)
                if blank and blank.end() >= mark.start:
                    return None
        return text[said:]


def thinks_at_once(texts: Iterable[str], marks: Marks) -> bool:
    """Whether a chat template opens thoughts itself: some response closes thoughts that it never opened.

    Parameters
    ----------
    texts
        Responses of one generator.
    marks
        The marks around thoughts.
    """
    firsts = (marks.find(text, 0) for text in texts)
    return any(mark is not None and marks.alone(mark) for mark in firsts)
