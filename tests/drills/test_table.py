"""The terminal's table says the worst of a fault's runs, on lines that a log can show."""

import io

from rich.console import Console

from drills.__main__ import WIDTH
from drills.summary import summarize
from drills.table import table
from tests.drills.test_judge import FAULT, FLOOR, run


def test_what_was_used_of_five_minutes_is_that_of_the_worst_run_and_fits_a_log() -> None:
    output = io.StringIO()
    Console(file=output, width=WIDTH).print(table([summarize(FAULT, [run(), run(((10.0, 13.0),))], FLOOR)]))
    lines = output.getvalue().splitlines()
    cells = [cell.strip() for cell in next(line for line in lines if line.startswith("│ cut ")).split("│")]
    # 3 s of failures are all that a hundredth of five minutes allows.
    assert cells[1:4] == ["cut", "2", "missed a target"]
    assert "100%" in cells
    assert "0 of 20" in cells
    assert len(lines) < 12
