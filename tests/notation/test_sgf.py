"""Games as SGF: what is written is read again, files by hand are understood, and wrong ones are told where."""

import subprocess
from shutil import which

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplat.errors import NotationError, RlplatError
from rlplat.notation.record import GameRecord
from rlplat.registry import resolve

GAMES = [
    ("go", {"size": 5, "komi": 0.5}),
    ("go", {"size": 19}),
    ("hex", {"size": 5, "swap": 1}),
    ("gomoku", {"size": 7}),
    ("othello", {"size": 6}),
]


def definition(name):
    return resolve(name, kind="game")


def read(name, text, **parameters):
    found = definition(name)
    return found.record.read(text, found, parameters, source="a.sgf")


def write(*records):
    return records[0].state.game.definition.record.write(records)


def random_game(game, seed, most=400):
    state, rng = game.initial_state(), np.random.default_rng(seed)
    while not state.is_terminal and state.num_moves < most:
        state.apply(int(rng.choice(state.legal_actions())))
    return state


@pytest.mark.parametrize("name, parameters", GAMES, ids=lambda value: value if isinstance(value, str) else "")
def test_random_games_are_read_as_they_were_written(name, parameters):
    game = definition(name).load(**parameters)
    records = [
        GameRecord(
            state, float(state.returns[0]) if state.is_terminal else None, ("one]", "a\\b"), "cup: 1", "2026-01-31"
        )
        for state in (random_game(game, seed, most) for seed, most in ((1, 400), (2, 400), (3, 4), (4, 0)))
    ]
    found = read(name, write(*records), **parameters)
    assert [record.state.actions for record in found] == [record.state.actions for record in records]
    assert [record.state.game.parameters for record in found] == [game.parameters] * 4
    assert [(r.outcome, r.players, r.event, r.date) for r in found] == [
        (r.outcome, r.players, r.event, r.date) for r in records
    ]


@pytest.mark.parametrize(
    "name, moves, written",
    [
        ("go", "D4 Q16 pass", ";B[dp];W[pd];B[]"),
        ("othello", "f5 d6", ";B[fe];W[df]"),
        ("gomoku", "a1 b15", ";B[ao];W[ba]"),
        ("hex", "b4 swap c3", ";B[b4];W[swap-pieces];B[c3]"),
    ],
)
def test_moves_are_written_as_sgf_wants_them(name, moves, written):
    parameters = {"go": {"size": 19}, "gomoku": {"size": 15}, "hex": {"swap": 1}}.get(name, {})
    state = definition(name).load(**parameters).state_from_moves(moves)
    assert written in write(GameRecord(state, None))


def test_a_file_as_other_programs_write_it_is_read():
    text = (
        "(;GM[1]FF[3]SZ[9] KoMi[6.5]  PlayerBlack[Lee\\] \nSe] C[a (comment\\: with \\\\ and; signs)]RE[W+R]\n"
        "(;B[ee](;W[gc]C[main];Black[tt])(;W[cc];B[dd]))(;B[aa]))\n (;GM[1]SZ[9:9];B[])"
    )
    first, second = read("go", text)
    assert first.state.moves_text() == "E5 G7 pass"
    assert first.state.game.parameters["komi"] == 6.5
    assert (first.players, first.outcome) == (("Lee] Se", ""), -1.0)
    assert second.state.moves_text() == "pass"
    assert read("othello", "(;GM[2];B[fe])")[0].state.game.parameters == {"size": 8}


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("go", "", r"a.sgf, line 1, column 1: there is no game; SGF begins with '\(;'"),
        ("go", "\nhello", r"line 2, column 1: found 'h'; a game begins with '\(;'"),
        ("go", "(;SZ[9]\n;B[ee]", r"line 1, column 1: the text ends inside a game; this '\(' lacks its '\)'"),
        ("go", "(;SZ[9]\n;B[ee", "line 2, column 3: this value of B lacks its '\\]'"),
        ("go", "(;SZ[9]\n;B ee", "line 2, column 4: B has no value: found 'e'"),
        ("go", "()", r"column 2: found '\)'; after '\(' there must be ';'"),
        ("go", "(;SZ[9](;B[aa]);W[bb])", "column 16: found ';'; after a branch"),
        ("go", "(;B[aa]B[bb])", "column 8: B comes twice in one node"),
        ("go", "(;x[aa])", "column 3: 'x' has no capital letter"),
        ("go", "(;GM[2])", "column 3: this is game number 2; go is written as GM"),
        ("hex", "(;SZ[5])", "column 1: this is game number 1; hex is written as GM"),
        ("go", "(;SZ[nine])", "column 3: SZ is 'nine'; it must be a number"),
        ("go", "(;SZ[9:13])", "column 3: SZ is '9:13'; it must be a number"),
        ("go", "(;SZ[44])", "column 3: go: size is 44; it must be a whole number from 5 to 19"),
        ("go", "(;SZ[9]AB[aa][bb];W[cc])", "column 8: AB sets stones up"),
        ("go", "(;SZ[9];B[aa]W[bb])", "column 14: one node has moves of both B and W"),
        ("go", "(;SZ[9];B[aa][bb])", "column 9: B has 2 values"),
        ("go", "(;SZ[9];W[aa])", "column 9: move 1 is of W; it is B's turn"),
        ("go", "(;SZ[9];B[aa]\n;W[aa])", r"line 2, column 2: move 2 is 'W\[aa\]', but it is not legal after A9"),
        ("go", "(;SZ[9];B[zz])", r"column 9: move 1 is 'B\[zz\]', but it is not legal"),
        ("go", "(;SZ[9];B[];W[];B[aa])", r"column 17: move 3 is 'B\[aa\]', but the game is over"),
        ("hex", "(;GM[11]SZ[5];B[b2];W[swap-pieces])", r"W\[swap-pieces\]', but it is not legal"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(name, text, message):
    with pytest.raises(NotationError, match=message):
        read(name, text)


def test_ten_thousand_open_branches_are_no_harm():
    with pytest.raises(NotationError, match="lacks its"):
        read("go", "(;" * 10_000)


pieces = st.sampled_from(
    ["(", ")", ";", "B", "W", "[", "]", "aa", "[bc]", "\\", "SZ[9]", "GM[2]", "KM[x]", "\n", "é", "0"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        read("go", text)
    except RlplatError as error:
        assert "a.sgf, line" in str(error)


@pytest.mark.skipif(which("gnugo", path="/usr/games:/usr/bin") is None, reason="needs GNU Go: apt-get install gnugo")
def test_gnu_go_reads_what_is_written(tmp_path):
    state = definition("go").load(size=9).state_from_moves("E5 C3 G7 pass D5")
    (tmp_path / "game.sgf").write_text(write(GameRecord(state, None)))
    commands = f"loadsgf {tmp_path / 'game.sgf'}\nlist_stones black\nlist_stones white\nget_komi\nquit\n"
    program = which("gnugo", path="/usr/games:/usr/bin")
    done = subprocess.run([program, "--mode", "gtp"], input=commands, capture_output=True, text=True, check=True)
    white_to_move, black, white, komi, _ = (
        answer.removeprefix("=").strip() for answer in done.stdout.strip().split("\n\n")
    )
    assert (white_to_move, set(black.split()), white, komi) == ("white", {"E5", "G7", "D5"}, "C3", "7.5")
