"""The terminal's table says the worst of a fault's runs, on lines that a log can show."""

import io

import pytest
from rich.console import Console

from drills.__main__ import WIDTH
from drills.summary import summarize
from drills.table import table
from tests.drills.test_judge import FAULT, FLOOR, run


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_narrow_terminal_a_fault_takes_few_lines_and_loses_no_figure(width: int) -> None:
    output = io.StringIO()
    runs = [run(((10.0, 10.2),)), run(((10.0, 13.0),))]
    Console(file=output, width=width).print(table([summarize(FAULT, runs, FLOOR)], width))
    text = output.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert len(text.splitlines()) < 16
    words = text.replace("│", " ").split()
    assert {"cut", "heal", "2.95", "none", "100%"} <= set(words)


def test_what_was_used_of_five_minutes_is_that_of_the_worst_run_and_fits_a_log() -> None:
    output = io.StringIO()
    Console(file=output, width=WIDTH).print(table([summarize(FAULT, [run(), run(((10.0, 13.0),))], FLOOR)], WIDTH))
    lines = output.getvalue().splitlines()
    cells = [cell.strip() for cell in next(line for line in lines if line.startswith("│ cut ")).split("│")]
    # 3 s of failures are all that a hundredth of five minutes allows.
    assert cells[1:4] == ["cut", "2", "missed a target"]
    assert "100%" in cells
    assert "0 of 20" in cells
    assert len(lines) < 12
