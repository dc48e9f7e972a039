"""Facts: what methods report has declared names."""

import json
import re
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.types import facts as module
from benchmark.types.facts import Facts, declare_fact, declared_facts


def test_an_undeclared_name_is_refused_with_the_nearest_one() -> None:
    facts = Facts(parameters=3)
    for change in (lambda: facts.__setitem__("parametres", 4), lambda: facts.update(parametres=4)):
        with pytest.raises(UsageError, match=r"undeclared fact 'parametres'\. Did you mean 'parameters'"):
            change()
    assert facts == {"parameters": 3}
    with pytest.raises(UsageError, match="undeclared fact 'parametres'"):
        Facts({"parametres": 1})


def test_facts_are_a_dictionary_and_a_name_may_carry_a_cutoff() -> None:
    facts = Facts({"index_recall@100": 0.98, "notes": ["a"]}, parameters=3)
    assert json.dumps(dict(facts), sort_keys=True) == '{"index_recall@100": 0.98, "notes": ["a"], "parameters": 3}'
    del facts["notes"]
    assert "notes" not in facts and facts.pop("parameters") == 3 and len(facts) == 1 and "index_recall" in repr(facts)


def test_a_plugin_declares_a_fact_of_its_own_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OF_PLUGINS", {})
    declare_fact("trees", "trees of the index")
    declare_fact("trees", "trees of the index")  # the module may be imported again
    assert Facts(trees=3)["trees"] == 3 and declared_facts()["trees"] == "trees of the index"
    with pytest.raises(UsageError, match="'trees' is declared already: trees of the index"):
        declare_fact("trees", "something else")


def test_every_declared_fact_is_reported_somewhere_in_the_suite() -> None:
    """No name outlives the code that reports it."""
    folders = [Path(__file__).parents[2] / name for name in ("benchmark", "methods")]
    files = [path for folder in folders for path in folder.rglob("*.py") if path.name != "facts.py"]
    sources = "\n".join(path.read_text("utf-8") for path in files)
    for name in declared_facts():
        percentile = re.sub(r"_p\d+$", "_p{p}", name)
        assert re.search(rf'["\'( ,]{re.escape(percentile)}["\'@=]', sources) or name == "nested_seconds", name
