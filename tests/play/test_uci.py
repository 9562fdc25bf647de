"""Conversations in the Universal Chess Interface, as boards and referees lead them."""

import io
import re
import sys
import threading

import pytest
from conftest import ROOT, untrained_run
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.baselines.random import RandomPolicy
from rlplat.evaluation.arena import play_match
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.trained import load_trained
from rlplat.play.player import MOST, Player
from rlplat.play.uci import UciServer, centipawns

MATE_IN_ONE = "6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1"
MATED = "R5k1/5ppp/8/8/8/8/8/4K3 b - - 0 1"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return untrained_run(tmp_path_factory.mktemp("chess"), "{id: chess, parameters: {history: 1, max_length: 300}}")


@pytest.fixture(scope="module")
def trained(run):
    return load_trained(run, "latest")


def talk(trained, text, simulations=None):
    output = io.StringIO()
    UciServer(Player(trained, simulations), output).serve(text.splitlines(keepends=True))
    return output.getvalue().splitlines()


def best(lines):
    return [line.split()[1] for line in lines if line.startswith("bestmove")]


def test_a_board_begins_and_asks_for_a_move(trained):
    lines = talk(trained, "uci\nsetoption name Hash value 4\nisready\nucinewgame\nposition startpos\ngo nodes 20")
    assert lines[0].startswith("id name rlplat ") and lines[0].endswith(" run@5")
    assert lines[1:4] == ["id author rlplat", "uciok", "readyok"]
    info, move = lines[4:]
    assert re.fullmatch(r"info time \d+ nodes 20 score cp -?\d+ pv( [a-h][1-8][a-h][1-8])+", info)
    assert re.fullmatch("bestmove [a-h][1-8][a-h][1-8]", move)
    assert info.split(" pv ")[1].split()[0] == move.split()[1]


def test_moves_and_positions_are_set_up(trained):
    start = trained.game.state_from_moves("e4 e5 Nf3")
    (move,) = best(talk(trained, "position startpos moves e2e4 e7e5 g1f3\ngo nodes 30"))
    assert start.parse_action(move) in start.legal_actions()
    assert best(talk(trained, f"position fen {MATE_IN_ONE}\ngo nodes 2000")) == ["a1a8"]
    assert best(talk(trained, f"position fen {MATE_IN_ONE} moves a1a8\ngo nodes 5")) == ["0000"]
    assert best(talk(trained, f"position fen {MATED}\ngo movetime 10")) == ["0000"]


@pytest.mark.parametrize(
    "limits",
    ["movetime 200", "wtime 3000 btime 10 winc 0 binc 0", "wtime 500 btime 500 movestogo 2", "depth 3", "", "x"],
)
def test_every_limit_leads_to_one_move(trained, limits):
    lines = talk(trained, f"position startpos\ngo {limits}", simulations=None if "time" in limits else 5)
    assert len(best(lines)) == 1
    assert lines[-1].startswith("bestmove") and best(lines) != ["0000"]


def test_it_is_ready_while_it_thinks_and_stops_when_told(trained):
    """An endless search waits for `stop`, however many simulations it has made."""
    heard, output = threading.Event(), io.StringIO()
    server = UciServer(Player(trained, 10), output)

    def lines():
        yield from ("position startpos", "go infinite", "isready")
        heard.set()
        assert "bestmove" not in output.getvalue()
        yield "stop"

    server.serve(lines())
    assert heard.is_set()
    assert "readyok" in output.getvalue()
    assert output.getvalue().splitlines()[-1].startswith("bestmove")


@pytest.mark.parametrize("told", ["stop", "quit\nuci"])
@pytest.mark.parametrize("simulations, limit", [(None, f"nodes {MOST}"), (MOST, "wtime 1000 btime 1000")])
def test_a_search_of_a_number_of_simulations_stops_when_told(trained, simulations, limit, told):
    info, move = talk(trained, f"position startpos\ngo {limit}\n{told}", simulations)
    assert int(info.split(" nodes ")[1].split()[0]) < MOST
    assert re.fullmatch("bestmove [a-h][1-8][a-h][1-8]", move)


@pytest.mark.parametrize(
    "line, said",
    [
        ("position startpos moves e2e5", "info string chess: 'e2e5' is no legal move here"),
        ("position fen 8/8 w", "info string chess: '8/8 w' is no position: a FEN has six fields"),
        ("position", "info string a position is startpos, or fen and its six fields"),
        ("position mine", "info string a position is startpos, or fen and its six fields"),
    ],
)
def test_what_is_no_position_is_told_and_has_no_move(trained, line, said):
    lines = talk(trained, f"{line}\ngo nodes 5\nposition startpos\ngo nodes 5")
    assert lines[0].startswith(said)
    assert best(lines)[0] == "0000" and best(lines)[1] != "0000"


def test_a_draw_that_nobody_claims_is_played_on(trained):
    shuffle = "g1f3 g8f6 f3g1 f6g8 " * 2
    (move,) = best(talk(trained, f"position startpos moves {shuffle}\ngo nodes 5"))
    assert move != "0000"
    (move,) = best(talk(trained, f"position startpos moves {shuffle} e2e4\ngo nodes 5"))
    assert trained.game.state_from_moves("e4").parse_action(move) >= 0


def test_centipawns_grow_with_the_value():
    assert [centipawns(value) for value in (-1, 0, 1)] == [-2400, 0, 2400]
    assert centipawns(9 / 11) == 400  # odds of 10 to 1
    assert centipawns(0.3) == -centipawns(-0.3) > 0


words = st.sampled_from(
    ["uci", "isready", "position", "startpos", "fen", "moves", "e2e4", "go", "nodes", "1", "-5", "stop", "wtime", "é"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(words, max_size=5).map(" ".join) | st.text(max_size=10), max_size=6))
def test_any_lines_are_borne_and_each_go_has_its_move(trained, lines):
    found = talk(trained, "\n".join(lines), simulations=1)
    gos = [line.split()[0] for line in "\n".join(lines).splitlines() if line.split()[:1] == ["go"]]
    assert len(best(found)) == len(gos)


def test_it_plays_a_match_as_another_program_would_see_it(trained, run, tmp_path, monkeypatch):
    """Through our own side of the protocol: both ends agree on rules and moves to the end of each game."""
    (tmp_path / "settings.yaml").write_text(
        f"programs: {{mine: env PYTHONPATH={ROOT} {sys.executable} -m rlplat uci {run} --simulations 1}}\n"
    )
    monkeypatch.setenv("RLPLAT_SETTINGS", str(tmp_path / "settings.yaml"))
    policy = parse_opponent("uci:mine:nodes=1").make_policy(trained.game, 0)
    match = play_match(trained.game, policy, RandomPolicy(0), num_games=2, opening_plies=4, seed=0)
    policy.close()
    assert len(match.games) == 2
