"""From the judges' answers to accuracies: per method the mean, over its groups, of the share of judges who said yes.

The interval is Wilson's with one draw per group, however many judges saw it: judgments of one group are not
independent, and a mean of shares varies no more than a yes or no for each group. Unsure counts as no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, UsageError
from benchmark.reports.annotation.agreement import krippendorff_alpha, wilson
from benchmark.reports.annotation.page import ANSWERS, FORMAT


def read_key(path: Path) -> dict[str, Any]:
    """Read a page's key. Raises DataError for another file."""
    key = _read(path)
    try:
        if not all(question["items"] and question["labels"] for question in key["questions"]):
            raise ValueError("a question has no items or labels")
        _ = key["page"], key["prefix"], key["dataset"]["name"], dict(key["results"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: this is not a key of 'benchmark annotate make' ({error!r})") from None
    return key


def read_answers(paths: Sequence[Path], key: Mapping[str, Any]) -> list[dict[int, str]]:
    """Return each judge's answers: question (from 1) -> 'yes', 'no' or 'unsure'.

    Raises DataError for answers of another page, a judge or a question that comes twice, and answers that are none.
    """
    judges: dict[str, Path] = {}
    found = []
    for path in paths:
        content = _read(path)
        try:
            page, judge, entries = content["page"], str(content["annotator"]).strip(), list(content["answers"])
            pairs = [(entry["question"], entry["answer"]) for entry in entries]
        except (KeyError, TypeError) as error:
            raise DataError(f"{path}: this is not a file that the judges' page saved ({error!r})") from None
        if page != key["page"]:
            raise DataError(f"{path}: these are answers to another page ({page}); the key is of page {key['page']}")
        if judge.casefold() in judges:
            raise DataError(
                f"{path}: '{judge}' has answered in {judges[judge.casefold()]} already; each judge counts once"
            )
        judges[judge.casefold()] = path
        found.append(_checked(path, pairs, len(key["questions"])))
    return found


def _checked(path: Path, pairs: Sequence[tuple[Any, Any]], n_questions: int) -> dict[int, str]:
    answers: dict[int, str] = {}
    for question, answer in pairs:
        if type(question) is not int or not 1 <= question <= n_questions:
            raise DataError(f"{path}: there is no question {question!r}; the page has 1 to {n_questions}")
        if answer not in ANSWERS:
            raise DataError(
                f"{path}: question {question}: {answer!r} is not a valid answer; known: {', '.join(ANSWERS)}"
            )
        if question in answers:
            raise DataError(f"{path}: question {question} is answered twice")
        answers[question] = answer
    return answers


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise DataError(f"{path}: its format is {content['format']!r}, this version reads {FORMAT}")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a JSON file of the human evaluation ({error!r})") from None
    return dict(content)


def score(key: Mapping[str, Any], judges: Sequence[Mapping[int, str]]) -> dict[str, Any]:
    """Return the content of human-evaluation.json: rows with accuracy, alpha, and the judgments they follow from.

    Judges are numbered, not named. Raises UsageError when nobody said yes or no about a method.
    """
    questions = [
        {**question, "answers": {str(j): own[number] for j, own in enumerate(judges, 1) if number in own}}
        for number, question in enumerate(key["questions"], 1)
    ]
    decided = [[answer for answer in question["answers"].values() if answer != "unsure"] for question in questions]
    rows = {}
    for label in key["results"]:
        of_label = [
            answers for question, answers in zip(questions, decided, strict=True)
            if label in question["labels"] and answers
        ]  # fmt: skip
        if not of_label:
            raise UsageError(f"no judge has said yes or no about a group of '{label}'")
        accuracy = sum(answers.count("yes") / len(answers) for answers in of_label) / len(of_label)
        low, high = wilson(accuracy, len(of_label))
        judgments = sum(map(len, of_label))
        rows[label] = {"accuracy": accuracy, "low": low, "high": high, "groups": len(of_label), "judgments": judgments}
    drawn = {name: key[name] for name in ("dataset", "page", "prefix", "results")}
    return {
        "format": FORMAT, "rows": rows, "alpha": krippendorff_alpha(decided), "judges": len(judges), **drawn,
        "questions": questions,
    }  # fmt: skip
