"""Pairs per second of the worked example: ``python -m benchmarks.pairwise_rmsd [--frames N] [--atoms N]``.

Random frames are compared in pairs by MDAnalysis and gemmi on one core, pair by pair, which is what
they offer, and by the example with one slave and with two, all in one run. The time of the example is
that of the whole calculation, with the start of the slaves. Each figure is the best of the rounds,
which take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from itertools import combinations
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np  # noqa: E402  (reads these variables)


def _mdanalysis(xyz: np.ndarray[Any, Any]) -> float:
    from MDAnalysis.analysis.rms import rmsd

    begin = time.perf_counter()
    for a, b in combinations(xyz, 2):
        rmsd(a, b, superposition=True)
    return time.perf_counter() - begin


def _distance_matrix(xyz: np.ndarray[Any, Any]) -> float:
    import MDAnalysis
    from MDAnalysis.analysis.diffusionmap import DistanceMatrix
    from MDAnalysis.analysis.rms import rmsd

    universe = MDAnalysis.Universe.empty(xyz.shape[1], trajectory=True)
    universe.load_new(xyz)
    begin = time.perf_counter()
    DistanceMatrix(universe, metric=partial(rmsd, superposition=True)).run()
    return time.perf_counter() - begin


def _gemmi(xyz: np.ndarray[Any, Any]) -> float:
    import gemmi

    frames = [[gemmi.Position(*atom) for atom in frame] for frame in xyz]
    begin = time.perf_counter()
    for a, b in combinations(frames, 2):
        gemmi.superpose_positions(a, b)
    return time.perf_counter() - begin


_PROGRAM = """
import sys, time
import numpy as np
from biskit_pvm.hosts import cpus_all
from biskit_pvm.rmsd import RmsdMaster
xyz = np.load(sys.argv[1], mmap_mode="r")
begin = time.perf_counter()
RmsdMaster(xyz, cpus_all[:1] * int(sys.argv[2]), verbose=0, niceness={"default": 0}).calculateResult()
print(time.perf_counter() - begin)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairwise_rmsd", description=__doc__)
    parser.add_argument("--frames", type=int, default=10000, help="for the example (%(default)s)")
    parser.add_argument("--few", type=int, default=300, help="for the others (%(default)s)")
    parser.add_argument("--atoms", type=int, default=214, help="in each (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    shape = np.cumsum(rng.normal(size=(options.atoms, 3)) * 2, axis=0)
    xyz = (shape + rng.normal(size=(options.frames, options.atoms, 3))).astype(np.float32)
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bp-", dir="/tmp") as folder:
        env = {**os.environ, "PVM_TMP": folder, "PVM_ALLOW_ROOT": "1", "HOME": folder}
        np.save(f"{folder}/xyz.npy", xyz)
        biskit_pvm = [sys.executable, "-m", "biskit_pvm"]
        subprocess.run([*biskit_pvm, "start"], env=env, check=True, capture_output=True)
        try:
            for _ in range(options.rounds):
                seconds: dict[str, tuple[float, int]] = {}
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    few = xyz[: options.few]
                    others = (
                        ("MDAnalysis, rms.rmsd", _mdanalysis),
                        ("MDAnalysis, DistanceMatrix", _distance_matrix),
                        ("gemmi, superpose_positions", _gemmi),
                    )
                    for name, measure in others:
                        seconds[name] = (measure(few), options.few)
                for slaves in (1, 2):
                    command = [sys.executable, "-c", _PROGRAM, f"{folder}/xyz.npy", str(slaves)]
                    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
                    seconds[f"example, {slaves} slave{'s' * (slaves > 1)}"] = (float(done.stdout), options.frames)
                for name, (took, frames) in seconds.items():
                    rate = frames * (frames - 1) / 2 / took
                    best[name] = max(best.get(name, 0.0), rate)
        finally:
            subprocess.run([*biskit_pvm, "halt", "--yes"], env=env, check=False, capture_output=True)
    print(f"{options.frames} frames of {options.atoms} atoms, {os.cpu_count()} processors, pairs per second:")
    for name, rate in best.items():
        print(f"{name:<28} {rate:>10,.0f}")
    print(json.dumps({name: round(rate) for name, rate in best.items()}))


if __name__ == "__main__":
    main()
