import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import pytest

from rlplat.runs.console import Console
from rlplat.runs.progress import Budget, ProgressView, duration, number, plain_line

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


@dataclass(frozen=True)
class Row:
    opponent: str = "mcts:1000"
    num_games: int = 400
    wins: int = 300
    draws: int = 20
    losses: int = 80
    score: float = 0.775
    score_low: float = 0.73
    score_high: float = 0.81
    elo: float = 215.0
    elo_low: float = 173.0
    elo_high: float = float("inf")


VIEW = ProgressView(
    budgets=(Budget("updates", 1000, 5000), Budget("minutes", 1.5, 6.0)),
    elapsed_s=90.0,
    counts={"updates": 1000, "games": 5301},
    rates={"positions": 912.34, "simulations": 31_000.0},
    losses={"policy": 1.2345},
    measures={"policy entropy": 0.51},
)

SCRIPT = """
import sys, time
from rlplat.runs.console import Console
from rlplat.runs.progress import Budget, ProgressView
with Console("connect_four") as console:
    view = ProgressView((Budget("updates", 1, 4),), 10.0, {"games": 12345})
    console.show(view)
    console.message("a message [not markup]")
    ENDING
"""


def on_terminal(ending: str, interrupt: bool = False) -> bytes:
    """Run the script on a pseudo-terminal and return all that it wrote there."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    command = [sys.executable, "-c", SCRIPT.replace("ENDING", ending)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    output = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and select.select([ours], [], [], 10)[0]:
        try:
            output += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if interrupt and b"markup" in output:
            process.send_signal(signal.SIGINT)
            interrupt = False
    os.close(ours)
    process.wait(timeout=10)
    return output


def test_the_furthest_budget_tells_the_time_left() -> None:
    assert VIEW.leading == Budget("minutes", 1.5, 6.0)
    assert VIEW.remaining_s == 270.0
    assert ProgressView((), 5.0).remaining_s is None
    assert ProgressView((Budget("updates", 0, 10),), 5.0).remaining_s is None
    assert ProgressView((Budget("updates", 12, 10),), 5.0).remaining_s == 0.0


def test_durations_and_numbers_are_written_for_people() -> None:
    assert [duration(seconds) for seconds in (0, 59.6, 245, 3845, None)] == ["0:00", "1:00", "4:05", "1:04:05", "-"]
    assert [number(value) for value in (7, 12345.6, 912.34, 1.2345, 0.01234, float("nan"))] == [
        "7",
        "12,346",
        "912.3",
        "1.234",
        "0.01234",
        "nan",
    ]


def test_a_plain_line_holds_every_figure_of_the_view() -> None:
    assert plain_line(VIEW) == (
        "25.0 % of 6 minutes | updates 1,000 | games 5,301 | 912.3 positions/s | 31,000 simulations/s | "
        "policy loss 1.234 | policy entropy 0.51 | elapsed 1:30 | left 4:30"
    )


def test_a_pipe_gets_single_lines_at_intervals_without_escapes() -> None:
    stream = io.StringIO()
    with Console("run", stream=stream, interval_s=3600) as console:
        assert console.plain
        for _ in range(5):
            console.show(VIEW)
        console.show(VIEW, force=True)
        console.message("[bold]" + "long " * 60)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3 and "\x1b" not in stream.getvalue()
    assert re.match(r"\d\d:\d\d:\d\d 25.0 % of 6 minutes", lines[0])
    assert lines[2].startswith("[bold]long long")


def test_a_new_evaluation_is_told_at_once_and_once() -> None:
    stream = io.StringIO()
    console = Console("run", stream=stream, interval_s=3600)
    console.show(VIEW)
    evaluated = ProgressView(VIEW.budgets, VIEW.elapsed_s, evaluations=(Row(),), evaluated_at=1000)
    console.show(evaluated)
    console.show(evaluated)
    told = [line for line in stream.getvalue().splitlines() if "against mcts:1000" in line]
    assert len(told) == 1
    assert "at step 1,000 against mcts:1000: score 77.5 % [73.0, 81.0] | Elo +215 [+173, +∞]" in told[0]
    assert "300 won, 20 drawn, 80 lost of 400" in told[0]


def test_the_result_table_has_one_row_per_opponent() -> None:
    stream = io.StringIO()
    Console("run", stream=stream).result_table("Final results", [Row(), Row(opponent="random [x]")])
    text = stream.getvalue()
    assert "Final results" in text
    assert re.search(r"opponent +games +win +draw +loss +score \[95 %\] +Elo \[95 %\]", text)
    assert re.search(r"mcts:1000 +400 +300 +20 +80 +77.5 % \[73.0, 81.0\] +\+215 \[\+173, \+∞\]", text)
    assert "random [x]" in text


def test_a_terminal_shows_the_panel_and_is_given_back() -> None:
    output = on_terminal("pass")
    assert b"connect_four" in output and b"12,345" in output and b"25.0 %" in output
    assert b"a message [not markup]" in output
    assert output.index(HIDE) < output.rindex(SHOW) and output.rindex(HIDE) < output.rindex(SHOW)


def test_a_terminal_is_given_back_before_an_error_is_told() -> None:
    output = on_terminal("raise RuntimeError('boom')")
    assert output.rindex(HIDE) < output.rindex(SHOW) < output.index(b"Traceback")


def test_a_terminal_is_given_back_after_ctrl_c() -> None:
    output = on_terminal("time.sleep(60)", interrupt=True)
    assert output.rindex(HIDE) < output.rindex(SHOW) < output.index(b"KeyboardInterrupt")


def test_a_terminal_is_given_back_when_nobody_leaves_the_block() -> None:
    output = on_terminal("keep = Console('second'); keep.__enter__(); keep.show(view)\nconsole.close()")
    assert output.rindex(HIDE) < output.rindex(SHOW)


def test_columns_stay_where_they_are_while_numbers_grow():
    def columns(updates):
        stream = io.StringIO()
        with Console("run", plain=False, stream=stream) as console:
            console.rich.width = 120
            console.show(ProgressView((Budget("updates", updates, 5000),), 9.0, {"updates": updates, "games": updates}))
        line = next(line for line in re.sub(r"\x1b\[[^m]*m", "", stream.getvalue()).splitlines() if "games" in line)
        return line.index("games")

    assert columns(3) == columns(4999)


def test_a_phase_is_told_on_the_panel_and_as_a_line():
    panel, lines = io.StringIO(), io.StringIO()
    for plain, stream in ((False, panel), (True, lines)):
        with Console("run", plain=plain, stream=stream) as console:
            console.show(VIEW)
            console.phase("evaluating update 7")
    assert "evaluating update 7" in panel.getvalue()
    assert lines.getvalue().splitlines()[-1].endswith("evaluating update 7")


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_nothing_of_the_panel_is_cut_on_a_narrow_terminal(width):
    evaluations = (Row(), Row(opponent="checkpoint:runs/other@1200"))
    view = replace(
        VIEW,
        counts={"updates": 1000, "episodes": 5301, "positions": 155_416},
        measures={"policy entropy": 0.51, "value error": 0.314, "game length": 31.2, "cache hits": 0.42},
        evaluations=evaluations,
        advice="collectors wait for the learner 40 % of the time: it is the limit; lower agent.x",
    )
    stream = io.StringIO()
    with Console("run", plain=False, stream=stream) as console:
        console.rich.width = width
        console.show(view)
    lines = re.sub(r"\x1b\[[^m]*[a-zA-Z]", "", stream.getvalue()).splitlines()
    assert max(len(line) for line in lines) <= width
    text = " ".join(" ".join(line.strip("│ \r") for line in lines).split())
    assert "…" not in text
    for part in ("positions 155,416", "cache hits 0.42", "4:30 left", "agent.x"):
        assert part in text
    assert all(f"{row.opponent} " in text for row in evaluations)
    assert text.count("77.5 % [73.0, 81.0]") >= 2
    assert ("Elo" in text) == (width > 60) and (" win " in text) == (width >= 120)


def test_advice_is_a_line_of_its_own_and_told_when_it_changes():
    stream = io.StringIO()
    console = Console("run", stream=stream)
    for advice in ("", "lower x", "lower x", "lower y"):
        console.show(replace(VIEW, advice=advice), force=True)
    told = [line.split(" ", 1)[1] for line in stream.getvalue().splitlines() if "lower" in line]
    assert told == ["advice: lower x", "advice: lower y"]
