"""Verifies a folder of results, or a report with the results it was made from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.verification.derived import check_derived
from benchmark.verification.digests import sha256
from benchmark.verification.files import read_histories, read_items, read_scores
from benchmark.verification.findings import WRONG, Findings, Flaw
from benchmark.verification.id_tables import neighbours_by_title
from benchmark.verification.judgments import check_judgments
from benchmark.verification.report import (
    FILE,
    Tables,
    check_means,
    check_rebuilt,
    check_sums,
    named_results,
    read_tables,
)
from benchmark.verification.results import check_result, result_folders


@dataclass(frozen=True)
class Verified:
    """What was found, in how many results and tables."""

    findings: Findings
    results: int
    tables: int = 0


def verify(folder: Path, runs: Path) -> Verified:
    """Check every result in `folder`; or, where it holds a report (tables.json), the report and the results it names.

    Raises UsageError where there is neither, or where the report's runs are not there.
    """
    _forget()
    if (folder / FILE).is_file():
        return _verify_report(folder, runs)
    return _verify_results(folder)


def verify_kept(folder: Path, runs: Path) -> Verified:
    """Check the results of an archive, unpacked in `runs`, each of them once, and what lies beside it in `folder`.

    That is the reports that were made from these results, and results of its own. Raises UsageError where `runs` has
    none.
    """
    _forget()
    seen = frozenset(path.absolute() for path in result_folders(runs))
    parts = [_verify_results(runs)]
    parts += [
        _verify_report(file.parent, runs, seen) for file in sorted([*folder.glob(FILE), *folder.glob(f"*/{FILE}")])
    ]
    if any(result_folders(folder)):
        parts.append(_verify_results(folder))
    return _together(parts)


def _forget() -> None:
    for read in (read_items, read_histories, read_scores, neighbours_by_title, sha256):
        read.cache_clear()  # a file may have changed since the last call


def _verify_results(folder: Path) -> Verified:
    findings = Findings()
    folders = list(result_folders(folder))
    if not folders:
        raise UsageError(
            f"no results below {folder} (seed-*/result.json), and no report in it; a report is checked by "
            f"its {FILE}, which 'benchmark report --format json,md --out DIR' writes"
        )
    for place in folders:
        check_result(place, str(place.relative_to(folder)) if place != folder else str(place), findings)
    check_judgments(folder, findings)
    return Verified(findings, len(folders))


def _together(parts: Sequence[Verified]) -> Verified:
    """Return what several checks found, as one."""
    found = [finding for part in parts for finding in part.findings.found]
    checked, files = (sum(getattr(part.findings, name) for part in parts) for name in ("checked", "files"))
    findings = Findings(list(dict.fromkeys(found)), checked, files)
    return Verified(findings, max(part.results for part in parts), sum(part.tables for part in parts))


def _verify_report(folder: Path, runs: Path, seen: Collection[Path] = ()) -> Verified:
    """Check a report and the results it names, but for those that were `seen` before."""
    findings = Findings()
    if not any(result_folders(runs)):
        raise UsageError(f"--runs {runs}: no results below {runs}; give the results that {folder} was made from")
    try:
        tables = read_tables(folder / FILE)
    except Flaw as error:
        findings.add(WRONG, str(folder), FILE, str(error))
        return Verified(findings, 0)
    check_sums(folder, findings)
    try:
        results = _check_tables(folder, tables, runs, findings, seen)
    except UsageError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        findings.add(WRONG, str(folder), FILE, f"is not of the suite's format: {error}")
        results = 0
    return Verified(findings, results, len(tables))


def _check_tables(folder: Path, tables: Tables, runs: Path, findings: Findings, seen: Collection[Path]) -> int:
    """Check the tables and the results that they name, but for those `seen`; return how many they name."""
    results = named_results(tables)
    if results and not any((runs / path).is_file() for path in results):
        raise UsageError(
            f"--runs {runs}: none of the {len(results)} results that {folder} was made from lies there; name the "
            "folder of results that it was made from"
        )
    for path in results:
        if (place := (runs / path).parent).absolute() not in seen:
            check_result(place, path.rpartition("/")[0], findings)
    if any(table["name"] == "table13" for table in tables):
        check_judgments(runs, findings)
    check_means(tables, runs, findings)
    check_derived(tables, runs, findings)
    check_rebuilt(folder, tables, runs, findings)
    return len(results)
