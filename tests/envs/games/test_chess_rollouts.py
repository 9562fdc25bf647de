"""Random games of chess draw their moves without listing them: each is as likely as any other that the rules allow."""

from collections import Counter

import pytest
from playing import after

from envs.games.chess import chess
from rlplat.search.game import State

NUM_ROLLOUTS = 40_000


def odds(state: State) -> Counter[float]:
    """Return how likely each result is if every move is one of the legal ones, each as likely as any other."""
    if state.is_terminal:
        return Counter({float(state.returns[0]): 1.0})
    legal = state.legal_actions().tolist()
    found: Counter[float] = Counter()
    for action in legal:
        for result, share in odds(after(state, action)).items():
            found[result] += share / len(legal)
    return found


@pytest.mark.parametrize(
    "text, plies",
    [
        ("7k/5P2/6K1/8/8/8/8/8 w - - 0 1", 3),  # two of four promotions mate
        ("k7/2P5/1K6/8/8/8/8/3R4 w - - 0 1", 2),  # promotion beside other mates
        ("4rkr1/4p1p1/8/8/8/8/8/4K2R w K - 0 1", 2),  # castling
        ("8/8/1Q6/8/k1Pp3R/8/1K6/8 b - c3 0 1", 2),  # a pawn that may not take en passant, by its rank
        ("6k1/5ppp/8/2Pp4/8/8/8/3RK3 w - d6 0 1", 3),  # one that may; a mate on the last rank
        ("4k3/8/8/q7/8/8/3P1r2/r2QK3 w - - 0 1", 2),  # pins, and a king who may take or not
        ("7k/8/5KQ1/8/8/8/8/8 w - - 98 80", 3),  # mate, stalemate, fifty moves
        ("7k/7P/7K/8/8/8/8/6B1 w - - 0 1", 3),  # pieces that cannot mate
    ],
)
def test_results_of_rollouts_are_as_likely_as_legal_moves_make_them(text, plies):
    from_ply = chess.load().state_from_text(text)
    game = chess.load(max_length=start_ply(from_ply) + plies)
    state = game.state_from_text(text)
    expected = odds(state)
    found = Counter(state.position.rollout(seed) for seed in range(NUM_ROLLOUTS))
    assert set(found) == set(expected)
    for result, share in expected.items():
        deviation = (share * (1.0 - share) / NUM_ROLLOUTS) ** 0.5
        assert found[result] / NUM_ROLLOUTS == pytest.approx(share, abs=5.0 * deviation)


def start_ply(state: State) -> int:
    """Return the plies before a position, by the move number of its FEN."""
    *_, player, _, _, _, number = str(state).splitlines()[-1].split()
    return 2 * (int(number) - 1) + (player == "b")


def test_a_rollout_ends_when_a_position_of_the_game_before_it_occurs_for_the_third_time():
    text = "k7/8/1K6/8/8/8/8/7R w - - 0 1"
    moves = "h1h2 a8b8 h2h1 b8a8 h1h2 a8b8 h2h1"
    # Black has Ka8, after which White mates or not, and Kc8, after which it cannot.
    once, twice = (chess.load(max_length=plies).state_from_text(text) for plies in (5, 9))
    once.play(" ".join(moves.split()[:3]))
    twice.play(moves)
    assert 1.0 in {once.position.rollout(seed) for seed in range(1000)}
    assert {twice.position.rollout(seed) for seed in range(1000)} == {0.0}
