"""The learner: keeps the newest games, trains the network on them at a steady ratio, publishes weights."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from safetensors import SafetensorError

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.known_noise import NOISE, KnownNoise
from agents.alphazero.team_trainer import TeamTrainer
from agents.alphazero.trainer import Trainer
from rlplat.data.replay import GameReplay
from rlplat.devices import Device, choose_device
from rlplat.errors import CheckpointError
from rlplat.interfaces import Arrays, Demand, Metrics, Progress, Summary
from rlplat.runs.arrays import save_arrays
from rlplat.search.game import Game
from rlplat.training.governor import ReplayRatioGovernor
from rlplat.training.team import Team

MODEL_FILE = "model.safetensors"
REPLAY_FILE = "replay.safetensors"
COUNTERS_FILE = "learner.json"


class AlphaZeroLearner:
    """Fulfils `rlplat.interfaces.Learner`. The unit of data is the position with a policy target.

    Args:
        seed: of the run; initial weights and the order of draws follow from it.
        device: where the network is trained.
        num_threads: threads of torch in this process, None: its own choice.
        synchronous: collectors wait until all owed updates are made (inline), instead of working alongside.
        team: processes that make the updates together with this one, its leader.
    """

    def __init__(
        self,
        config: AlphaZeroConfig,
        game: Game,
        *,
        seed: int,
        device: Device,
        num_threads: int | None,
        synchronous: bool,
        team: Team | None = None,
    ) -> None:
        for_draws = np.random.SeedSequence(seed).spawn(2)[1]
        training = config.training
        self._config = config
        self._game = game
        self._synchronous = synchronous
        self._trainer = _make_trainer(config, game, seed=seed, device=device, num_threads=num_threads, team=team)
        capacity = max(config.replay.max_positions, game.max_length)
        self._replay = GameReplay(game, capacity, surprise_weight=training.surprise_weight)
        self._governor = ReplayRatioGovernor(
            training.samples_per_position, training.batch_size, config.replay.min_positions, training.max_owed_updates
        )
        self._rng = np.random.default_rng(for_draws)
        self._known_noise = KnownNoise()
        self._num_games = 0
        self._version = 0
        self._published_at = 0

    def demand(self) -> Demand:
        wait = self._governor.owed_updates() > 0 if self._synchronous else self._governor.is_behind
        amount = 0 if wait else self._config.self_play.collect_positions
        return Demand(amount, synchronous=self._synchronous)

    def ingest(self, arrays: Arrays, summary: Summary) -> None:
        """Take in game records (see `GameReplay.add`), which are counted from the arrays, not from the summary.

        `NOISE` may be among them.
        """
        if NOISE in arrays:
            self._known_noise.add(arrays[NOISE])
        num_positions = self._governor.num_positions + int(np.count_nonzero(arrays["num_legal"]))
        self._replay.set_window(self._config.replay.window(num_positions))
        self._replay.add(arrays)
        self._governor.add_positions(num_positions - self._governor.num_positions)
        self._num_games += len(arrays["num_positions"])

    def update(self, max_updates: int) -> Metrics:
        """Make at most `max_updates` of the updates that are owed; the metrics are means over them (empty if none)."""
        draw_s = 0.0
        num_updates = min(max_updates, self._governor.owed_updates())
        for _ in range(num_updates):
            start = time.perf_counter()
            batch = self._replay.draw(self._config.training.batch_size, self._rng)
            draw_s += time.perf_counter() - start
            self._governor.spend(1)
            self._trainer.update(batch)
        if num_updates <= 0:
            return {}
        return self._trainer.take_metrics() | {
            "timing/draw": draw_s / num_updates,
            "optimizer/skipped_updates": float(self._trainer.ledger.num_skipped),
            "replay/positions": float(self._replay.num_positions),
            "replay/games": float(self._replay.num_games),
            "replay/window": float(self._replay.window),
            "replay/ratio": self._governor.ratio,
            "self_play/repeated_noise": self._known_noise.share,
        }

    def progress(self) -> Progress:
        return Progress(
            updates=self._trainer.num_updates,
            amount=self._governor.num_positions,
            episodes=self._num_games,
            version=self._version,
            owed=self._governor.owed_updates(),
        )

    def publish(self) -> Arrays:
        self._version += 1
        self._published_at = self._trainer.num_updates
        return self._trainer.published()

    def publish_due(self) -> bool:
        age = self._trainer.num_updates - self._published_at
        return self._version == 0 or age >= self._config.training.publish_every

    def save(self, folder: Path) -> None:
        """Write model, replay and counters into an existing folder; a learner that loads them goes on bit by bit."""
        save_arrays(folder / MODEL_FILE, {name: tensor.numpy() for name, tensor in self._trainer.state().items()})
        save_arrays(folder / REPLAY_FILE, self._replay.state())
        counters = {
            "trained_for": self._trained_for(),
            "num_updates": self._trainer.num_updates,
            "num_skipped": self._trainer.ledger.num_skipped,
            "num_skipped_in_a_row": self._trainer.ledger.num_skipped_in_a_row,
            "num_games": self._num_games,
            "version": self._version,
            "published_at": self._published_at,
            "governor": self._governor.state(),
            "draws": self._rng.bit_generator.state,
        }
        (folder / COUNTERS_FILE).write_text(json.dumps(counters, indent=1))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. CheckpointError if it is broken, or of another game, network or optimiser."""
        try:
            counters = json.loads((folder / COUNTERS_FILE).read_text())
            self._check_trained_for(counters["trained_for"], folder)
            tensors = safetensors.torch.load_file(folder / MODEL_FILE)
            replay = safetensors.numpy.load_file(folder / REPLAY_FILE)
            self._trainer.restore(tensors, str(folder))
            self._replay.restore(replay)
            self._restore_counters(counters)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(
                f"{folder}: cannot continue from this checkpoint: {type(error).__name__}: {error}. Remove "
                f"{folder.parent} to continue from the one before it, or begin a new run with --init-from"
            ) from error

    def initialise(self, weights: Arrays) -> None:
        """Start from published weights of another run; CheckpointError if its network or game was another."""
        self._trainer.initialise(weights, "--init-from")

    def _trained_for(self) -> dict[str, Any]:
        return {
            "game": self._game.name,
            "parameters": dict(self._game.parameters),
            "network": self._config.network.model_dump(mode="json"),
        }

    def _check_trained_for(self, found: dict[str, Any], folder: Path) -> None:
        for name, here in self._trained_for().items():
            if found[name] != here:
                raise CheckpointError(
                    f"{folder}: this checkpoint was made with {name} {found[name]}, the configuration has {here}. "
                    f"Continue with the configuration of its own run, or use another run folder"
                )

    def _restore_counters(self, counters: dict[str, Any]) -> None:
        self._trainer.num_updates = counters["num_updates"]
        self._trainer.ledger.restore(counters["num_skipped"], counters["num_skipped_in_a_row"])
        self._num_games = counters["num_games"]
        self._version = counters["version"]
        self._published_at = counters["published_at"]
        self._governor.restore(counters["governor"])
        self._rng.bit_generator.state = counters["draws"]


def follow(
    config: AlphaZeroConfig, game: Game, team: Team, *, seed: int, device: Device, num_threads: int | None
) -> None:
    """Make updates for the learner that leads the team, with the same arguments, until it ends the team."""
    trainer = _make_trainer(config, game, seed=seed, device=device, num_threads=num_threads, team=team)
    assert isinstance(trainer, TeamTrainer)
    trainer.follow()


def _make_trainer(
    config: AlphaZeroConfig, game: Game, *, seed: int, device: Device, num_threads: int | None, team: Team | None
) -> Trainer:
    if num_threads is not None:
        torch.set_num_threads(num_threads)
    for_weights = int(np.random.SeedSequence(seed).spawn(2)[0].generate_state(1)[0])
    chosen = choose_device(device)
    if team is None:
        return Trainer(game.spec, config, seed=for_weights, device=chosen)
    return TeamTrainer(game.spec, config, team=team, seed=for_weights, device=chosen)
