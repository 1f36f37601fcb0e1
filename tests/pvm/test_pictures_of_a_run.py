"""Pictures and report of calculations that ran on real slaves."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ..support.vm import VirtualMachine

MASTER = """\
import os, sys
from biskit_pvm import CalculationError, TrackingJobMaster

here = os.path.dirname(os.path.abspath(__file__))
host = sys.argv[1]
master = TrackingJobMaster({i: i for i in range(20)}, 2, [host, host], verbose=0, max_tries=2,
                           slave_script=os.path.join(here, "slave.py"))
try:
    master.calculateResult()
except CalculationError as error:
    print("failed:", len(master.errors))
master.plotTimeline("run.png")
master.saveReport("run.html")
"""
SLAVE = """\
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, chunk):
        if 13 in chunk:
            raise ValueError("thirteen <is> bad luck")
        return chunk

if __name__ == "__main__":
    Slave().start()
"""


def test_a_run_with_a_fault_is_drawn_and_told(vm: VirtualMachine, tmp_path: Path):
    (tmp_path / "master.py").write_text(MASTER)
    (tmp_path / "slave.py").write_text(SLAVE)
    host = vm.python("import pvm_ext as p; print(p.config().hosts[0].name)").strip()
    done = vm.run([sys.executable, "master.py", host], cwd=tmp_path)
    assert "failed: 1" in done.stdout
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "run.html").read_text()
    assert "<h1>TrackingJobMaster</h1>" in page
    assert "<dt>items done</dt><dd>19 of 20</dd>" in page
    assert "ValueError: thirteen &lt;is&gt; bad luck" in page
    assert "slave.py&quot;, line 6, in go" in page
    assert "Failed items" in page
    rows = re.findall(rf"<tr><td>{host}_[01]</td><td>{host}</td>", page)
    assert len(rows) in (1, 2)
    assert page.count('<rect class="done"') >= 9
    assert page.count('<rect class="failed"') >= 2
