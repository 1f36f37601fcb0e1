"""The bar under a Jupyter cell, in a real notebook kernel."""

from __future__ import annotations

import pytest

CODE = """\
from biskit_pvm.report.progress_bar import NotebookBar, make_progress

progress = make_progress()
assert isinstance(progress, NotebookBar), progress
progress.started(50, 0)
for done in range(51):
    progress.update(done, 4, 2)
progress.message("slave node_1 has died")
progress.finished()
"""


def test_a_notebook_gets_a_bar_that_is_updated_in_place(monkeypatch: pytest.MonkeyPatch):
    # Without it, importing nbclient warns.
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    (bar,) = [o for o in outputs if o.output_type == "display_data"]
    assert '<progress value="50" max="50"' in bar.data["text/html"]
    assert "4 slaves on 2 hosts" in bar.data["text/html"]
    assert [o.text for o in outputs if o.output_type == "stream"] == ["slave node_1 has died\n"]
