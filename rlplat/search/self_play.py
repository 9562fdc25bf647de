"""Self-play of many games at once: the Python face of the compiled core.

Game records are named arrays (G games, P positions, L policy entries, S bytes of a state):

    game_number int64[G], random_state uint64[G], opening_plies int32[G], num_positions int32[G],
    played_on uint8[G]              1: nobody could resign
    resigned uint8[G]               1: it ended so, after the last move of the loser
    outcome float32[G]              return of player 0
    states uint8[P, S], player uint8[P], action int32[P],
    root_value float32[P]           from the view of the player to move
    surprise float32[P]             KL(policy || the network's policy), in nats; 0 without a policy
    num_legal uint16[P]             0: a random opening move or one of a fast search, without a policy
    policy uint16[L]                what a policy should learn, over the legal actions, ascending, scaled to 65535
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from rlplat import _core
from rlplat.interfaces import Arrays
from rlplat.search.game import Game
from rlplat.search.parameters import BuiltinEvaluator, SearchParams

NEVER = -2.0
"""A value below all others."""


@dataclass(frozen=True)
class SelfPlayParams:
    """How games are played and searched side by side."""

    num_searches: int
    """Games at once, a multiple of `num_groups`."""
    num_groups: int = 1
    """Groups that alternate: one descends while the other's leaves are evaluated."""
    num_threads: int = 1
    """Threads of the tree search. Results do not depend on it."""
    cache_bytes: int = 0
    kept_visits: int = 0
    """Most visits that are kept below the move that was played; 0: every search starts afresh."""
    seed: int = 0
    first_game: int = 0
    """Search i plays games `first_game + i + k * game_stride`, k = 0, 1, ..."""
    game_stride: int = 0
    """0: `num_searches`."""
    opening_plies: int = 0
    """A game starts with 0 to this many random moves, uniformly."""
    temperature: float = 1.0
    temperature_plies: int = 0
    final_temperature: float = 0.0
    fast_share: float = 0.0
    """Of the moves, drawn at random: these get a search of `fast_simulations` without noise, and no policy target
    unless it proves the result (playout cap randomisation, Wu 2019, "Accelerating Self-Play Learning in Go", 3.1)."""
    fast_simulations: int = 0
    resign_value: float = NEVER
    """A player whose search gives it at most this value resigns once its move is made: the game ends, lost for it."""
    played_on_share: float = 0.0
    """Of the games: nobody resigns in these, which shows how often it would have been wrong."""


class SelfPlay:
    """Games under way. `evaluator` None: a network, by way of `select` and `backup`."""

    def __init__(
        self,
        game: Game,
        search: SearchParams,
        params: SelfPlayParams,
        *,
        evaluator: BuiltinEvaluator | None = None,
    ) -> None:
        values = asdict(params)
        values["game_stride"] = params.game_stride or params.num_searches
        self.game = game
        self.core = _core.SelfPlay(
            game.core, search.core(), evaluator=evaluator.value if evaluator else "network", **values
        )
        self.rows_per_group: int = self.core.rows_per_group
        self.num_groups: int = self.core.num_groups

    def select(self, group: int, observations: NDArray[np.float32]) -> int:
        """Fill rows of `observations` float32 `[>= rows_per_group, C, H, W]` with leaves; returns how many."""
        return self.core.select(group, observations)

    def backup(self, group: int, logits: NDArray[np.float32], values: NDArray[np.float32]) -> None:
        """Take the evaluations of the last `select` of this group: logits `[rows, A]`, values `[rows]`."""
        self.core.backup(group, logits, values)

    def clear_cache(self) -> None:
        """Forget evaluations; due when the weights change."""
        self.core.clear_cache()

    def set_resign_value(self, value: float) -> None:
        """Change `SelfPlayParams.resign_value` for the moves to come."""
        self.core.set_resign_value(value)

    @property
    def counters(self) -> dict[str, int]:
        """Totals: simulations, evaluations, cache_hits, terminal_leaves, batches, batch_rows."""
        return self.core.counters()

    @property
    def encode_s(self) -> float:
        """Seconds that `select` took to fill in observations, in all."""
        return self.core.encode_s

    @property
    def finished_positions(self) -> int:
        """Positions with a policy target in finished games that were not taken yet."""
        return self.core.finished_positions

    def take_finished(self) -> Arrays:
        """Records of the games finished since the last call, by number."""
        return self._arrays(self.core.take_finished(self.game.core))

    def take_noise(self) -> NDArray[np.uint64]:
        """One word for the noise at the first root of each game that began since the last call, where it had noise.

        Equal words mean equal noise: two games draw from the same random numbers.
        """
        return np.array(self.core.take_noise(), np.uint64)

    def suspend(self) -> Arrays:
        """Records of the games under way. Trees and cached evaluations are dropped: their searches start again."""
        return self._arrays(self.core.suspend(self.game.core))

    def resume(self, records: Arrays) -> None:
        """Go on with games that `suspend` returned, there or in another process."""
        self.core.resume(_core.Records.read(self.game.core, records))

    def _arrays(self, records: _core.Records) -> Arrays:
        games, positions, policy = records.counts
        arrays: Arrays = {
            "game_number": np.empty(games, np.int64),
            "random_state": np.empty(games, np.uint64),
            "opening_plies": np.empty(games, np.int32),
            "played_on": np.empty(games, np.uint8),
            "resigned": np.empty(games, np.uint8),
            "num_positions": np.empty(games, np.int32),
            "outcome": np.empty(games, np.float32),
            "states": np.empty((positions, self.game.state_size), np.uint8),
            "player": np.empty(positions, np.uint8),
            "action": np.empty(positions, np.int32),
            "root_value": np.empty(positions, np.float32),
            "surprise": np.empty(positions, np.float32),
            "num_legal": np.empty(positions, np.uint16),
            "policy": np.empty(policy, np.uint16),
        }
        records.write(arrays)
        return arrays
