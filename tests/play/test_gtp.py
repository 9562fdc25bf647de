"""Conversations in the Go Text Protocol, as boards and referees lead them."""

import io
import re

import pytest
from conftest import rlplat, untrained_run
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplat.evaluation.trained import load_trained
from rlplat.play.gtp import GtpServer
from rlplat.play.player import Player


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return untrained_run(tmp_path_factory.mktemp("go"), "{id: go, parameters: {size: 5, komi: 0.5, history: 1}}")


@pytest.fixture(scope="module")
def trained(run):
    return load_trained(run, "latest")


@pytest.fixture
def server(trained):
    return GtpServer(Player(trained, 4))


def talk(server, text):
    """Answers to the lines of a text, without the empty lines that end them."""
    output = io.StringIO()
    server.serve(text.splitlines(keepends=True), output)
    assert output.getvalue().endswith("\n\n")
    return output.getvalue().removesuffix("\n\n").split("\n\n")


def test_a_controller_sets_up_and_plays(server):
    answers = talk(
        server,
        """\
        1 protocol_version
        2 name
        # a comment

        3 boardsize 5
        4 clear_board
        5 komi 2.5     # another than in training
        6 play black c3
        7 play w D3
        8 undo
        9 play WHITE pass
        10 showboard
        11 known_command genmove
        12 known_command quit
        13 known_command final_score
        14 quit
        15 name
        """,
    )
    assert answers[:9] == ["=1 2", "=2 rlplat run@5", "=3", "=4", "=5", "=6", "=7", "=8", "=9"]
    assert answers[9].startswith("=10 \n   A B C D E\n 5 . . . . .") and "\n 3 . . X . . 3" in answers[9]
    assert answers[10:] == ["=11 true", "=12 true", "=13 false", "=14"]


@pytest.mark.parametrize(
    "line, answer",
    [
        ("boardsize 9", "? unacceptable size"),
        ("boardsize", "? syntax error"),
        ("boardsize x", "? syntax error"),
        ("komi nan", "? syntax error"),
        ("komi 0.3", "? unacceptable komi: go refuses"),
        ("play b", "? syntax error"),
        ("play red C3", "? syntax error"),
        ("play b C9", "? illegal move"),
        ("play b I3", "? illegal move"),
        ("7 jump", "?7 unknown command"),
        ("7", "?7 syntax error"),
        ("undo", "? cannot undo"),
        ("loadsgf nothing.sgf", "? cannot load file: nothing.sgf cannot be read"),
        ("time_left b x 1", "? syntax error"),
    ],
)
def test_what_cannot_be_done_is_refused(server, line, answer):
    (found,) = talk(server, line)
    assert found.startswith(answer)
    assert "\n" not in found


def test_a_stone_on_a_stone_is_refused_and_changes_nothing(server):
    assert talk(server, "play b C3\nplay w C3\nplay w C2\nundo\nundo\nundo") == [
        "=", "? illegal move", "=", "=", "=", "? cannot undo",
    ]  # fmt: skip


def test_it_makes_legal_moves_to_the_end_of_a_game(server):
    colours, moves = "bw", []
    while moves[-2:] != ["pass", "pass"] and len(moves) < 60:
        (answer,) = talk(server, f"genmove {colours[len(moves) % 2]}")
        moves.append(answer.removeprefix("= "))
    assert all(re.fullmatch("[A-E][1-5]|pass", move) for move in moves)
    assert talk(server, "genmove b\nplay b A1") == ["= pass", "? illegal move"]  # the game is over
    assert talk(server, "undo\nundo")[-1] == "="


def test_two_moves_of_one_colour_are_a_pass_of_the_other(server):
    assert talk(server, "play b B2\nplay b C3\nplay b D4") == ["="] * 3
    (board,) = talk(server, "showboard")
    assert board.count("X") == 3
    (move,) = talk(server, "genmove w")
    assert talk(server, "undo\ngenmove w")[1] == move
    assert talk(server, "undo\nreg_genmove w\nundo")[1:] == [move, "="]  # nothing was played by it


@pytest.mark.parametrize(
    "clock",
    [
        *("time_settings 0 1 1", "time_settings 60 0 0\ntime_left b 1 0", "time_settings 0 9 0"),
        *("time_left b 1 -1", "time_left b -1 1", "time_settings 0 9 -1"),
    ],
)
def test_it_moves_by_the_clock(trained, clock):
    *_, answer = talk(GtpServer(Player(trained, None)), f"{clock}\ngenmove b")
    assert re.fullmatch("= ([A-E][1-5]|pass)", answer)


def test_a_file_is_loaded_up_to_a_move(server, tmp_path):
    path = tmp_path / "game.sgf"
    path.write_text("(;GM[1]SZ[5]KM[6.5];B[cc];W[bb];B[])")
    assert talk(server, f"loadsgf {path}\nundo\nundo\nundo\nundo")[-2:] == ["=", "? cannot undo"]
    assert talk(server, f"loadsgf {path} 2\nplay w D4\nundo\nundo\nundo")[-2:] == ["=", "? cannot undo"]
    path.write_text("(;GM[1]SZ[9];B[cc])")
    assert talk(server, f"loadsgf {path}") == ["? unacceptable size"]


def test_a_game_without_komi_is_loaded(tmp_path):
    run = untrained_run(tmp_path, "{id: gomoku, parameters: {size: 5}}")
    (tmp_path / "game.sgf").write_text("(;GM[4]SZ[5];B[cc];W[bb])")
    answers = talk(GtpServer(Player(load_trained(run, "latest"), 1)), f"loadsgf {tmp_path}/game.sgf\nundo\nkomi 6.5")
    assert answers == ["=", "=", "? unacceptable komi: gomoku has no parameter 'komi'; it has size, exact"]


words = st.sampled_from(
    [
        *("boardsize", "clear_board", "genmove", "known_command", "komi", "name", "play", "quit", "undo", "showboard"),
        *("time_left", "time_settings", "b", "w", "C3", "pass", "5", "0", "-1", "1e999", "#", "12", "é", "\t", "\x00"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(words, max_size=4).map(" ".join) | st.text(max_size=10), max_size=8))
def test_every_line_is_answered_in_the_form_of_the_protocol(trained, lines):
    server = GtpServer(Player(trained, 1))
    for line in lines:
        answer = server.answer(line)
        assert answer is None or re.fullmatch(r"[=?]\d*( [^\n]*)?(\n[^\n]+)*\n\n", answer)


def test_the_command_serves_over_pipes(run):
    from subprocess import run as start

    from conftest import command, environment

    asked = "boardsize 5\nclear_board\nkomi 0.5\ngenmove b\nquit\n"
    done = start(
        command("gtp", run, "--simulations", 2), input=asked, env=environment(), capture_output=True, text=True
    )
    assert re.fullmatch(r"=\n\n=\n\n=\n\n= ([A-E][1-5]|pass)\n\n=\n\n", done.stdout), done.stderr
    assert done.returncode == 0
    garbage = {"input": b"\xff\xfe\n1 na\xffme\n2 name\n", "env": environment() | {"PYTHONIOENCODING": "utf-8:strict"}}
    done = start(command("gtp", run), capture_output=True, **garbage)
    assert done.stdout == b"? unknown command\n\n?1 unknown command\n\n=2 rlplat run@5\n\n", done.stderr
    refused = rlplat("uci", run)
    assert refused.returncode == 1
    assert "plays go, which is not played by uci; take rlplat gtp" in refused.stderr
