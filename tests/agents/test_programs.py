"""Other programs as opponents: found, limited, timed, started again, and ended; the real ones where they are."""

import contextlib
import gc
import logging
import sys
from pathlib import Path
from shutil import which

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.baselines import conversation, program_policy, programs
from agents.baselines.conversation import LostProgramError
from agents.baselines.gtp import GtpDialect
from agents.baselines.random import RandomPolicy
from agents.baselines.uci import UciDialect, position_command
from rlplat.errors import ConfigError, GameError, ProgramError, RegistryError
from rlplat.evaluation.arena import play_match
from rlplat.evaluation.opponents import parse_opponent
from rlplat.registry import resolve

FAKE = Path(__file__).with_name("fake_program.py")


def needs(program):
    found = which(program, path="/usr/games:/usr/local/games:/usr/bin:/usr/local/bin")
    return pytest.mark.skipif(found is None, reason=f"needs {program}: apt-get install {program}")


@pytest.fixture(scope="module")
def chess():
    return resolve("chess", kind="game").load()


@pytest.fixture(scope="module")
def go():
    return resolve("go", kind="game").load(size=5, komi=0.5)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Make the opponent of a protocol whose program has a fault."""
    made = []
    monkeypatch.setattr(conversation, "END_S", 0.1)

    def make(protocol, fault, game, limits=":wait_s=20"):
        settings = tmp_path / "settings.yaml"
        settings.write_text(f"programs: {{fake: {sys.executable} {FAKE} {protocol} {fault} {tmp_path / 'mark'}}}\n")
        monkeypatch.setenv("RLPLAT_SETTINGS", str(settings))
        limits = f":nodes=5{limits}" if protocol == "uci" else limits
        made.append(parse_opponent(f"{protocol}:fake{limits}").make_policy(game, 0))
        return made[-1]

    yield make
    for policy in made:
        policy.close()


def test_a_program_answers_for_every_state(fake, chess, go):
    states = [chess.state_from_moves(moves) for moves in ("e4", "d4", "a3")]
    assert [s.action_text(a) for s, a in zip(states, fake("uci", "none", chess).act(states), strict=True)] == ["e5"] * 3
    states = [go.initial_state(), go.state_from_moves("B2 pass")]
    assert [s.action_text(a) for s, a in zip(states, fake("gtp", "none", go).act(states), strict=True)] == ["C3"] * 2


@pytest.mark.parametrize("protocol, moves, text", [("uci", "e4", "e5"), ("gtp", "B2", "C3")])
def test_a_program_that_crashes_is_started_again(fake, request, caplog, protocol, moves, text):
    game = request.getfixturevalue({"uci": "chess", "gtp": "go"}[protocol])
    state = game.state_from_moves(moves)
    with caplog.at_level(logging.WARNING):
        (action,) = fake(protocol, "crash_once", game).act([state])
    assert state.action_text(action) == text
    said = "has ended with exit code 3; it said: no memory left; it is started again"
    assert said in caplog.text


@pytest.mark.parametrize(
    "protocol, fault, message",
    [
        (
            "uci",
            "crash",
            "uci:fake:nodes=5:wait_s=20 has ended with exit code 3; it said: no memory left, for the second",
        ),
        ("gtp", "crash", "for the second time in one position of go, after B2"),
        ("uci", "hang", "did not answer in time, for the second time in one position of chess, after e4"),
        ("uci", "flood", "did not answer in time"),
        ("gtp", "hang", "did not answer in time"),
        ("uci", "e2e4", "chose 'e2e4', which is no legal move of chess after e4"),
        ("uci", "0000", "chose '0000', which is no legal move of chess"),
        ("gtp", "B2", "chose 'B2', which is no legal move of go after B2"),
        ("gtp", "nonsense", "answered 'nonsense' to 'genmove w'; GTP's answers begin with = or"),
    ],
)
def test_what_a_program_does_wrong_is_told(fake, request, protocol, fault, message):
    game = request.getfixturevalue({"uci": "chess", "gtp": "go"}[protocol])
    policy = fake(protocol, fault, game, ":wait_s=0.5" if fault in ("hang", "flood") else ":wait_s=20")
    with pytest.raises(ProgramError, match=message):
        policy.act([game.state_from_moves({"uci": "e4", "gtp": "B2"}[protocol])])


class Talker:
    """Says given lines, whatever it is told, and is lost after the last."""

    def __init__(self, lines):
        self.lines = iter(lines)

    def say(self, line):
        pass

    def hear(self, until_s):
        try:
            return next(self.lines)
        except StopIteration:
            raise LostProgramError("it has ended") from None


words = st.sampled_from(
    ["=", "?", "= C3", "= resign", "=1 C3", "readyok", "uciok", "bestmove", "bestmove e2e4", "", " ", "é"]
)


@given(st.sampled_from(["gtp", "uci"]), st.lists(words | st.text(max_size=8), max_size=12))
def test_whatever_a_program_says_gives_a_text_or_an_error_of_the_program(chess, go, protocol, lines):
    dialect, game = (GtpDialect("x", go, {}, 0), go) if protocol == "gtp" else (UciDialect("x", {"nodes": 1}), chess)
    start = game.initial_state()
    for ask in (lambda: dialect.greet(Talker(lines), 1.0), lambda: dialect.choose(Talker(lines), start, 1.0)):
        try:
            text = ask()
        except ProgramError as error:
            assert str(error)
        else:
            assert text is None or isinstance(text, str)
            with contextlib.suppress(GameError):  # which is no legal move, as the policy then says
                start.parse_action(text or "")


def test_a_move_that_a_program_refuses_and_resignation(fake, go):
    with pytest.raises(ProgramError, match="refused 'play b A1': illegal move"):
        fake("gtp", "none", go).act([go.state_from_moves("A1")])
    state = go.state_from_moves("B2")
    assert state.action_text(fake("gtp", "resign", go).act([state])[0]) == "pass"


def test_a_program_that_does_not_begin_is_told(fake, chess, go, monkeypatch):
    monkeypatch.setattr(program_policy, "START_S", 0.5)
    with pytest.raises(ProgramError, match="uci:fake:nodes=5:wait_s=20 did not answer in time"):
        fake("uci", "silent", chess)
    monkeypatch.setattr(program_policy, "START_S", 20.0)
    with pytest.raises(ProgramError, match="the program has no option 'Skill Level'"):
        fake("uci", "none", chess, ":skill=3")
    with pytest.raises(ProgramError, match="the program takes UCI_Elo from 1350 to 2850, not 1000"):
        fake("uci", "none", chess, ":elo=1000")
    fake("uci", "none", chess, ":elo=1350")
    with pytest.raises(ProgramError, match="the program has no command 'level'; leave out level=3"):
        fake("gtp", "none", go, ":level=3")


def test_a_program_ends_with_its_policy(fake, chess):
    policy = fake("uci", "none", chess)
    closed = psutil.Process(policy._program.pid)
    policy.close()
    assert not closed.is_running()
    assert len(policy.act([chess.state_from_moves("e4")])) == 1  # who goes on after all has it started again
    policy.close()
    forgotten = parse_opponent("uci:fake:nodes=1").make_policy(chess, 0)
    child = psutil.Process(forgotten._program.pid)
    del forgotten
    gc.collect()
    assert not child.is_running()


@pytest.mark.parametrize(
    "name, game, message",
    [
        ("uci", "chess", "opponent 'uci:': name a program and its limit, as in uci:stockfish:nodes=1000"),
        ("uci:stockfish", "chess", "name a program and its limit"),
        ("uci:stockfish:skill=3", "chess", "name a program and its limit"),
        ("uci:stockfsh:nodes=3", "chess", "no program is named 'stockfsh'; did you mean stockfish"),
        ("uci:gnugo:nodes=3", "chess", "no program is named 'gnugo'; there are: stockfish; one of your own gets"),
        ("uci:/bin/sh:nodes=3", "chess", "no program is named '/bin/sh'"),
        ("uci:stockfish:nodes=x", "chess", "nodes is 'x'; it must be a whole number from 1 to 1e"),
        ("uci:stockfish:nodes=1.5", "chess", "nodes is '1.5'; it must be a whole number"),
        ("uci:stockfish:time_s=0", "chess", "time_s is '0'; it must be a number from 0.001 to 3600"),
        ("uci:stockfish:node=5", "chess", "'node' is no limit; did you mean nodes"),
        ("uci:stockfish:Debug Log File=/tmp/x", "chess", "'Debug Log File' is no limit"),
        ("uci:stockfish:nodes=5", "go", "go is no game of UCI"),
        ("gtp", "go", "opponent 'gtp:': name a program, as in gtp:gnugo:level=1"),
        ("gtp:gnugo:level=1", "chess", "chess is no game of GTP"),
        ("gtp:gnugo:nodes=1", "go", "'nodes' is no limit; there are: level, time_s, wait_s"),
    ],
)
def test_a_name_that_leads_to_no_program_is_refused(request, name, game, message):
    with pytest.raises(RegistryError, match=message):
        parse_opponent(name).make_policy(request.getfixturevalue(game), 0)


def test_a_missing_program_is_told_with_its_package(monkeypatch, tmp_path, chess, go):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "GAMES_FOLDERS", ())
    with pytest.raises(ProgramError, match=r"there is no program gnugo on this machine; .*: apt-get install gnugo"):
        parse_opponent("gtp:gnugo").make_policy(go, 0)
    with pytest.raises(
        ProgramError, match=r"there is no program stockfish on this machine; .*apt-get install stockfish"
    ):
        parse_opponent("uci:stockfish:nodes=5").make_policy(chess, 0)
    settings = tmp_path / "settings.yaml"
    settings.write_text("programs: {mine: gone --fast}")
    monkeypatch.setenv("RLPLAT_SETTINGS", str(settings))
    with pytest.raises(ProgramError, match=r"there is no program gone on this machine; mend .*settings.yaml"):
        parse_opponent("gtp:mine").make_policy(go, 0)
    for wrong, message in (("[a]", "must name command lines"), ("{a: ''}", "a is empty"), ('{a: "\'"}', "No closing")):
        settings.write_text(f"programs: {wrong}")
        with pytest.raises(ConfigError, match=message):
            parse_opponent("gtp:mine").make_policy(go, 0)


def test_a_position_is_named_as_uci_wants_it(chess):
    assert position_command(chess.initial_state()) == "position startpos"
    assert position_command(chess.state_from_moves("e4 e5 Nf3")) == "position startpos moves e2e4 e7e5 g1f3"
    state = chess.state_from_text("8/P6k/8/8/8/8/7K/8 w - - 3 60")
    state.play("a8=N")
    assert position_command(state) == "position fen 8/P6k/8/8/8/8/7K/8 w - - 3 60 moves a7a8n"


@needs("stockfish")
def test_stockfish_mates_and_wins():
    short = resolve("chess", kind="game").load(max_length=200)
    policy = parse_opponent("uci:stockfish:nodes=200:skill=20").make_policy(short, 0)
    mate_in_one = short.state_from_text("6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1")
    assert mate_in_one.action_text(policy.act([mate_in_one])[0]) == "Ra8#"
    match = play_match(short, policy, RandomPolicy(1), num_games=2, opening_plies=2, seed=0)
    assert match.score.wins == 2
    states = [short.state_from_moves("e4 e5"), short.state_from_moves("d4")]
    assert policy.act(states).tolist() == policy.act(states[::-1]).tolist()[::-1]


@needs("gnugo")
def test_gnu_go_takes_and_wins(go):
    policy = parse_opponent("gtp:gnugo:level=1:time_s=5").make_policy(go, 0)
    atari = go.state_from_moves("C2 C3 B3 A1 D3 E1")
    assert atari.action_text(policy.act([atari])[0]) == "C4"
    match = play_match(go, policy, RandomPolicy(1), num_games=4, opening_plies=1, seed=0)
    assert match.score.wins == 4
