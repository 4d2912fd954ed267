"""An endpoint on loopback that adds step by step, errs now and then, and judges steps; equal for equal requests."""

from __future__ import annotations

import hashlib
import json
import re

from models.servers import completion
from starlette.responses import JSONResponse

WORDS = re.compile(r"Problem: Add ([\d +]+)\.")


def write_problems(path, count=12, terms=3):
    """Sums of small numbers with worked answers in GSM8K's form."""
    rows = []
    for i in range(count):
        numbers = [(7 * i + 3 * j) % 9 + 1 for j in range(terms)]
        said = f"Add {' + '.join(map(str, numbers))}."
        rows.append({"question": said, "answer": f"Added one after the other.\n#### {sum(numbers)}"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def chance(body):
    """A number in [0, 1) that the prompt and the draw's seed decide."""
    told = f"{body['messages'][-1]['content']}|{body.get('seed')}"
    return int(hashlib.sha256(told.encode()).hexdigest()[:8], 16) / 2**32


def right_sums(question):
    """The partial sums of a problem, from the second on."""
    numbers = [int(n) for n in WORDS.search(question)[1].split(" + ")]
    return [sum(numbers[: i + 1]) for i in range(1, len(numbers))]


def solve(body, _nth=0):
    """A step that is right with probability 0.7, or a verdict that is right with probability 0.85."""
    text, luck = body["messages"][-1]["content"], chance(body)
    wanted = right_sums(text)
    steps = [int(n) for n in re.findall(r"^So far (\d+)\.$", text, re.MULTILINE)]
    answer = re.findall(r"^The answer is (\d+)\.$", text, re.MULTILINE)
    if "yes or no" in text:
        fine = steps == wanted[: len(steps)] and all(int(a) == wanted[-1] for a in answer)
        said = "Yes." if fine == (luck < 0.85) else "No."
        return JSONResponse(completion(body, said))
    wrong = 0 if luck < 0.7 else 1 + int(luck * 100) % 3
    if len(steps) < len(wanted):
        before = steps[-1] if steps else 0
        gain = wanted[len(steps)] - (wanted[len(steps) - 1] if steps else 0)
        return JSONResponse(completion(body, f"So far {before + gain + wrong}.\nand more"))
    return JSONResponse(completion(body, f"The answer is {steps[-1]}."))
