"""The newest self-play games, and training batches drawn from them.

Axes: G games, P positions, L policy entries, S bytes of a state, B batch, C planes, H rows, W columns, A actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rlplat import _core
from rlplat.interfaces import Arrays
from rlplat.search.game import Game

Array = npt.NDArray[Any]

MAX_WEIGHT = 8.0
"""A position is drawn at most so many times as often as it would be if all were alike."""


@dataclass(frozen=True)
class Batch:
    """Positions for one update, from the view of the player to move, each turned by a random symmetry of the game."""

    planes: npt.NDArray[np.float32]
    """`[B, C, H, W]`"""
    policy: npt.NDArray[np.float32]
    """`[B, A]`: share of the search's visits, 0 at illegal actions."""
    legal: npt.NDArray[np.bool_]
    """`[B, A]`"""
    outcome: npt.NDArray[np.float32]
    """`[B]` in [-1, 1]: the game's result for the player to move."""
    root_value: npt.NDArray[np.float32]
    """`[B]` in [-1, 1]: the search's value for the player to move."""


class GameReplay:
    """Whole games, one after another, in rings of fixed capacity; the oldest games make room for new ones.

    A position costs the bytes of its state and about 35 more (Connect Four: 50 in all). Everything that is drawn
    depends on the order of the games and the caller's generator only, not on where in the rings they lie. Not
    thread-safe.

    Args:
        game: a loaded game.
        capacity: positions that fit, at least the game's `max_length`.
        surprise_weight: share of a game's weight that goes to its positions in proportion to their surprise (policy
            surprise weighting, KataGo, docs/KataGoMethods.md); 0: all are drawn alike.
    """

    def __init__(self, game: Game, capacity: int, *, surprise_weight: float = 0.0) -> None:
        if capacity < game.max_length:
            raise ValueError(f"capacity is {capacity} positions, one game of {game.name} can have {game.max_length}")
        self._game = game
        self._capacity = capacity
        self._surprise_weight = surprise_weight
        self._window = capacity
        self._rings: Arrays = {
            "states": np.zeros((capacity, game.state_size), np.uint8),
            "player": np.zeros(capacity, np.uint8),
            "action": np.zeros(capacity, np.min_scalar_type(game.num_actions)),
            "root_value": np.zeros(capacity, np.float16),
            "outcome": np.zeros(capacity, np.float16),
            "num_legal": np.zeros(capacity, np.uint16),
            "ply": np.zeros(capacity, np.min_scalar_type(game.max_length)),
        }
        if surprise_weight > 0:
            self._rings["weight"] = np.zeros(capacity, np.float16)
        self._policy_offset = np.zeros(capacity, np.int64)
        self._policy = np.zeros(1024, np.uint16)
        self._head = 0
        self._policy_head = 0
        self.num_positions = 0
        """Positions kept now, those without a policy target included."""
        self.num_targets = 0
        """Positions kept now that can be drawn: those with a policy target."""
        self.num_policy_entries = 0
        self.num_games = 0

    @property
    def bytes(self) -> int:
        """Memory of the rings at full capacity, in bytes; the policy's ring may still grow."""
        return sum(ring.nbytes for ring in (*self._rings.values(), self._policy_offset, self._policy))

    @property
    def window(self) -> int:
        """Positions that are kept at most."""
        return self._window

    def set_window(self, num_positions: int) -> None:
        """Keep at most `num_positions` from now on (and never more than the capacity), in whole games."""
        self._window = min(self._capacity, max(num_positions, self._game.max_length))
        self._evict(self.num_positions - self._window)

    def add(self, arrays: Arrays) -> None:
        """Take in whole games as collectors record them.

        num_positions int32 `[G]`; outcome float32 `[G]` (return of player 0); states uint8 `[P, S]`; player uint8
        `[P]`; action int32 `[P]`; root_value float32 `[P]` (view of the player to move); num_legal uint16 `[P]` (0: no
        target); policy uint16 `[L]` (over the legal actions in ascending order, scaled to 65535); with a surprise
        weight also surprise float32 `[P]`, >= 0. ValueError if they do not fit; nothing is changed then.
        """
        positions, policy = self._positions(arrays)
        total = len(positions["ply"])
        if total > self._window:
            first = _first_start(positions["ply"], total - self._window)
            policy = policy[int(positions["num_legal"][:first].sum(dtype=np.int64)) :]
            positions = {name: array[first:] for name, array in positions.items()}
            total -= first
        self._evict(self.num_positions + total - self._window)
        self._append(positions, policy)

    def draw(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """Draw positions with repetition among those with a policy target, each under a random symmetry.

        They are drawn evenly, or by their surprise.
        """
        if self.num_targets == 0:
            raise ValueError("the replay holds no position with a policy target yet")
        game, rings = self._game, self._rings
        rows = self._draw_rows(batch_size, rng)
        symmetries = rng.integers(0, game.num_symmetries, batch_size, dtype=np.int32)
        planes = np.empty((batch_size, *game.plane_shape), np.float32)
        policy = np.empty((batch_size, game.num_actions), np.float32)
        legal = np.empty((batch_size, game.num_actions), np.bool_)
        _core.draw_batch(
            game.core,
            rings["states"],
            rows,
            rings["ply"][rows].astype(np.int32),
            self._policy,
            self._policy_offset[rows],
            rings["num_legal"][rows].astype(np.int32),
            symmetries,
            planes,
            policy,
            legal,
        )
        outcome, root_value = (rings[name][rows].astype(np.float32) for name in ("outcome", "root_value"))
        return Batch(planes, policy, legal, outcome, root_value)

    def state(self) -> Arrays:
        """Everything kept, oldest first, for a checkpoint."""
        rows = self._rows(0, self.num_positions)
        entries = (self._policy_head + np.arange(self.num_policy_entries)) % len(self._policy)
        rings = {name: ring[rows] for name, ring in self._rings.items()}
        return {**rings, "policy": self._policy[entries], "window": np.array([self._window], np.int64)}

    def restore(self, arrays: Arrays) -> None:
        """Replace everything by what `state` gave; draws then equal those of the replay that gave it.

        ValueError if the arrays are of another game, or more than the capacity.
        """
        missing = {*self._rings, "policy", "window"} - arrays.keys()
        if missing:
            raise ValueError(f"the replay's arrays lack {', '.join(sorted(missing))}")
        positions = {name: arrays[name] for name in self._rings}
        self._check_lengths(positions, arrays["policy"])
        if len(positions["ply"]) > self._capacity:
            raise ValueError(f"{len(positions['ply'])} positions do not fit into a replay of {self._capacity}")
        self._evict(self.num_positions)
        self._head = self._policy_head = 0
        self._append(positions, arrays["policy"])
        self.set_window(int(arrays["window"][0]))

    def _positions(self, arrays: Arrays) -> tuple[Arrays, Array]:
        """Bring records into the form of the rings: one row per position."""
        lengths = arrays["num_positions"].astype(np.int64)
        if (lengths < 1).any() or (lengths > self._game.max_length).any():
            found, most = f"{lengths.min()} to {lengths.max()}", self._game.max_length
            raise ValueError(f"games of {found} positions, {self._game.name} has 1 to {most}")
        starts = np.cumsum(lengths) - lengths
        sign = 1.0 - 2.0 * arrays["player"].astype(np.float32)
        positions = {name: arrays[name] for name in ("states", "player", "action", "root_value", "num_legal")}
        positions["outcome"] = np.repeat(arrays["outcome"], lengths) * sign
        if self._surprise_weight > 0:
            positions["weight"] = _weights(arrays["surprise"], arrays["num_legal"] > 0, starts, self._surprise_weight)
        positions["ply"] = np.arange(lengths.sum()) - np.repeat(starts, lengths)
        self._check_lengths(positions, arrays["policy"])
        return positions, arrays["policy"]

    def _check_lengths(self, positions: Arrays, policy: Array) -> None:
        lengths = {name: len(array) for name, array in positions.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"arrays of different numbers of positions: {lengths}")
        if positions["states"].shape[1:] != (self._game.state_size,):
            size = positions["states"].shape[1:]
            raise ValueError(f"states of {size} bytes, {self._game.name} has {self._game.state_size}: another game?")
        entries = int(positions["num_legal"].sum(dtype=np.int64))
        if entries != len(policy):
            raise ValueError(f"{len(policy)} policy entries for {entries} legal actions")

    def _rows(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Rows of the rings that hold positions `start` to `stop`, counted from the oldest."""
        return (self._head + np.arange(start, stop)) % self._capacity

    def _draw_rows(self, batch_size: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        drawn = np.empty(0, np.int64)
        while len(drawn) < batch_size:
            missing = batch_size - len(drawn)
            if self._surprise_weight > 0:
                missing *= int(MAX_WEIGHT)  # as many are turned away
            offsets = rng.integers(0, self.num_positions, missing)
            rows = (self._head + offsets) % self._capacity
            taken = self._rings["num_legal"][rows] > 0
            if self._surprise_weight > 0:
                taken &= rng.random(missing) * MAX_WEIGHT < self._rings["weight"][rows]
            drawn = np.concatenate([drawn, rows[taken]])
        return drawn[:batch_size]

    def _append(self, positions: Arrays, policy: Array) -> None:
        total = len(positions["ply"])
        rows = self._rows(self.num_positions, self.num_positions + total)
        for name, ring in self._rings.items():
            ring[rows] = positions[name]
        self._grow_policy(self.num_policy_entries + len(policy))
        ends = np.cumsum(positions["num_legal"], dtype=np.int64)
        first = self._policy_head + self.num_policy_entries
        self._policy_offset[rows] = (first + ends - positions["num_legal"]) % len(self._policy)
        self._policy[(first + np.arange(len(policy))) % len(self._policy)] = policy
        self._count(positions, len(policy), sign=1)

    def _evict(self, excess: int) -> None:
        """Drop oldest games until `excess` positions or more are gone."""
        if excess <= 0:
            return
        ahead = min(self.num_positions, excess + self._game.max_length)
        num_gone = _first_start(self._rings["ply"][self._rows(0, ahead)], excess)
        rows = self._rows(0, num_gone)
        gone = {name: self._rings[name][rows] for name in ("num_legal", "ply")}
        num_entries = int(gone["num_legal"].sum(dtype=np.int64))
        self._count(gone, num_entries, sign=-1)
        self._head = (self._head + num_gone) % self._capacity
        self._policy_head = (self._policy_head + num_entries) % len(self._policy)

    def _count(self, positions: Arrays, num_entries: int, sign: int) -> None:
        self.num_positions += sign * len(positions["ply"])
        self.num_targets += sign * int(np.count_nonzero(positions["num_legal"]))
        self.num_games += sign * int(np.count_nonzero(positions["ply"] == 0))
        self.num_policy_entries += sign * num_entries

    def _grow_policy(self, num_entries: int) -> None:
        """Double the policy's ring until `num_entries` fit; entries then start at its front again."""
        old = len(self._policy)
        if num_entries <= old:
            return
        grown = np.zeros(1 << (num_entries - 1).bit_length(), np.uint16)
        grown[: self.num_policy_entries] = self._policy[(self._policy_head + np.arange(self.num_policy_entries)) % old]
        self._policy_offset = (self._policy_offset - self._policy_head) % old
        self._policy, self._policy_head = grown, 0


def _weights(surprise: Array, has_target: Array, starts: Array, share: float) -> npt.NDArray[np.float16]:
    """1 on average over each game's positions with a target: `share` of it by their surprise, the rest evenly."""
    game = np.repeat(np.arange(len(starts)), np.diff([*starts, len(surprise)]))
    surprise = np.where(has_target, surprise.astype(np.float64), 0.0)
    num_targets = np.bincount(game, has_target, len(starts))
    mean = np.bincount(game, surprise, len(starts)) / np.maximum(1.0, num_targets)
    relative = np.divide(surprise, mean[game], out=np.ones(len(surprise)), where=mean[game] > 0)
    return np.minimum(MAX_WEIGHT, 1.0 - share + share * relative).astype(np.float16)


def _first_start(ply: Array, at_least: int) -> int:
    """Index of the first game that starts at or after `at_least`; the number of positions if there is none."""
    starts = np.flatnonzero(ply[at_least:] == 0)
    return at_least + int(starts[0]) if len(starts) else len(ply)
