"""Games as PGN: what is written is read again, files by hand are understood, and wrong ones are told where."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplat.errors import NotationError, RlplatError
from rlplat.notation.record import RESULTS, GameRecord
from rlplat.registry import resolve

ENDGAME = "8/P6k/8/8/8/8/7K/8 b - - 3 60"


@pytest.fixture(scope="module")
def chess():
    return resolve("chess", kind="game").load()


def read(text, **parameters):
    definition = resolve("chess", kind="game")
    return definition.record.read(text, definition, parameters, source="a.pgn")


def write(*records):
    return records[0].state.game.definition.record.write(records)


def random_game(state, seed, most=600):
    rng = np.random.default_rng(seed)
    while not state.is_terminal and state.num_moves < most:
        state.apply(int(rng.choice(state.legal_actions())))
    return state


def test_random_games_are_read_as_they_were_written(chess):
    starts = [chess.initial_state(), chess.initial_state(), chess.state_from_text(ENDGAME), chess.initial_state()]
    records = [
        GameRecord(
            state, float(state.returns[0]) if state.is_terminal else None, ('a "b" \\', "c"), "cup", "2026.01.31"
        )
        for state in (
            random_game(state, seed, most)
            for seed, (state, most) in enumerate(zip(starts, (600, 9, 50, 0), strict=True))
        )
    ]
    text = write(*records)
    assert max(map(len, text.splitlines())) < 80
    found = read(text)
    assert [record.state.actions for record in found] == [record.state.actions for record in records]
    assert [str(record.state) for record in found] == [str(record.state) for record in records]
    assert [(r.outcome, r.players, r.event, r.date) for r in found] == [
        (r.outcome, r.players, r.event, r.date) for r in records
    ]


def test_a_short_game_is_written_as_the_standard_shows_it(chess):
    state = chess.state_from_moves("f3 e5 g4 Qh4#")
    assert write(GameRecord(state, -1.0, ("Fool", "Scholar"), "Mate", "2026.01.31")) == (
        '[Event "Mate"]\n[Site "?"]\n[Date "2026.01.31"]\n[Round "?"]\n[White "Fool"]\n[Black "Scholar"]\n'
        '[Result "0-1"]\n\n1. f3 e5 2. g4 Qh4# 0-1\n'
    )
    moved = chess.state_from_text(ENDGAME)
    moved.play("Kg7 a8=Q")
    text = write(GameRecord(moved, None))
    assert f'[SetUp "1"]\n[FEN "{ENDGAME}"]\n' in text
    assert text.endswith("\n60... Kg7 61. a8=Q *\n")


def test_a_file_as_other_programs_write_it_is_read():
    text = (
        '\ufeff% made by hand\n[Event "A \\"cup\\""]\n[White "?"] [Result "1-0"]\n\n'
        "1.e4 {best; by test (1. d4)} e5 $1 2. Nf3! ; to the end (of the line\n"
        "(2. f4 exf4 (2... d5 3. exd5) 3. Bc4 *) 2... Nc6 3.Bb5 a6 4. 0-0 $10 1-0\n"
        '[White "next"]\n\n1. d2d4\n[White "last"]\n*'
    )
    first, second, third = read(text)
    assert first.state.moves_text() == "e4 e5 Nf3 Nc6 Bb5 a6 O-O"
    assert (first.event, first.outcome, first.players) == ('A "cup"', 1.0, ("", ""))
    assert (second.state.moves_text(), second.outcome, second.players[0]) == ("d4", None, "next")
    assert (third.state.num_moves, third.players[0]) == (0, "last")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "a.pgn, line 1, column 1: there is no game"),
        ("1. e4 e5\n2. Ke3 *", "line 2, column 4: move 3 is 'Ke3', but it is not legal after e4 e5"),
        ("1. f3 e5 2. g4 Qh4 3. a3", "column 23: move 5 is 'a3', but the game is over"),
        ("1. e4 {never closed", "column 7: this comment lacks its '}'"),
        ("1. e4 (1. d4 (1. c4)", r"column 7: this variation lacks its '\)'"),
        ("1. e4 ) e5", r"column 7: found '\)'; there must be a move"),
        ('[Event "x]\n1. e4', "line 1, column 1: this tag is malformed"),
        ('[FEN "8/8/8/8/8/8/8/8 w - - 0 1"]\n*', "line 1, column 1: chess: .* is no position: White has not"),
        ("1. e4 & e5", "column 7: found '&'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, message):
    with pytest.raises(NotationError, match=message):
        read(text)


pieces = st.sampled_from(
    [
        "1.",
        " ",
        "e4",
        "e5",
        "Nf3",
        "(",
        ")",
        "{",
        "}",
        ";",
        "\n",
        "[",
        "]",
        '[Event "x"]',
        '"',
        "*",
        "1-0",
        "$1",
        "0-0",
        "é",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        records = read(text)
    except RlplatError as error:
        assert "a.pgn, line" in str(error)
    else:
        assert records


def test_python_chess_reads_what_is_written(chess):
    oracle = pytest.importorskip("chess.pgn", reason="python-chess (GPL) is not installed; it serves as an oracle only")
    states = [random_game(chess.initial_state(), 7), random_game(chess.state_from_text(ENDGAME), 8)]
    file = io.StringIO(write(*(GameRecord(state, float(state.returns[0]), ("a", "b")) for state in states)))
    for state in states:
        found = oracle.read_game(file)
        assert found.errors == []
        assert found.end().board().fen() == str(state).splitlines()[-1]
        assert (found.headers["Black"], found.headers["Result"]) == ("b", RESULTS[float(state.returns[0])])
        assert read(str(found))[0].state.actions == state.actions
