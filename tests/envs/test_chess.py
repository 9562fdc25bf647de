"""Chess: counted lines of known positions, how games end, notations, and what planes and keys see of the past."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.games.chess import chess, fen
from rlplat.errors import GameError
from rlplat.evaluation.opponents import parse_opponent

START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
OPERA = (
    "e4 e5 Nf3 d6 d4 Bg4 dxe5 Bxf3 Qxf3 dxe5 Bc4 Nf6 Qb3 Qe7 Nc3 c6 Bg5 b5 Nxb5 cxb5 Bxb5+ Nbd7 O-O-O Rd8 Rxd7 Rxd7 Rd1"
    " Qe6 Bxd7+ Nxd7 Qb8+ Nxb8 Rd8#"
)
"""Morphy against the Duke of Brunswick and Count Isouard, Paris 1858."""

GAME = chess.load()
SHORT = chess.load(history=1)


def at(text):
    return GAME.state_from_text(text)


def legal(state, notation="uci"):
    return {state.action_text(action, notation) for action in state.legal_actions().tolist()}


@pytest.mark.parametrize(
    "text, counts",
    [
        (START, [20, 400, 8902, 197_281, 4_865_609]),
        ("r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1", [48, 2039, 97_862, 4_085_603]),
        ("8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", [14, 191, 2812, 43_238, 674_624, 11_030_083]),
        ("r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1", [6, 264, 9467, 422_333]),
        ("r2q1rk1/pP1p2pp/Q4n2/bbp1p3/Np6/1B3NBn/pPPP1PPP/R3K2R b KQ - 0 1", [6, 264, 9467, 422_333]),
        ("rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8", [44, 1486, 62_379, 2_103_487]),
        ("r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10", [46, 2079, 89_890, 3_894_594]),
    ],
)
def test_lines_of_play_are_as_many_as_others_count(text, counts):
    """Start, "Kiwipete", and positions 3, 4 (also with colours exchanged), 5 and 6 of the chess programming wiki."""
    state = at(text)
    assert fen(state) == text
    assert [state.count_lines(plies) for plies in range(1, len(counts) + 1)] == counts
    assert state.count_lines(3, one_by_one=True) == counts[2]


def test_a_position_with_the_most_legal_moves_fits():
    state = at("R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1")
    assert len(state.legal_actions()) == GAME.max_legal_actions == 218


def test_a_pinned_pawn_does_not_take_en_passant():
    pinned = at("8/8/8/K2Pp2r/8/8/8/7k w - e6 0 1")  # both pawns would leave the rank
    assert "d5e6" not in legal(pinned)
    assert fen(pinned).split()[3] == "-"
    free = at("8/8/8/3Pp3/8/8/8/K6k w - e6 0 1")
    free.play("d5e6")
    assert fen(free) == "8/8/4P3/8/8/8/8/K6k b - - 0 1"
    late = at("8/8/8/3Pp3/8/8/8/K6k w - e6 0 1")
    late.play("Ka2 Kh2")
    assert "d5e6" not in legal(late)


def test_a_pawn_becomes_any_of_four_pieces():
    state = at("1n5k/P7/8/8/8/8/8/K7 w - - 0 1")
    assert {move for move in legal(state) if move[0] == "a" and move[1] == "7"} == {
        "a7" + to + piece for to in ("a8", "b8") for piece in "qrbn"
    }
    state.play("axb8=N")
    assert fen(state) == "1N5k/8/8/8/8/8/8/K7 b - - 0 1"


@pytest.mark.parametrize(
    "text, drawn",
    [
        ("7k/8/8/8/8/8/8/K7 w - - 0 1", True),
        ("7k/8/8/8/8/8/8/KN6 w - - 0 1", True),
        ("7k/8/8/8/8/8/8/KB6 b - - 0 1", True),
        ("5b1k/8/8/8/8/8/8/K1B5 w - - 0 1", True),  # both on dark squares
        ("6bk/8/8/8/8/8/8/K1B5 w - - 0 1", False),
        ("7k/8/8/8/8/8/8/KNN5 w - - 0 1", False),
        ("6nk/8/8/8/8/8/8/KN6 w - - 0 1", False),
        ("7k/7p/8/8/8/8/8/K7 w - - 0 1", False),
        ("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1", True),  # stalemate
        ("7k/8/8/8/8/8/R7/K7 w - - 100 80", True),
        ("7k/8/8/8/8/8/R7/K7 w - - 99 80", False),
    ],
)
def test_draws_by_material_stalemate_and_fifty_moves(text, drawn):
    state = at(text)
    assert state.is_terminal == drawn
    assert not drawn or state.returns.tolist() == [0, 0]


def test_a_mate_with_the_last_of_fifty_moves_wins():
    state = at("7k/8/6K1/8/8/8/8/R7 w - - 99 80")
    quiet, mate = state.copy(), state.copy()
    quiet.play("Ra7")
    assert quiet.returns.tolist() == [0, 0]
    mate.play("Ra8#")
    assert mate.returns.tolist() == [1, -1]


def test_the_third_occurrence_of_a_position_is_a_draw():
    state = GAME.state_from_moves("Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1")
    assert not state.is_terminal
    state.play("Ng8")
    assert state.returns.tolist() == [0, 0]


def test_a_position_with_other_rights_to_castle_is_another():
    state = GAME.state_from_moves("e4 e5 Ke2 Ke7 Ke1 Ke8 Ke2 Ke7 Ke1 Ke8 Ke2")
    assert not state.is_terminal  # with the rights of the first time, this board has stood three times
    state.play("Ke7")
    assert state.is_terminal


def test_a_game_is_a_draw_at_its_maximum_length():
    game = chess.load(max_length=3)
    assert game.state_from_moves("e4 e5 d4").returns.tolist() == [0, 0]
    with pytest.raises(GameError, match="beyond max_length, 3 plies"):
        game.state_from_text(START.replace("0 1", "0 3"))


def test_a_game_in_san_reads_and_writes_itself():
    state = GAME.state_from_moves(OPERA)
    assert state.returns.tolist() == [1, -1]
    assert state.moves_text() == OPERA
    assert fen(state) == "1n1Rkb1r/p4ppp/4q3/4p1B1/4P3/8/PPP2PPP/2K5 b k - 1 17"
    replay, uci = GAME.initial_state(), []
    for action in state.actions:
        uci.append(replay.action_text(action, "uci"))
        replay.apply(action)
    assert uci[:2] == ["e2e4", "e7e5"] and uci[22] == "e1c1" and uci[-1] == "d1d8"
    assert GAME.state_from_moves(uci).actions == state.actions


@pytest.mark.parametrize(
    "text, uci, san, also",
    [
        ("7k/8/8/8/8/5N2/8/KN6 w - - 0 1", "b1d2", "Nbd2", ["Nb1d2", "N1d2", "b1d2"]),
        ("R7/8/8/8/8/8/8/R3K2k w - - 0 1", "a1a4", "R1a4", ["Ra1a4"]),
        ("1k6/8/8/8/4Q2Q/8/8/K6Q w - - 0 1", "h4e1", "Qh4e1", []),
        ("4k3/8/8/8/8/8/8/4K2R w K - 0 1", "e1g1", "O-O", ["0-0", "OO"]),
        ("1n2k3/P7/8/8/8/8/8/4K3 w - - 0 1", "a7b8q", "axb8=Q+", ["axb8Q", "ab8=Q", "axb8=Q"]),
        (START, "g1f3", "Nf3", ["Ngf3", "Nf3!?", "Ng1-f3"]),
        ("8/8/8/3Pp3/8/8/8/K6k w - e6 0 1", "d5e6", "dxe6", ["de6"]),
    ],
)
def test_moves_are_written_and_read_in_both_notations(text, uci, san, also):
    state = at(text)
    action = state.parse_action(uci)
    assert state.action_text(action) == state.action_text(action, "san") == san
    assert state.action_text(action, "uci") == uci
    assert [state.parse_action(other) for other in [san, *also]] == [action] * (1 + len(also))


@pytest.mark.parametrize("text", ["Nd2", "Ke1", "e5", "O-O", "b1", "", "b1d2q", "Nxd2x4"])
def test_a_text_that_means_no_legal_move_or_several_is_refused(text):
    state = at("7k/8/8/8/8/5N2/8/KN6 w - - 0 1")
    with pytest.raises(GameError, match=rf"'{text}' is no legal move here; legal are Ka2"):
        state.parse_action(text)
    with pytest.raises(GameError, match="no notation 'pgn'; it has san, uci"):
        state.action_text(state.legal_actions()[0], "pgn")


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "this has 0"),
        ("8/8/8/8 w - -", "ends in rank 5, before h1"),
        (START.replace("8/8/8/8", "8/8/8/9"), "'9' is no piece"),
        (START.replace("RNBQKBNR", "RNBQKBNRR"), "rank 1 has more than 8 squares"),
        (START.replace("PPPPPPPP", "PPPPPPP"), "rank 2 has 7 squares"),
        (START.replace("K", "Q", 1), "White has not exactly one king"),
        (START.replace(" w ", " x "), "it must be w or b"),
        (START.replace("RNBQKBNR", "1NBQKBNR"), "right to castle 'Q' needs"),
        (START.replace("KQkq", "KX"), "'X' is no right to castle"),
        (START.replace("- 0", "e3 0"), "'e3' is no square where White could take"),
        (START.replace("- 0", "e6 0"), "no pawn has just moved"),
        (START.replace("0 1", "-1 1"), "'-1' is no plies"),
        (START.replace("0 1", "0 0"), "'0' is no number of the move"),
        ("7k/8/8/8/8/8/8/K6R w - - 0 1", "not to move is in check"),
        ("P6k/8/8/8/8/8/8/K7 w - - 0 1", "a pawn stands on the first or last rank"),
        ("7k/PPPPPPPP/P7/8/8/8/8/K7 w - - 0 1", "8 pawns"),
        ("Q6Q/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBQQ1KB1 w - - 0 1", "White has more promoted pieces than it lacks pawns"),
        ("7k/PPPPPPPP/8/8/8/8/8/K5QQ w - - 0 1", "White has more promoted pieces"),
        ("4k3/8/8/8/4r3/5n2/3p4/4K3 w - - 0 1", "more than two pieces give check"),
    ],
)
def test_a_fen_that_is_malformed_or_cannot_occur_is_refused_with_the_reason(text, problem):
    with pytest.raises(GameError, match=problem):
        GAME.state_from_text(text)


def test_a_game_from_a_position_is_told_from_there():
    state = at("7k/8/8/8/8/8/8/KQ6 w - - 0 1")
    state.play("Qb7 Kg8")
    again = at("7k/8/8/8/8/8/8/KQ6 w - - 0 1")
    again.play(state.moves_text())
    assert state.moves_text() == "Qb7 Kg8" and str(again) == str(state)
    assert at(str(state)).hash == state.hash


def test_the_view_of_both_sides_is_the_same():
    """With colours exchanged, planes (but for the one that names White) and heuristic stay."""
    text = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQk - 3 5"
    board, _, _, _, *clocks = text.split()
    exchanged = " ".join(["/".join(reversed(board.swapcase().split("/"))), "b", "kqK", "-", *clocks])
    one, other = SHORT.state_from_text(text), SHORT.state_from_text(exchanged)
    same = [plane for plane in range(21) if plane not in (14, 15)]  # White to move; plies played
    assert (one.planes()[same] == other.planes()[same]).all()
    assert one.heuristic() == other.heuristic()
    assert one.planes()[14].all() and not other.planes()[14].any()


def test_planes_show_what_stands_where_from_the_view_of_the_player_to_move():
    start = GAME.initial_state()
    planes = start.planes()
    assert planes.shape == (119, 8, 8)
    assert planes[0, 6].all() and planes[0].sum() == 8  # own pawns below
    assert planes[6, 1].all() and planes[5, 7, 4] == 1 and planes[11, 0, 4] == 1
    assert not planes[12:112].any()
    assert planes[[112, 114, 115, 116, 117]].all() and not planes[[113, 118]].any()
    start.play("e4 c5 Nf3")
    planes = start.planes()
    assert planes[0, 6].tolist() == [1, 1, 0, 1, 1, 1, 1, 1] and planes[0, 4, 2] == 1  # Black's, seen from behind them
    assert planes[6, 3, 4] == 1 and planes[7, 2, 5] == 1
    assert planes[14 + 7, 0, 6] == 1 and planes[14 + 6, 3, 4] == 1  # before Nf3
    assert planes[28, 6, 2] == 1 and planes[28 + 6, 3, 4] == 1  # before c5
    assert planes[42 + 6, 1].all()  # before e4
    assert (planes[118] == np.float32(0.01)).all()


def test_actions_are_numbered_plane_by_plane_by_the_cell_that_a_piece_leaves():
    rng = np.random.default_rng(0)
    for _ in range(3):
        state = SHORT.initial_state()
        while not state.is_terminal:
            own = state.planes()[:6].sum(0).reshape(-1)
            assert all(own[action % 64] == 1 for action in state.legal_actions().tolist())
            state.apply(int(rng.choice(state.legal_actions())))


def board_in(planes, is_white):
    """The board of a FEN, read from the first twelve planes alone."""
    squares = np.full((8, 8), ".")
    for side, letters in enumerate(("PNBRQK", "pnbrqk") if is_white else ("pnbrqk", "PNBRQK")):
        for kind, letter in enumerate(letters):
            squares[planes[6 * side + kind] == 1] = letter
    rows = squares if is_white else squares[::-1]
    return "/".join("".join(row) for row in rows)


def test_planes_hold_the_whole_position():
    rng = np.random.default_rng(7)
    for _ in range(5):
        state = GAME.initial_state()
        while not state.is_terminal and state.num_moves < 120:
            planes, (board, turn, castling, *_, clock, _) = state.planes(), fen(state).split()
            for number in "12345678":
                board = board.replace(number, "." * int(number))
            assert board_in(planes, turn == "w") == board
            rights = "KQkq" if turn == "w" else "kqKQ"
            assert {right for right, plane in zip(rights, planes[114:118], strict=True) if plane.all()} == (
                set(castling) - {"-"}
            )
            assert planes[112].all() == (turn == "w") and planes[118, 0, 0] == pytest.approx(int(clock) / 100)
            state.apply(int(rng.choice(state.legal_actions())))


def test_planes_count_repetitions_of_each_position_shown():
    state = GAME.state_from_moves("Nf3 Nf6 Ng1 Ng8 Nf3")
    planes = state.planes().reshape(119, 64)
    repeated = [bool(planes[14 * age + 12].all()) for age in range(8)]
    assert repeated == [True, True, False, False, False, False, False, False]
    assert not any(planes[14 * age + 13].any() for age in range(8))


def test_the_key_depends_on_positions_that_may_occur_again_until_a_pawn_moves():
    one, other = (SHORT.state_from_moves(moves) for moves in ("Nf3 Nf6 Ng1 Ng8", "Nc3 Nc6 Nb1 Nb8"))
    assert one.hash == other.hash and (one.planes() == other.planes()).all()
    assert one.evaluation_key != other.evaluation_key  # in one a knight on f3 would be there for the second time
    for state in (one, other):
        state.play("e4")
    assert one.evaluation_key == other.evaluation_key


def test_the_key_depends_on_all_that_the_planes_show():
    game = chess.load(history=3)
    one, other = (game.state_from_moves(moves) for moves in ("e4 e5 Nf3 Nc6 d4", "Nf3 Nc6 e4 e5 d4"))
    assert one.hash == other.hash
    assert (one.planes() != other.planes()).any() and one.evaluation_key != other.evaluation_key
    for state in (one, other):
        state.play("a6 h3 a5")
    assert (one.planes() == other.planes()).all() and one.evaluation_key == other.evaluation_key
    once, twice = game.state_from_moves("Nf3 Nf6 Ng1 Ng8 e4 e5"), game.state_from_moves("Nc3 Nf6 Nb1 Ng8 e4 e5")
    assert (once.planes() == twice.planes()).all() and once.evaluation_key == twice.evaluation_key
    # The same boards, but Nc6 brought back one that had been there before.
    again, first = (
        game.state_from_moves(moves)
        for moves in ("Nf3 Nf6 Nc3 Nc6 Nb1 Nb8 Nc3 Nc6 e4", "Nf3 Nc6 Ng1 Nb8 Nf3 Nf6 Nc3 Nc6 e4")
    )
    assert again.hash == first.hash
    assert (again.planes() != first.planes()).any() and again.evaluation_key != first.evaluation_key


def test_the_heuristic_counts_material_from_the_view_of_the_player_to_move():
    assert GAME.initial_state().heuristic() == 0
    up, down = at(START.replace("qk", "1k")), at(START.replace("qk", "1k").replace(" w ", " b "))
    assert up.heuristic() > 0.5 and down.heuristic() == -up.heuristic()


def test_alpha_beta_with_the_heuristic_takes_what_hangs_and_mates():
    hanging, mate = at("4k3/8/8/3q4/4P3/8/8/4K3 w - - 0 1"), at("6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1")
    chosen = parse_opponent("alphabeta:2").make_policy(GAME, 0).act([hanging, mate]).tolist()
    assert [state.action_text(action) for state, action in zip((hanging, mate), chosen, strict=True)] == [
        "exd5",
        "Ra8#",
    ]


def test_random_games_equal_those_of_python_chess():
    oracle = pytest.importorskip("chess", reason="python-chess (GPL) is not installed; it serves as an oracle only")
    rng = np.random.default_rng(4)
    for _ in range(10):
        state, board = GAME.initial_state(), oracle.Board()
        while not state.is_terminal:
            assert legal(state) == {move.uci() for move in board.legal_moves}
            assert legal(state, "san") == {board.san(move) for move in board.legal_moves}
            assert fen(state) == board.fen()
            assert not board.is_game_over(claim_draw=False) and not board.is_repetition(3)
            action = int(rng.choice(state.legal_actions()))
            board.push_uci(state.action_text(action, "uci"))
            state.apply(action)
        assert board.is_game_over() or board.is_repetition(3) or board.halfmove_clock >= 100 or state.num_moves == 512


pieces = st.sampled_from([*"rnbqkpRNBQKP12345678/wbKQkq- ", "8/8/", " w ", " b ", " - - ", " 0 1", " e3", "é"])


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(pieces, max_size=40).map("".join)
    | st.tuples(st.integers(0, len(START)), st.integers(0, 3), st.lists(pieces, max_size=2).map("".join)).map(
        lambda cut: START[: cut[0]] + cut[2] + START[cut[0] + cut[1] :]
    )
)
def test_any_text_is_a_position_that_is_written_as_it_was_read_or_refused_in_words(text):
    try:
        state = GAME.state_from_text(text)
    except GameError as error:
        assert "is no position" in str(error)
    else:
        assert str(GAME.state_from_text(fen(state))) == str(state)
        assert state.is_terminal == (len(state.legal_actions()) == 0)
