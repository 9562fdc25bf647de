"""The collector: plays games against itself and returns their records."""

from __future__ import annotations

import time

import numpy as np

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.inference import NetworkEvaluator, PendingEvaluation, make_evaluator
from agents.alphazero.known_noise import NOISE
from agents.alphazero.resignation import Resignation
from agents.alphazero.search_params import self_play_params
from rlplat.devices import Device, choose_device
from rlplat.interfaces import Arrays, Collected, Demand, Metrics, Summary
from rlplat.notation.record import game_line
from rlplat.search.game import Game
from rlplat.search.self_play import SelfPlay, SelfPlayParams

RECORDS_PER_CALL = 2
GAMES_PER_GENERATION = 1 << 30
"""More games than any search plays before its collector is lost."""


def games_params(
    config: AlphaZeroConfig,
    *,
    seed: int,
    index: int,
    num_collectors: int,
    generation: int,
    num_groups: int,
    num_threads: int,
) -> SelfPlayParams:
    """The games of collector `index`: every game number belongs to one search of one generation of one collector."""
    own, search = config.self_play, config.search
    stride = num_collectors * own.num_games
    return SelfPlayParams(
        num_searches=own.num_games,
        num_groups=num_groups,
        num_threads=num_threads,
        cache_bytes=own.cache_mib << 20,
        kept_visits=3 * search.num_simulations if search.keeps_subtree else 0,
        seed=seed,
        first_game=index * own.num_games + generation * stride * GAMES_PER_GENERATION,
        game_stride=stride,
        opening_plies=own.opening_plies,
        temperature=search.temperature,
        temperature_plies=search.temperature_plies,
        final_temperature=search.final_temperature,
        fast_share=own.fast_share,
        fast_simulations=own.fast_simulations,
        played_on_share=0.0 if own.resign_errors is None else own.played_on_share,
    )


class AlphaZeroCollector:
    """Fulfils `rlplat.interfaces.Collector`. The unit of data is the position with a policy target."""

    def __init__(
        self,
        config: AlphaZeroConfig,
        game: Game,
        *,
        seed: int,
        index: int,
        num_collectors: int,
        generation: int,
        device: Device,
        num_threads: int,
    ) -> None:
        self._config, self._game = config, game
        self._device, self._num_threads = device, num_threads
        params = games_params(
            config,
            seed=seed,
            index=index,
            num_collectors=num_collectors,
            generation=generation,
            num_groups=config.self_play.resolve_num_groups(choose_device(device)),
            num_threads=num_threads,
        )
        errors = config.self_play.resign_errors
        self._resignation = None if errors is None else Resignation(errors)
        self._play = SelfPlay(game, self_play_params(config.search, game), params)
        shape = (self._play.num_groups, self._play.rows_per_group, *game.plane_shape)
        self._observations = np.zeros(shape, np.float32)
        self._pending: list[PendingEvaluation | None] = [None] * self._play.num_groups
        self._evaluator: NetworkEvaluator | None = None
        self._version = 0
        self._search_s = self._inference_s = 0.0

    def set_weights(self, version: int, weights: Arrays) -> None:
        self._version = version
        if self._evaluator is None:
            self._evaluator = make_evaluator(
                self._game.spec,
                self._config.network,
                weights,
                batch_size=self._play.rows_per_group,
                num_threads=self._num_threads,
                device=self._device,
            )
        else:
            self._evaluator.set_weights(weights)
        self._play.clear_cache()

    def collect(self, demand: Demand) -> Collected:
        """Play until at least `demand.amount` positions of finished games are there."""
        start, before, encoded_s = time.perf_counter(), self._play.counters, self._play.encode_s
        self._search_s = self._inference_s = 0.0
        while self._play.finished_positions < demand.amount:
            for group in range(self._play.num_groups):
                self._finish_batch(group)
                self._start_batch(group)
        for group in range(self._play.num_groups):
            self._finish_batch(group)
        arrays = self._play.take_finished() | {NOISE: self._play.take_noise()}
        resigned: Metrics = {}
        if self._resignation is not None:
            resigned = self._resignation.learn(arrays)
            self._play.set_resign_value(self._resignation.value)
        after = self._play.counters
        counters = {name: float(after[name] - before[name]) for name in after}
        counters["batch_capacity"] = counters["batches"] * self._play.rows_per_group
        seconds = time.perf_counter() - start
        encoding_s = self._play.encode_s - encoded_s
        stages = {
            "search": self._search_s - encoding_s,
            "encoding": encoding_s,
            "inference": self._inference_s,
        }
        return Collected(
            arrays,
            Summary(
                amount=int(np.count_nonzero(arrays["num_legal"])),
                episodes=len(arrays["outcome"]),
                weights_version=self._version,
                seconds=seconds,
                metrics=counters | _game_counters(arrays) | resigned,
                records=game_texts(self._game, arrays, RECORDS_PER_CALL),
                stages=stages | {"records": seconds - sum(stages.values())},
            ),
        )

    def get_state(self) -> Arrays:
        """The games under way; search trees and cached evaluations are dropped here too."""
        return self._play.suspend() | ({} if self._resignation is None else self._resignation.get_state())

    def set_state(self, state: Arrays) -> None:
        self._play.resume(state)
        if self._resignation is not None:
            self._resignation.set_state(state)
            self._play.set_resign_value(self._resignation.value)

    def _start_batch(self, group: int) -> None:
        if self._evaluator is None:
            raise RuntimeError("set_weights must come before collect")
        start = time.perf_counter()
        rows = self._play.select(group, self._observations[group])
        selected = time.perf_counter()
        self._pending[group] = self._evaluator.submit(self._observations[group, :rows]) if rows else None
        self._search_s += selected - start
        self._inference_s += time.perf_counter() - selected

    def _finish_batch(self, group: int) -> None:
        pending, self._pending[group] = self._pending[group], None
        if pending is None:
            return
        start = time.perf_counter()
        logits, values = pending.result()
        evaluated = time.perf_counter()
        self._play.backup(group, logits, values)
        self._inference_s += evaluated - start
        self._search_s += time.perf_counter() - evaluated


def _game_counters(arrays: Arrays) -> Metrics:
    outcome, plies = arrays["outcome"], arrays["num_positions"]
    ends = np.cumsum(plies)
    lines = {arrays["action"][end - length : end].tobytes() for end, length in zip(ends, plies, strict=True)}
    return {
        "games": float(len(outcome)),
        "positions": float(np.count_nonzero(arrays["num_legal"])),
        "plies": float(plies.sum()),
        "first_player_wins": float(np.count_nonzero(outcome > 0)),
        "second_player_wins": float(np.count_nonzero(outcome < 0)),
        "draws": float(np.count_nonzero(outcome == 0)),
        "duplicate_games": float(len(outcome) - len(lines)),
    }


def game_texts(game: Game, arrays: Arrays, count: int) -> list[str]:
    """The first `count` games as lines: number, random opening plies, moves, result of the first player."""
    lines = []
    end = 0
    for index in range(min(count, len(arrays["outcome"]))):
        begin, end = end, end + int(arrays["num_positions"][index])
        state = game.state_from_moves([int(action) for action in arrays["action"][begin:end]])
        title = f"game {arrays['game_number'][index]} opening {arrays['opening_plies'][index]}"
        lines.append(game_line(title, state, float(arrays["outcome"][index])))
    return lines
