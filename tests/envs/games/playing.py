"""What the tests of single games share: random games, in step with other implementations."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import pytest

from rlplat.open_spiel import TWINS
from rlplat.search.game import Game, State


class Rules(Protocol):
    """Rules of a game, written once more for clarity."""

    player: int

    def legal(self) -> set[str]:
        """Return the moves as the game writes them."""

    def apply(self, move: str) -> None: ...

    def winner(self) -> int | None:
        """Return the player who has won, -1 for a draw, None while the game goes on."""

    def planes(self) -> np.ndarray[Any, Any]:
        """Return what `State.planes` must be, `[C, H, W]`."""


def random_games(game: Game, num_games: int, seed: int = 0) -> Iterator[list[State]]:
    """Yield random games, each as its states from the first to the last."""
    rng = np.random.default_rng(seed)
    for _ in range(num_games):
        states = [game.initial_state()]
        while not states[-1].is_terminal:
            states.append(after(states[-1], int(rng.choice(states[-1].legal_actions()))))
        yield states


def after(state: State, action: int | str) -> State:
    """Return the position after an action or the text of one."""
    copy = state.copy()
    copy.apply(state.parse_action(action) if isinstance(action, str) else action)
    return copy


def check_against(game: Game, make_rules: Callable[[], Rules], num_games: int) -> None:
    """Assert that random games go as other rules say: moves, players, planes and results."""
    for states in random_games(game, num_games):
        rules = make_rules()
        for state in states:
            where = f"{state.moves_text()}\n{state}"
            assert state.is_terminal == (rules.winner() is not None), where
            if state.is_terminal:
                expected = {-1: [0.0, 0.0], 0: [1.0, -1.0], 1: [-1.0, 1.0]}[rules.winner()]
                assert state.returns.tolist() == expected, where
                continue
            assert {state.action_text(action) for action in state.legal_actions()} == rules.legal(), where
            assert state.player == rules.player, where
            assert np.array_equal(state.planes(), rules.planes()), where
            action = states[state.num_moves + 1].actions[-1]
            rules.apply(state.action_text(action))


def check_against_open_spiel(game: Game, name: str, parameters: dict[str, Any], num_games: int) -> None:
    """Assert that random games have the legal moves and results of open_spiel's game; skips where that is missing."""
    pyspiel = pytest.importorskip("pyspiel", reason="open_spiel is not installed (pip install open_spiel)")
    our_text = TWINS[name].our_text
    for states in random_games(game, num_games, seed=1):
        theirs = pyspiel.load_game(name, parameters).new_initial_state()
        for state in states:
            assert theirs.is_terminal() == state.is_terminal, state.moves_text()
            if state.is_terminal:
                assert theirs.returns() == state.returns.tolist(), state.moves_text()
                continue
            actions = {our_text(theirs.action_to_string(action), game): action for action in theirs.legal_actions()}
            assert set(actions) == {state.action_text(action) for action in state.legal_actions()}, state.moves_text()
            action = states[state.num_moves + 1].actions[-1]
            theirs.apply_action(actions[state.action_text(action)])


def mean_score(game: Game, player: str, opponent: str, *, num_games: int, opening_plies: int) -> float:
    """Return the points per game of one named player against another."""
    from rlplat.evaluation.arena import play_match
    from rlplat.evaluation.opponents import parse_opponent

    policies = [parse_opponent(name).make_policy(game, seed) for seed, name in enumerate((player, opponent))]
    match = play_match(game, *policies, num_games=num_games, opening_plies=opening_plies, seed=0)
    return sum(played.points for played in match.games) / num_games
