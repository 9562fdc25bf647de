import contextlib
import io
import re
from collections.abc import Callable

import pytest

from rlplat.evaluation.judge import Judgement
from rlplat.jobs.overview import JobInfo, Overview
from rlplat.jobs.report import print_jobs
from rlplat.reports import Result
from rlplat.tables import print_judgements, print_results

RESULTS = [
    Result("tree.connect_four.null", 5.21e6, "simulations/s", min=5.14e6, max=5.24e6, **dict.fromkeys("abcdefgh", 64)),
    Result("tree.connect_four.open_spiel_rollout", None, "simulations/s", note="it is not installed " * 5),
]
JOB = JobInfo("first", "/first", "failed", "first-1", None, {"updates": 128}, None, None, "alpha beta gamma delta " * 9)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def lines_on_terminal(monkeypatch):
    """What a function prints on a terminal of 80 columns, without its colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")

    def lines(show: Callable[..., None], *arguments: object) -> list[str]:
        with contextlib.redirect_stdout(Terminal()) as stream:
            show(*arguments)
        return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()

    return lines


def test_a_pipe_gets_one_line_for_each_row(capsys, tmp_path):
    print_results(RESULTS)
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "value", "unit", "details"]
    assert [row.split()[0] for row in rows] == [result.name for result in RESULTS]
    assert "min 5,140,000, max 5,240,000, a 64" in rows[0]
    print_jobs(Overview([JOB], tmp_path, "down", None))
    assert JOB.message.strip() in capsys.readouterr().out.splitlines()[-1]


def test_a_narrow_terminal_shows_the_fields_of_a_result_below_it(lines_on_terminal):
    lines = lines_on_terminal(print_results, RESULTS)
    assert max(map(len, lines)) <= 80
    assert lines[0] == "tree.connect_four.null                5,210,000  simulations/s"
    assert lines[1].startswith("    min 5,140,000, max 5,240,000, a 64")
    assert [line for line in lines if not line.startswith(" ")][1].split() == [RESULTS[1].name, "simulations/s"]


def test_a_narrow_terminal_breaks_texts_and_no_numbers(lines_on_terminal, tmp_path):
    judgement = Judgement("middle", 1000, 0.125, 0.105, 0.26, 0.25, 0.14, 0.4, None, 1.5, 7)
    _, row = lines_on_terminal(print_judgements, [judgement])
    assert row.split("  ")[-1].strip() == "[14.0, 40.0]"
    lines = lines_on_terminal(print_jobs, Overview([JOB], tmp_path, "down", None))
    table = lines[lines.index("") + 1 :]
    assert max(map(len, table)) <= 80
    assert table[1].split()[:5] == ["first", "failed", "first-1", "128", "updates"]
    assert " ".join(table).split()[-36 + 5 :] == JOB.message.split()[-31:]
