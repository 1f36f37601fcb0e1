"""Run the benchmarks: ``python -m benchmarks [--quick] [--rows ...] [--rounds N] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .harness import Figure, as_json, table
from .rows import ROWS
from .workbench import Workbench, describe_machine


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the chosen rows, print the table and write the JSON file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: only shows that it runs")
    parser.add_argument(
        "--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW", help="some of: " + ", ".join(ROWS)
    )
    parser.add_argument("--rounds", type=int, help="rounds per figure (default: 5; 1 with --quick)")
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/results/latest.json"), help="file to write (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    machine = dict(describe_machine(), date=time.strftime("%Y-%m-%d"), quick=options.quick)
    print(json.dumps(machine), flush=True)
    figures: list[Figure] = []
    with Workbench(options.quick, options.rounds) as bench:
        for name in options.rows:
            print(f"{name} ...", file=sys.stderr, flush=True)
            figures += ROWS[name](bench)
    print(table(figures))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(as_json(figures, machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
