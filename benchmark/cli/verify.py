"""Recompute every number of a folder of results, or of a report, and name each that does not follow.

  benchmark verify runs
  benchmark verify out/ --runs runs        a report that 'benchmark report --out out/' wrote
  benchmark verify reports/measured        a folder that holds results.tar.xz and reports that were made from it

The stored rankings, judgments and IDs are scored a second time, by other code than the suite's, and every stored file
is compared with the digest that its result was written with, so that a change that moves no number is named too: a
setting, a query's text, two irrelevant items that changed places. A digest finds accidents and edits; it does not stop
somebody who computes it anew. Results of older versions have none and are checked by their numbers alone. Metrics of
plugins, and those of `run --metrics` that ir-measures alone can compute, are named: they are not recomputed. An archive
(`benchmark archive`) is unpacked into a temporary folder; what it leaves out is counted, and means are compared with
their values per query.

Exit code 0 only if everything follows, nothing was changed and nothing is missing. To repair results of this version of
the suite, give the same 'benchmark run' again: results with changed or missing files are written anew, and what is
cached is not computed a second time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_json

PACKED = "results.tar.xz"  # beside the folders of reports that were made from it
SHOWN = 40  # findings of a kind that are printed; --json has them all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark verify`."""
    parser.add_argument(
        "folder", metavar="DIR", type=Path, help="a folder or an archive of results, or the folder of a report"
    )
    parser.add_argument(
        "--runs", type=Path, default=RUNS, help="the results that a report was made from (default runs)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print what does not follow, was changed, is missing or was not checked; return 0 only if there is none of it.

    What only a plugin or ir-measures can compute, and which results have no digests, is printed too and is no failure.
    """
    from benchmark.api.archive import opened_runs
    from benchmark.verification.findings import (
        CHANGED,
        LEFT_OUT,
        MISSING,
        NO_DIGESTS,
        NOT_CHECKED,
        NOT_RECOMPUTED,
        OF_PLUGIN,
        WRONG,
    )
    from benchmark.verification.verify import verify, verify_kept

    packed = arguments.folder / PACKED
    if packed.is_file():
        verified = verify_kept(arguments.folder, opened_runs(packed))
    else:
        verified = verify(opened_runs(arguments.folder, ""), opened_runs(arguments.runs))
    findings = verified.findings
    if arguments.json:
        content = {
            "ok": not findings.failures, "results": verified.results, "tables": verified.tables,
            "checked": findings.checked, "files": findings.files,
            "findings": [vars(finding) for finding in findings.found],
        }  # fmt: skip
        answer_json(content, indent=1)
        return 1 if findings.failures else 0
    titles = {
        CHANGED: "changed", WRONG: "does not follow", MISSING: "missing", NOT_CHECKED: "not checked",
        OF_PLUGIN: "of a plugin", NOT_RECOMPUTED: "not recomputed",
    }  # fmt: skip
    for kind, title in titles.items():
        found = findings.of(kind)
        for finding in found[:SHOWN]:
            answer(f"{title}: {finding}")
        if len(found) > SHOWN:
            answer(f"{title}: and {len(found) - SHOWN} more (--json lists all)")
    what = f"{verified.results} results" + (f" and {verified.tables} tables" if verified.tables else "")
    answer(
        f"{what}: {findings.checked:,} numbers checked, {len(findings.of(WRONG))} do not follow, "
        f"{len(findings.of(MISSING))} missing, {len(findings.of(NOT_CHECKED))} not checked."
    )
    answer(f"{findings.files:,} files compared with their digests, {len(findings.of(CHANGED))} were changed.")
    if old := findings.of(NO_DIGESTS):
        answer(f"No digests: {len(old)} files of older versions, e.g. {old[0].where}; only their numbers were checked.")
    if left := findings.of(LEFT_OUT):
        places = len({finding.where for finding in left})
        answer(
            f"Left out by the archive: {len(left)} files and groups of numbers of {places} results (--json lists all); "
            "metrics of rankings were compared with the mean of their values per query."
        )
    answer("Measured and not derivable: seconds, memory and speed (cost.json), training curves (log.jsonl).")
    return 1 if findings.failures else 0
