"""What a game shows of its positions: texts, hashes, evaluation keys, planes, symmetries.

Each check takes a sample of random games and returns what is wrong, in words, with the moves that show it, or None.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat.errors import NotationError
from rlplat.notation.record import GameRecord
from rlplat.testing.sample import Sample, where

if TYPE_CHECKING:
    from rlplat.search.game import State

NUM_MIRRORED_GAMES = 10
"""Games that are played again under every symmetry."""

NUM_RECORDED_GAMES = 5
"""Games that are written down and read back."""


def check_action_texts(sample: Sample) -> str | None:
    """Each legal action has a text of its own, which reads back as that action."""
    for state in sample.some_positions():
        texts: dict[str, int] = {}
        for action in () if state.is_terminal else state.legal_actions().tolist():
            text = state.action_text(action)
            if not text or text.split() != [text]:
                return f"action {action} {where(state)} is written {text!r}; it needs a text without spaces"
            if text in texts:
                return f"actions {texts[text]} and {action} {where(state)} are both written {text!r}"
            if state.parse_action(text) != action:
                return f"action {action} {where(state)} is written {text!r}, which reads as {state.parse_action(text)}"
            texts[text] = action
    return None


def check_text(sample: Sample) -> str | None:
    """The text of a position is not empty, and every move changes it (a pass too: let it name the player to move)."""
    for before, after in sample.moves():
        if not str(before).strip():
            return f"the text is empty {where(before)}"
        if str(before) == str(after):
            return f"the text does not show the last move {where(after)}:\n{after}"
    return None


def check_hashes(sample: Sample) -> str | None:
    """Positions have equal hashes if and only if they are the same: same text, same player to move."""
    by_hash: dict[int, State] = {}
    by_text: dict[tuple[str, int], State] = {}
    for state in [*sample.positions(), *_transpositions(sample)]:
        other = by_hash.setdefault(state.hash, state)
        if (str(other), other.player) != (str(state), state.player):
            return f"different positions have one hash: {where(other)}, and {where(state)}"
        other = by_text.setdefault((str(state), state.player), state)
        if other.hash != state.hash:
            return (
                f"one position has two hashes: {where(other)}, and {where(state)} (or its text does not show all of it,"
                f" or the player to move)\n{state}"
            )
    return None


def _transpositions(sample: Sample) -> Iterator[State]:
    """Play each game up to a random move once more, with that move and the one two plies before it exchanged."""
    rng = np.random.default_rng(sample.seed)
    for states in sample.games:
        if states[-1].num_moves < 3:
            continue
        last = int(rng.integers(2, states[-1].num_moves))
        actions = states[last + 1].actions
        actions[last - 2], actions[last] = actions[last], actions[last - 2]
        state = sample.game.initial_state()
        for action in actions:
            if state.is_terminal or action not in state.legal_actions():
                break
            state.apply(action)
        else:
            yield state


def check_evaluation_keys(sample: Sample) -> str | None:
    """Positions with equal evaluation keys have equal planes, legal actions and results."""
    seen: dict[int, tuple[State, list[Any]]] = {}
    for state in [*sample.positions(), *_transpositions(sample)]:
        returns = state.returns[state.player] if state.is_terminal else None
        legal = None if state.is_terminal else state.legal_actions().tolist()
        planes = hashlib.blake2b(state.planes().tobytes(), digest_size=16).digest()  # large ones would fill the memory
        facts = [planes, legal, state.is_terminal, returns]
        other, other_facts = seen.setdefault(state.evaluation_key, (state, facts))
        for name, left, right in zip(("planes", "legal actions", "ends", "results"), facts, other_facts, strict=True):
            if left != right:
                return f"one evaluation key but different {name}: {where(other)}, and {where(state)}"
    return None


def check_planes(sample: Sample) -> str | None:
    """Planes are finite float32 numbers of the shape that the game states."""
    shape = tuple(sample.game.plane_shape)
    for state in sample.positions():
        planes = state.planes()
        if planes.dtype != np.float32 or planes.shape != shape:
            return f"planes are {planes.dtype} {list(planes.shape)} {where(state)}; they must be float32 {list(shape)}"
        if not np.isfinite(planes).all():
            return f"planes hold NaN or infinity {where(state)}"
    return None


def check_symmetries(sample: Sample) -> str | None:
    """Symmetry 0 is identity, all are permutations, and they form a group: each has its inverse, pairs combine."""
    game = sample.game
    num_cells = game.plane_shape[1] * game.plane_shape[2]
    group: set[tuple[bytes, bytes]] = set()
    for k in range(game.num_symmetries):
        cells, actions = game.symmetry(k)
        for name, found, size in (("cells", cells, num_cells), ("actions", actions, game.num_actions)):
            if sorted(found.tolist()) != list(range(size)):
                return f"symmetry {k}: {name} {found.tolist()} is no permutation of 0 .. {size - 1}"
            if k == 0 and found.tolist() != list(range(size)):
                return f"symmetry 0: {name} {found.tolist()} is not the identity"
        group.add((cells.tobytes(), actions.tobytes()))
    for j in range(game.num_symmetries):
        for k in range(game.num_symmetries):
            combined = [one[other].tobytes() for one, other in zip(game.symmetry(j), game.symmetry(k), strict=True)]
            if (combined[0], combined[1]) not in group:
                return f"symmetry {j} followed by symmetry {k} is none of the game's symmetries"
    return None


def check_mirrored_games(sample: Sample) -> str | None:
    """A game played with permuted actions is the permuted game: planes, legal actions, player, end and returns."""
    game = sample.game
    for k in range(game.num_symmetries):
        cells, actions = game.symmetry(k)
        image = np.argsort(actions)  # the policy's entry for action a moves to image[a]
        for states in sample.games[:NUM_MIRRORED_GAMES]:
            mirrored = game.initial_state()
            for state in states:
                if state.num_moves:
                    mirrored.apply(int(image[state.actions[-1]]))
                planes = state.planes().reshape(game.plane_shape[0], -1)[:, cells].reshape(game.plane_shape)
                if not np.array_equal(mirrored.planes(), planes):
                    return f"symmetry {k}: planes {where(mirrored)} are not the permuted planes {where(state)}"
                if sorted(image[state.legal_actions()].tolist()) != mirrored.legal_actions().tolist():
                    return f"symmetry {k}: legal actions {where(mirrored)} are not the permuted ones {where(state)}"
                ends = [
                    (s.player, s.is_terminal, s.returns.tolist() if s.is_terminal else 0) for s in (state, mirrored)
                ]
                if ends[0] != ends[1]:
                    return f"symmetry {k}: player, end or returns differ {where(mirrored)} and {where(state)}"
    return None


def check_records(sample: Sample) -> str | None:
    """Games are read as they were written, in the form that the game's definition names, if it names one."""
    game, form = sample.game, sample.game.definition.record
    for states in sample.games[:NUM_RECORDED_GAMES] if form is not None else ():
        assert form is not None
        last = states[-1]
        outcome = float(last.returns[0]) if last.is_terminal else None
        try:
            text = form.write([GameRecord(last, outcome)])
            (found,) = form.read(text, game.definition, game.parameters, source="the record")
        except NotationError as error:
            return f"the game {where(last)} cannot be written or read: {error}"
        if (found.state.actions, found.outcome) != (last.actions, outcome):
            return f"the game {where(last)} is read as {found.state.moves_text()} with result {found.outcome}:\n{text}"
    return None
