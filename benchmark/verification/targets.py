"""Checks what a result counts of its next items: those never trained on, and those with a greater id than the last."""

from __future__ import annotations

from benchmark.verification.files import Grades, read_histories, read_last_items
from benchmark.verification.stored import Stored

TASK = "recommendation"


def check_targets(result: Stored, grades: Grades) -> None:
    """Count over the judgments, the training histories and the last items again, as far as these are there.

    `grades` are user -> next item. Files that are missing are a matter of the result's digests.
    """
    own = result.content["counts"].get(TASK, {})
    targets = {user: item for user, items in grades.items() for item in items}
    training, inputs = (result.of_split(name) for name in ("histories", "inputs"))
    if "targets_unseen" in own and training.is_file():
        events = [item for history in read_histories(training) for item in history]
        result.same(f"counts, {TASK}, training_events", own.get("training_events"), len(events), "the histories have")
        learned = set(events)
        unseen = sum(item not in learned for item in targets.values())
        result.same(f"counts, {TASK}, targets_unseen", own["targets_unseen"], unseen, "the stored histories give")
    if "targets_compared" in own and inputs.is_file():
        found = result.read(TASK, read_last_items, inputs.name, inputs)
        if found is None:
            return
        last = dict(found)
        pairs = [(last[user], item) for user, item in targets.items() if last.get(user, item) != item]
        numbers = all(name.isascii() and name.isdigit() for name in result.items or (n for pair in pairs for n in pair))
        greater = sum(int(b) > int(a) if numbers else b > a for a, b in pairs)
        for name, due in (("targets_compared", len(pairs)), ("targets_with_greater_id", greater)):
            result.same(f"counts, {TASK}, {name}", own.get(name), due, "the stored last items give")
