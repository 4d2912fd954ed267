import json

from ggmi.text.outcomes import validity
from ggmi.text.parsing import parse

A = json.dumps({"instruction": "Add.", "context": "1 2", "response": "3"})


def test_validity_counts_items_and_reasons():
    texts = [f"[{A}, {A}, 1]", A.replace("}", ', "extra": 1}'), "no", "no", '{"a": 1}']
    counted = validity(map(parse, texts))
    assert (counted.responses, counted.with_records, counted.records, counted.extra_fields) == (5, 2, 3, 1)
    assert list(counted.failures.items()) == [("no_json", 2), ("missing_field", 1), ("not_an_object", 1)]
    assert counted.rate == 3 / 7
    assert validity([parse("no")]).rate == 0
