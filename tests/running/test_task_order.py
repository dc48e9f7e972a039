"""The tasks of a method may end in any order: its result is the same bytes."""

from pathlib import Path
from typing import Any

import pytest
from conftest import FAST
from side_by_side import results

from benchmark.cli.main import main
from benchmark.running.store import Stage

pytestmark = pytest.mark.usefixtures("small_encoder")


def test_the_order_of_tasks_does_not_change_a_result(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = Stage.cost

    def with_note(self: Stage) -> dict[str, Any]:
        found = cost(self)
        return {**found, "facts": {**found["facts"], "notes": [f"said by {self.name}"]}}

    monkeypatch.setattr(Stage, "cost", with_note)
    tasks = ["search", "id-quality", "recommendation"]
    for name, order in (("one", tasks), ("other", tasks[::-1])):
        for task in order:
            words = ["run", "--dataset", str(shop), "--methods", "random", "--tasks", task, *FAST, "--device", "cpu"]
            assert main([*words, "--set", "random.codebook_size=8", "--runs", str(tmp_path / name)]) == 0
    one, other = results(tmp_path / "one"), results(tmp_path / "other")
    assert one == other and sum(b"said by train.search" in text for text in one.values()) == 1
