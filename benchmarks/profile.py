"""Where the master's time per job goes: ``python -m benchmarks.profile [SLAVES] [JOBS]``.

Runs the farm of the benchmarks under py-spy (``pip install py-spy``), which looks at the stack of the master's loop
some hundred times a second without stopping it, and shares the time per job out among the steps of a job.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .workbench import Workbench

RATE = 400
"""Samples per second."""

STEPS = (
    ("receive: the call into libpvm", ("loop.py:_receive",)),
    ("verify and unpickle", ("wire.py:read", "wire.py:_digest", "PVMThread.py:__open")),
    ("progress, records", ("history.py", "progress", ":_record", ":__show", "bulletin")),
    ("hook job_done", (":job_done",)),
    ("hooks start_job, get_slave_chunk, is_valid_slave", (":start_job", ":get_slave_chunk", ":is_valid_slave")),
    ("pickle and sign", ("wire.py:write",)),
    ("send: the call into libpvm", ("PVMThread.py:send_primitive",)),
    ("decide: take back, choose the next", ("master_state", "items.py", "events.py")),
    ("carry out, and the loop itself", ("",)),
)
"""Steps with what their frames are known by; the innermost frame that fits any counts."""


def step_of(stack: Sequence[str]) -> str:
    """Return the step that a stack (outermost frame first) belongs to."""
    for frame in reversed(stack):
        for step, marks in STEPS[:-1]:
            if any(mark in frame for mark in marks):
                return step
    return STEPS[-1][0]


def frame_name(frame: str) -> str:
    """Return py-spy's ``function (path:line)`` as ``path:function``, without the class."""
    function, _, place = frame.rpartition(" (")
    return f"{place.rpartition(':')[0]}:{function.rpartition('.')[2]}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the profile as a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("slaves", nargs="?", type=int, default=4)
    parser.add_argument("jobs", nargs="?", type=int, default=300000)
    options = parser.parse_args(argv)
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        print("benchmarks.profile: py-spy is needed: pip install py-spy", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, Workbench() as bench:
        stacks = Path(folder, "stacks")
        farm = [sys.executable, "-m", "benchmarks.tasks.farm", str(options.slaves), str(options.jobs), "100", "0"]
        record = [spy, "record", "--nonblocking", "-r", str(RATE), "-f", "raw", "-o", str(stacks), "--", *farm]
        rate = bench.run(record)["jobs_per_second"]
        samples: Counter[str] = Counter()
        for line in stacks.read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            frames = [frame_name(frame) for frame in stack.split(";")]
            if any("loop.py:step" in frame for frame in frames):
                samples[step_of(frames)] += int(count)
    total = sum(samples.values())
    per_job = 1e6 / rate
    print(
        f"{options.slaves} slaves, {rate:,.0f} jobs/s, {per_job:.1f} us per job in the master's loop, {total} samples\n"
    )
    print("| step | share | us per job |\n|---|---|---|")
    for step, _ in STEPS:
        share = samples[step] / total
        print(f"| {step} | {100 * share:.0f} % | {share * per_job:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
