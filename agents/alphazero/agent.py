"""AlphaZero (Silver et al. 2018) for two-player zero-sum games: binds a configuration to a game and makes the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.alphazero.collector import AlphaZeroCollector
from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.health import ailments
from agents.alphazero.inference import make_evaluator
from agents.alphazero.policy import BATCH_SIZE, AlphaZeroPolicy
from rlplat.environments.task import Task
from rlplat.errors import ConfigError
from rlplat.interfaces import Arrays, Metrics

if TYPE_CHECKING:
    from agents.alphazero.learner import AlphaZeroLearner
    from rlplat.config import RunConfig
    from rlplat.environments.resolve import Environment
    from rlplat.training.team import Team


class AlphaZero:
    """Fulfils `rlplat.interfaces.Agent`."""

    Config = AlphaZeroConfig
    unit = "positions"

    def __init__(self, config: RunConfig, env: Environment) -> None:
        if not isinstance(config.agent, AlphaZeroConfig):
            raise TypeError(f"config.agent is {type(config.agent).__name__}, expected AlphaZeroConfig")
        if isinstance(env, Task):
            raise ConfigError(
                f"agent.id is '{config.agent.id}', which learns games; env.id is {env.name}, a task: take the agent ppo"
            )
        size, num_learners = config.agent.training.batch_size, config.placement.num_learners
        if size % num_learners or size < 2 * num_learners:
            raise ConfigError(
                f"agent.training.batch_size is {size}, it must be a multiple of placement.num_learners = "
                f"{num_learners} and give each of them at least 2 positions"
            )
        self._run, self._config, self._game = config, config.agent, env

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> AlphaZeroCollector:
        return AlphaZeroCollector(
            self._config,
            self._game,
            seed=self._run.seed,
            index=index,
            num_collectors=num_collectors,
            generation=generation,
            device=self._run.placement.device,
            num_threads=self._run.placement.threads_per_actor,
        )

    def make_learner(self, *, inline: bool, team: Team | None = None) -> AlphaZeroLearner:
        from agents.alphazero.learner import AlphaZeroLearner

        return AlphaZeroLearner(
            self._config,
            self._game,
            seed=self._run.seed,
            device=self._run.placement.device,
            num_threads=self._run.placement.learner_threads,
            synchronous=inline,
            team=team,
        )

    def follow(self, team: Team) -> None:
        """Make updates for the learner that leads the team, until it ends."""
        from agents.alphazero.learner import follow

        placement = self._run.placement
        threads = placement.learner_threads
        follow(self._config, self._game, team, seed=self._run.seed, device=placement.device, num_threads=threads)

    def make_policy(self, weights: Arrays, *, num_simulations: int | None, seed: int) -> AlphaZeroPolicy:
        evaluator = make_evaluator(
            self._game.spec,
            self._config.network,
            weights,
            batch_size=BATCH_SIZE,
            num_threads=self._run.placement.threads_per_actor,
            device=self._run.placement.device,
        )
        return AlphaZeroPolicy(self._config, self._game, evaluator, num_simulations=num_simulations, seed=seed)

    def summarise(self, counters: Metrics, elapsed_s: float) -> Metrics:
        """What is shown of the counters of all collectors that came in during `elapsed_s` seconds."""
        games, simulations = max(1.0, counters["games"]), max(1.0, counters["simulations"])
        resignation: Metrics = {}
        if "resigned_games" in counters:
            resignation["self_play/resigned"] = counters["resigned_games"] / games
            if counters["would_resign"] > 0:
                resignation["self_play/resign_errors"] = counters["resign_errors"] / counters["would_resign"]
        looked_up = counters["evaluations"] + counters["cache_hits"]
        return {
            "self_play/game_length": counters["plies"] / games,
            "self_play/first_player_wins": counters["first_player_wins"] / games,
            "self_play/second_player_wins": counters["second_player_wins"] / games,
            "self_play/draws": counters["draws"] / games,
            "self_play/duplicate_games": counters["duplicate_games"] / games,
            "search/cache_hits": counters["cache_hits"] / max(1.0, looked_up),
            "search/terminal_leaves": counters["terminal_leaves"] / simulations,
            "search/batch_fill": counters["batch_rows"] / max(1.0, counters["batch_capacity"]),
            "speed/games_per_s": counters["games"] / elapsed_s,
            "speed/positions_per_s": counters["positions"] / elapsed_s,
            "speed/simulations_per_s": counters["simulations"] / elapsed_s,
            "speed/evaluations_per_s": counters["evaluations"] / elapsed_s,
            **resignation,
        }

    def view(self, metrics: Metrics) -> tuple[Metrics, Metrics]:
        """What the console shows: rates per second, and other measures."""
        rates = {name: f"speed/{name}_per_s" for name in ("games", "positions", "simulations")}
        measures = {
            "policy entropy": "policy/entropy",
            "value error": "value/error",
            "game length": "self_play/game_length",
            "cache hits": "search/cache_hits",
        }

        def known(names: Mapping[str, str]) -> Metrics:
            return {name: metrics[key] for name, key in names.items() if key in metrics}

        return known(rates), known(measures)

    def remedies(self) -> Mapping[str, str]:
        """Settings that make a stage take less time."""
        less_learning = "lower agent.training.samples_per_position"
        return {
            "search": "lower agent.search.num_simulations",
            "inference": "take a smaller agent.network or a GPU",
            "learn": less_learning,
            "draw": less_learning,
            "transport": "raise agent.training.publish_every",
            "calls": "raise agent.self_play.collect_positions",
        }

    def ailments(self, metrics: Metrics) -> Mapping[str, str]:
        """What is wrong with the run, by name; see `agents.alphazero.health`."""
        return ailments(metrics, self._game.num_actions)

    def metrics_layout(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """TensorBoard's custom layout; docs/watching.md says how to read what comes first."""
        return {
            "first": {
                "policy loss and its floor: what is left to learn": ["loss/policy", "policy/target_entropy"],
                "value error: does it foresee results?": ["value/error", "value/constant_error", "loss/value"],
                "gradient norm: is learning stable?": ["optimizer/gradient_norm", "optimizer/skipped_updates"],
                "results of self-play: do both sides win?": [
                    "self_play/first_player_wins",
                    "self_play/second_player_wins",
                    "self_play/draws",
                ],
                "game length: do they fight?": ["self_play/game_length"],
                "repeated games: is there variety?": ["self_play/duplicate_games", "self_play/repeated_noise"],
                "samples per position: is data used evenly?": ["replay/ratio"],
                "simulations per second: is it as fast as before?": ["speed/simulations_per_s"],
            },
            "learning": {
                "policy entropy": ["policy/entropy", "policy/target_entropy"],
                "policy accuracy": ["policy/accuracy"],
                "learning rate": ["optimizer/learning_rate"],
            },
            "speed": {
                "games per second": ["speed/games_per_s"],
                "cache hits and batch fill": ["search/cache_hits", "search/batch_fill"],
            },
            "data": {
                "replay": ["replay/positions", "replay/window"],
                "policy lag": ["self_play/policy_lag"],
                "resignation": ["self_play/resigned", "self_play/resign_errors"],
            },
        }
