"""What the rules of a game promise: legal actions, players, results, lengths, copies, and the same game every time.

Each check takes a sample of random games and returns what is wrong, in words, with the moves that show it, or None.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rlplat.errors import GameError
from rlplat.testing.sample import Sample, difference, facts, where

if TYPE_CHECKING:
    from rlplat.search.game import State

MAX_EXPLORED = 40
"""Positions that are looked at to find all results of a game that is nearly over."""

NUM_ROLLOUTS = 10
"""Rollouts from each such position."""


def check_sizes(sample: Sample) -> str | None:
    """The numbers that a game states about itself fit together."""
    game = sample.game
    if min(game.num_actions, *game.plane_shape, game.num_symmetries, game.state_size) < 1:
        return (
            f"num_actions {game.num_actions}, planes {game.plane_shape}, num_symmetries {game.num_symmetries} and"
            f" state_size {game.state_size} must all be >= 1"
        )
    if not 1 <= game.max_legal_actions <= game.num_actions:
        return f"max_legal_actions is {game.max_legal_actions}; it must lie in 1 .. num_actions {game.num_actions}"
    if not 1 <= game.min_length <= game.max_length:
        return f"min_length {game.min_length} must lie in 1 .. max_length {game.max_length}"
    return None


def check_start(sample: Sample) -> str | None:
    """A game starts undecided, with no moves made, and always in the same state."""
    one, other = sample.game.initial_state(), sample.game.initial_state()
    if one.is_terminal:
        return "the initial state is terminal"
    if one.num_moves or len(one.actions):
        return f"the initial state has {one.num_moves} moves"
    differing = difference(facts(one), facts(other))
    return f"two initial states differ in {differing}" if differing else None


def check_legal_actions(sample: Sample) -> str | None:
    """They ascend, lie in range, and are at least one and at most max_legal_actions where the game goes on."""
    game = sample.game
    for state in sample.positions():
        legal = state.legal_actions().tolist()
        if legal != sorted(set(legal)):
            return f"legal actions {where(state)} are {legal}; they must ascend without repetition"
        if legal and not 0 <= legal[0] <= legal[-1] < game.num_actions:
            return f"legal actions {where(state)} are {legal}; they must lie in 0 .. {game.num_actions - 1}"
        if len(legal) > game.max_legal_actions:
            return f"{len(legal)} legal actions {where(state)}; max_legal_actions is {game.max_legal_actions}"
        if not legal and not state.is_terminal:
            return f"no legal action {where(state)}, but the game goes on"
    return None


def check_illegal_actions(sample: Sample) -> str | None:
    """An illegal action, and any action after the end, is refused and changes nothing."""
    num_actions = sample.game.num_actions
    for state in sample.some_positions():
        allowed = set() if state.is_terminal else set(state.legal_actions().tolist())
        before = facts(state)
        for action in sorted({-1, num_actions, *range(min(num_actions, 100))} - allowed):
            tried = state.copy()
            try:
                tried.apply(action)
            except GameError:
                differing = difference(before, facts(tried))
                if differing:
                    return f"illegal action {action} {where(state)} was refused but changed {differing}"
            else:
                return f"illegal action {action} {where(state)} was accepted"
    return None


def check_players(sample: Sample) -> str | None:
    """The player to move is 0 or 1, and both come to move."""
    for state in sample.positions():
        if state.player not in (0, 1):
            return f"the player to move {where(state)} is {state.player}; it must be 0 or 1"
    movers = {before.player for before, _ in sample.moves()}
    return f"only player {min(movers)} ever moves" if len(movers) == 1 else None


def check_returns(sample: Sample) -> str | None:
    """At the end the players' returns lie in [-1, 1] and add up to 0."""
    for state in sample.positions():
        if not state.is_terminal:
            continue
        returns = state.returns.tolist()
        if not all(math.isfinite(value) and -1 <= value <= 1 for value in returns):
            return f"returns {where(state)} are {returns}; they must lie in [-1, 1]"
        if sum(returns) != 0:
            return f"returns {where(state)} are {returns}; they must add up to 0"
    return None


def check_length(sample: Sample) -> str | None:
    """Games last min_length to max_length plies."""
    game = sample.game
    for states in sample.games:
        last = states[-1]
        if last.is_terminal and last.num_moves < game.min_length:
            return f"a game ended in {last.num_moves} plies ({last.moves_text()}); min_length is {game.min_length}"
        if last.num_moves > game.max_length:
            return f"a game went on beyond max_length {game.max_length}: {last.moves_text()}"
    return None


def check_winning_actions(sample: Sample) -> str | None:
    """What the rules call a winning action is legal, ends the game, and wins it for the player to move."""
    for state in sample.positions():
        action = state.position.winning_action()
        if action is None:
            continue
        if action not in state.legal_actions():
            return f"the winning action {action} {where(state)} is not legal"
        after = state.copy()
        after.apply(action)
        if not after.is_terminal or after.returns[state.player] != 1:
            return f"the winning action {action} {where(state)} does not win at once"
    return None


def check_copies(sample: Sample) -> str | None:
    """A copy equals its original, and a move in one leaves the other as it was."""
    for state in sample.some_positions():
        original, copy = state.copy(), state.copy()
        before = facts(original)
        if differing := difference(before, facts(copy)):
            return f"a copy differs from its original in {differing} {where(state)}"
        if state.is_terminal:
            continue
        action = int(state.legal_actions()[0])
        copy.apply(action)
        if differing := difference(before, facts(original)):
            return f"a move in a copy changed {differing} of its original {where(state)}"
        after = facts(copy)
        original.apply(action)
        if differing := difference(after, facts(copy)):
            return f"a move in the original changed {differing} of its copy {where(state)}"
    return None


def check_replay(sample: Sample) -> str | None:
    """The same moves lead to the same positions, played one by one, from numbers, and from their text."""
    for states in sample.games:
        again = sample.game.initial_state()
        for state in states:
            if state.num_moves:
                again.apply(state.actions[-1])
            if differing := difference(facts(again), facts(state)):
                return f"played a second time, the position differs in {differing} {where(state)}"
        for moves in (states[-1].actions, states[-1].moves_text()):
            if difference(facts(sample.game.state_from_moves(moves)), facts(states[-1])):
                return f"state_from_moves({moves!r}) does not lead back to the position"
    return None


def check_rollouts(sample: Sample) -> str | None:
    """A rollout ends with a return of player 0 that legal moves can reach.

    Looked at where few moves are left, so that every way on can be tried.
    """
    for state in sample.some_positions():
        if state.is_terminal:
            continue
        reachable: set[float] = set()
        if _explore(state, reachable, MAX_EXPLORED) < 0:
            continue
        for seed in range(NUM_ROLLOUTS):
            result = state.position.rollout(sample.seed + seed)
            if result not in reachable:
                return f"a rollout returns {result} {where(state)}; legal moves lead to {sorted(reachable)} only"
    return None


def _explore(state: State, reachable: set[float], budget: int) -> int:
    """Add all returns of player 0 that moves reach; return what a budget of positions has left, < 0: not all."""
    if state.is_terminal:
        reachable.add(float(state.returns[0]))
        return budget - 1
    for action in state.legal_actions().tolist():
        if budget < 0:
            break
        after = state.copy()
        after.apply(action)
        budget = _explore(after, reachable, budget - 1)
    return budget
