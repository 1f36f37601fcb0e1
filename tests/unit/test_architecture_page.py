"""The tables on the page about the architecture are those of the code."""

from __future__ import annotations

from pathlib import Path

from biskit_pvm.jobs.master_state import MEANING, MOVES

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_states_of_a_slave_are_those_of_the_code():
    rows = ["| state | meaning |", "|---|---|", *(f"| {state.value} | {text} |" for state, text in MEANING.items())]
    assert "\n".join(rows) + "\n" in PAGE.read_text()


def test_the_moves_of_a_slave_are_those_of_the_code():
    rows = ["| from | to | when |", "|---|---|---|"]
    rows += [f"| {here.value} | {there.value} | {when} |" for (here, there), when in MOVES.items()]
    assert "\n".join(rows) + "\n" in PAGE.read_text()
