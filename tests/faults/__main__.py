"""Hostile inputs and faults, tried on the command line: `python tests/faults [--fast] [KIND ..]`.

Prints a table (input, exit code, message) and what is wrong: a traceback, a silent success, something half-written,
a control character, an exit code or a message other than the case says. Exit code 0 only if nothing is wrong.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from faults import archives, data, environment, ids, imports, plugins, runs, settings
from faults.running import templates, try_case

KINDS = {module.__name__.rpartition(".")[2]: module.CASES for module in (
    data, archives, ids, imports, runs, plugins, settings, environment,
)}  # fmt: skip


def main() -> int:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)} (default: all)")
    parser.add_argument(
        "--fast", action="store_true", help="leave out what trains, mounts, waits or starts Python anew"
    )
    parser.add_argument("--only", default="", help="cases whose title has this word")
    arguments = parser.parse_args()
    import torch
    import warm  # noqa: F401

    torch.set_num_threads(1)
    begun, tried, skipped, failed = time.monotonic(), 0, [], []
    with templates() as root:
        for kind in arguments.kinds or KINDS:
            for number, case in enumerate(KINDS[kind]):
                if (arguments.fast and (case.slow or case.fresh or case.start)) or arguments.only not in case.title:
                    continue
                title = f"{kind}: {case.title}"
                if reason := case.skip():
                    skipped.append(f"{title}: {reason}")
                    continue
                done, wrong = try_case(case, root / kind / str(number))
                tried += 1
                print(f"{title[:70]:<70}  {done.code:>3}  {_message(done.err or done.out)}", flush=True)
                if wrong:
                    failed.append(f"{title}: {'; '.join(wrong)}")
                    print(f"{'':<70}  ^^^  {'; '.join(wrong)}", flush=True)
    for line in skipped:
        print(f"skipped: {line}")
    for line in failed:
        print(f"WRONG    {line}")
    print(f"{tried} cases in {time.monotonic() - begun:.0f} s: {len(failed)} wrong, {len(skipped)} skipped")
    return 1 if failed else 0


def _message(text: str) -> str:
    """Return the last line that was printed, cut."""
    lines = [line for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "")[:120].encode("ascii", "backslashreplace").decode()


if __name__ == "__main__":
    sys.exit(main())
