"""Reading a result: each file once."""

import json
from pathlib import Path

import pytest
from result_files import put

from benchmark.results.result_files import read_own_cost, read_result


def test_a_result_and_its_costs_are_parsed_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, "mine", metrics={"search": {"R@1": 0.5}}, cost={"stages": {}, "facts": {}})
    parsed: list[int] = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(1) or loads(text))
    assert read_result(folder / "result.json").cost == {"stages": {}, "facts": {}} and len(parsed) == 2
    assert read_own_cost(folder / "cost.json") == {"stages": {}, "facts": {}} and len(parsed) == 3


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, '{"stages": {}, "digest": "0"}'])
def test_costs_that_are_damaged_are_named_and_not_added_to(tmp_path: Path, content: str) -> None:
    folder = put(tmp_path, "mine", metrics={"search": {"R@1": 0.5}})
    assert read_result(folder / "result.json").notes == ()
    (folder / "cost.json").write_text(content)
    result = read_result(folder / "result.json")
    assert result.metrics and "a cost.json that was edited or damaged" in result.notes[0]
    assert read_own_cost(folder / "cost.json") == {}
