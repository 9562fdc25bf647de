import logging
from collections import Counter

import numpy as np
import pytest

from agents.baselines.random import RandomPolicy
from rlplat.errors import GameError
from rlplat.evaluation.arena import draw_openings, play_match
from rlplat.evaluation.statistics import MatchScore
from rlplat.registry import resolve


@pytest.fixture(scope="module")
def tictactoe():
    return resolve("tictactoe", kind="game").load()


@pytest.fixture(scope="module")
def connect_four():
    return resolve("connect_four", kind="game").load()


class Fixed:
    """Plays the legal action at one place of the list, and keeps what it was asked."""

    def __init__(self, place: int):
        self.place = place
        self.batches = []

    def act(self, states):
        self.batches.append([(state.moves_text(), state.player) for state in states])
        return np.array([state.legal_actions()[self.place] for state in states])


def first_and_last():
    return Fixed(0), Fixed(-1)


def test_a_hand_played_match_has_the_expected_games_and_score(tictactoe):
    """Lowest cell against highest cell: whoever moves first completes the top or the bottom row."""
    lowest, highest = first_and_last()
    match = play_match(tictactoe, lowest, highest, num_games=6, opening_plies=0, seed=0)
    assert [game.moves for game in match.games] == ["19283", "91827"] * 3
    assert [game.player for game in match.games] == [0, 1] * 3
    assert [game.points for game in match.games] == [1.0, 0.0] * 3
    assert match.score == MatchScore(3, 0, 3, (0, 0, 3, 0, 0))
    assert match.score_by_side == (MatchScore(3, 0, 0), MatchScore(0, 0, 3))
    assert match.mean_length == 5
    assert match.distinct_games == 2


def test_each_policy_gets_all_positions_in_which_it_is_to_move_at_once(connect_four):
    lowest, highest = first_and_last()
    match = play_match(connect_four, lowest, highest, num_games=10, opening_plies=3, seed=1)
    assert [len(batch) for batch in lowest.batches[:4]] == [5, 5, 5, 5]
    for number, game in enumerate(match.games):
        mover = (lowest, highest) if game.player == 0 else (highest, lowest)
        for plies in range(3, game.num_moves):
            asked = (game.moves[:plies], plies % 2)
            assert any(asked in batch for batch in mover[plies % 2].batches), (number, asked)


def test_the_two_games_of_a_pair_share_an_opening_that_no_other_pair_has(connect_four):
    match = play_match(connect_four, *first_and_last(), num_games=60, opening_plies=4, seed=2)
    openings = [game.moves[:4] for game in match.games]
    assert openings[::2] == openings[1::2]
    boards = {str(connect_four.state_from_moves(moves)) for moves in openings}
    assert len(boards) == 30


def test_openings_have_the_length_asked_for_and_never_end_the_game(connect_four):
    openings = draw_openings(connect_four, 300, 12, seed=3)
    assert {state.num_moves for state in openings} == {12}
    assert not any(state.is_terminal for state in openings)


def test_openings_repeat_evenly_once_the_game_has_no_more(tictactoe):
    times = Counter(state.moves_text() for state in draw_openings(tictactoe, 45, 1, seed=4))
    assert len(times) == 9
    assert set(times.values()) == {5}


def test_the_seed_decides_the_openings_alone(connect_four):
    def openings(seed, policy):
        match = play_match(connect_four, policy, Fixed(0), num_games=20, opening_plies=4, seed=seed)
        return [game.moves[:4] for game in match.games]

    assert openings(5, Fixed(0)) == openings(5, RandomPolicy(1))
    assert openings(5, Fixed(0)) != openings(6, Fixed(0))


def test_swapping_the_policies_swaps_the_score(tictactoe):
    lowest, highest = first_and_last()
    one = play_match(tictactoe, lowest, highest, num_games=40, opening_plies=2, seed=7)
    other = play_match(tictactoe, highest, lowest, num_games=40, opening_plies=2, seed=7)
    assert one.score.score != 0.5
    assert other.score == one.score.swapped()


def test_a_policy_cannot_change_the_games_by_playing_on_its_states(tictactoe):
    class Careless(Fixed):
        def act(self, states):
            actions = super().act(states)
            for state, action in zip(states, actions, strict=True):
                state.apply(int(action))
            return actions

    careless = play_match(tictactoe, Careless(0), Fixed(-1), num_games=10, opening_plies=1, seed=8)
    assert careless == play_match(tictactoe, Fixed(0), Fixed(-1), num_games=10, opening_plies=1, seed=8)


def test_many_repeated_games_are_logged(tictactoe, caplog):
    with caplog.at_level(logging.WARNING, "rlplat"):
        play_match(tictactoe, *first_and_last(), num_games=20, opening_plies=0, seed=0)
    assert "only 2 of 20 games of tictactoe differ" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "rlplat"):
        play_match(tictactoe, *first_and_last(), num_games=20, opening_plies=3, seed=0)
    assert not caplog.text


def test_an_illegal_action_names_policy_position_and_what_is_legal(tictactoe):
    class Stubborn:
        name = "stubborn:5"

        def act(self, states):
            return np.full(len(states), 4)

    with pytest.raises(GameError, match=r"stubborn:5 chose action 4 in tictactoe after 51; legal actions: 1, 2, 3, 5,"):
        play_match(tictactoe, Stubborn(), Fixed(0), num_games=2, opening_plies=0, seed=0)


@pytest.mark.parametrize("answer", [np.zeros(3), np.zeros((1, 1), int), np.zeros(2, int), None])
def test_an_answer_of_the_wrong_type_or_shape_is_refused(tictactoe, answer):
    class Broken:
        def act(self, states):
            return answer

    with pytest.raises(GameError, match=r"Broken returned .* for 1 positions; it must return .* int64 \[1\]"):
        play_match(tictactoe, Broken(), Fixed(0), num_games=2, opening_plies=0, seed=0)


@pytest.mark.parametrize("num_games", [0, 1, 7, -2])
def test_a_number_of_games_that_makes_no_pairs_is_refused(tictactoe, num_games):
    with pytest.raises(GameError, match=f"{num_games} games; games come in pairs"):
        play_match(tictactoe, *first_and_last(), num_games=num_games, opening_plies=0, seed=0)


@pytest.mark.parametrize("plies", [-1, 9])
def test_openings_longer_than_the_game_are_refused(tictactoe, plies):
    with pytest.raises(GameError, match=f"opening_plies is {plies}; tictactoe allows 0 to 8"):
        draw_openings(tictactoe, 1, plies, seed=0)
