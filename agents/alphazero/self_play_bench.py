"""How fast AlphaZero plays against itself on this machine: `rlplat bench selfplay`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agents.alphazero import limits
from agents.alphazero.bench import make_agent, make_observations, new_weights
from agents.alphazero.config import AlphaZeroConfig, NetworkConfig
from agents.alphazero.cpu_inference import CpuEvaluator
from rlplat import registry
from rlplat.bench import Measured, Measurement, alternate
from rlplat.config import load_config
from rlplat.hardware import num_cores
from rlplat.interfaces import Collector, Demand, EnvSpec, Metrics
from rlplat.reports import Result
from rlplat.search.game import Game

CONFIGS_FOLDER = Path(__file__).resolve().parents[2] / "configs"
GAMES = ("connect_four", "tictactoe")
BARE_BATCHES = (1, 4, 16, 32, 64, 128, 256)
COLLECT = Demand(64)
"""Positions per call of a collector: a fraction of a second of work, so that measurements end in time."""
STAGE, PROCESSOR_S = "stage/", "processor_s"
"""What is counted of a call beside the collector's own counters: seconds by stage, and processor time."""

Step = Callable[[], Mapping[str, float]]
"""Does some work and returns what it counted."""


def selfplay(
    *,
    games: Sequence[str] = GAMES,
    seconds: float = 15.0,
    warm_up_s: float = 3.0,
    share_s: float = 0.4,
    rounds: int = 4,
    bare_batches: Sequence[int] = BARE_BATCHES,
) -> list[Result]:
    """Self-play with all cores and the weights of a new run.

    `selfplay.<game>.simulations`; where the time goes meanwhile, `selfplay.<game>.share.<part>`, and in words,
    `selfplay.<game>.limit`; and `selfplay.<game>.network_share`.

    Collectors are those of the inline pool: one per core, in a thread, with one thread and a network of its own.
    Connect Four has the default configuration (a 32x4 network), tic-tac-toe that of configs/tictactoe.yaml.

    `simulations` is measured for `seconds` after `warm_up_s`; `network_share` in `rounds` rounds, in which self-play
    without a cache and bare networks at each of `bare_batches` have a turn of `share_s` seconds each.
    """
    results = []
    for name in games:
        game, config = registry.resolve(name, kind="game").load(), self_play_config(name)
        results += _simulations(name, game, config, seconds, warm_up_s)
        results.append(_network_share(name, game, config, warm_up_s, share_s, rounds, bare_batches))
    return results


def self_play_config(name: str) -> AlphaZeroConfig:
    """The agent's configuration with which a game is measured."""
    if name == "tictactoe":
        config = load_config(CONFIGS_FOLDER / f"{name}.yaml").agent
        assert isinstance(config, AlphaZeroConfig)
        return config
    return AlphaZeroConfig(id="alphazero")


def run_together(steps: Sequence[Step], seconds: float) -> Metrics:
    """Repeat each step in a thread of its own for `seconds`; returns the counted per second, summed over threads.

    Each thread counts for its own time and then goes on without counting, until all are through: none is measured
    while a core is idle.
    """
    through = [threading.Event() for _ in steps]

    def work(index: int) -> Metrics:
        counters: Counter[str] = Counter()
        start = time.perf_counter()
        try:
            while time.perf_counter() - start < seconds or not counters:
                counters.update(steps[index]())
            elapsed_s = time.perf_counter() - start
        finally:
            through[index].set()
        while not all(event.is_set() for event in through):
            steps[index]()
        return {name: count / elapsed_s for name, count in counters.items()}

    rates: Counter[str] = Counter()
    with ThreadPoolExecutor(len(steps)) as threads:
        for found in threads.map(work, range(len(steps))):
            rates.update(found)
    return dict(rates)


class _Players:
    """The collectors of an inline run."""

    def __init__(self, name: str, game: Game, config: AlphaZeroConfig) -> None:
        self._agent = make_agent(name, game, config, "cpu")
        collectors = [self._agent.make_collector(index, num_cores()) for index in range(num_cores())]
        weights = new_weights(game.spec, config.network)
        for collector in collectors:
            collector.set_weights(1, weights)
        self._steps: list[Step] = [lambda each=each: _collect(each) for each in collectors]

    def play(self, seconds: float) -> Metrics:
        """Counters of the collectors, per second."""
        return run_together(self._steps, seconds)

    def limits(self, rates: Metrics) -> tuple[dict[str, float], str]:
        """Where the time goes, in per cent, and what limits self-play, in words."""
        stages = {name.removeprefix(STAGE): rate for name, rate in rates.items() if name.startswith(STAGE)}
        percent = limits.shares(stages, rates[PROCESSOR_S], float(len(self._steps)))
        return percent, limits.limit(percent, self._agent.remedies())

    def summarise(self, rates: Metrics) -> Metrics:
        """What a run shows of such counters."""
        return self._agent.summarise(rates, 1.0)


def _collect(collector: Collector) -> Metrics:
    """Counters of a call, its seconds by stage, and its processor time."""
    begin = time.thread_time()
    summary = collector.collect(COLLECT).summary
    stages = {f"{STAGE}{name}": seconds for name, seconds in summary.stages.items()}
    return {**summary.metrics, **stages, PROCESSOR_S: time.thread_time() - begin}


def _simulations(name: str, game: Game, config: AlphaZeroConfig, seconds: float, warm_up_s: float) -> list[Result]:
    players = _Players(name, game, config)
    players.play(warm_up_s)
    start = time.perf_counter()
    rounds = [players.play(seconds / 3) for _ in range(3)]
    measured = Measured(tuple(rates["simulations"] for rates in rounds), time.perf_counter() - start)
    mean = {key: sum(rates[key] for rates in rounds) / len(rounds) for key in rounds[0]}
    shown = players.summarise(mean)
    percent, sentence = players.limits(mean)
    simulations = measured.result(
        f"selfplay.{name}.simulations",
        "simulations/s",
        games_per_s=shown["speed/games_per_s"],
        positions_per_s=shown["speed/positions_per_s"],
        evaluations_per_s=shown["speed/evaluations_per_s"],
        cache_hits=shown["search/cache_hits"],
        batch_fill=shown["search/batch_fill"],
        **_fields(config),
    )
    shares = [Result(f"selfplay.{name}.share.{part}", share, "%") for part, share in percent.items()]
    return [simulations, *shares, Result(f"selfplay.{name}.limit", sentence)]


def _network_share(
    name: str,
    game: Game,
    config: AlphaZeroConfig,
    warm_up_s: float,
    share_s: float,
    rounds: int,
    bare_batches: Sequence[int],
) -> Result:
    """Evaluations/s of self-play without a cache, over the best of bare networks with as many threads."""
    own = config.self_play.model_copy(update={"cache_mib": 0})
    players = _Players(name, game, config.model_copy(update={"self_play": own}))
    players.play(warm_up_s)
    measurements: dict[Hashable, Measurement] = {"self-play": lambda seconds: players.play(seconds)["evaluations"]}
    for batch in bare_batches:
        for count in sorted({1, num_cores()}):
            measurements[count, batch] = _bare(game.spec, config.network, count, batch)
    found = alternate(measurements, seconds=share_s, rounds=rounds)
    played = found.pop("self-play")
    best = max(found, key=lambda key: found[key].median)
    count, batch = best
    return played.over(found[best]).result(
        f"selfplay.{name}.network_share",
        "",
        self_play_evaluations_per_s=played.median,
        bare_evaluations_per_s=found[best].median,
        bare_networks=count,
        bare_batch=batch,
        **_fields(config),
    )


def _bare(spec: EnvSpec, network: NetworkConfig, num_evaluators: int, batch: int) -> Measurement:
    """Evaluations/s of full batches alone, in evaluators that share the cores evenly."""
    weights, threads = new_weights(spec, network), num_cores() // num_evaluators
    observations = make_observations(spec, batch)

    def step(evaluator: CpuEvaluator) -> Mapping[str, float]:
        evaluator.evaluate(observations)
        return {"evaluations": batch}

    evaluators = [
        CpuEvaluator(spec, network, weights, batch_size=batch, num_threads=threads) for _ in range(num_evaluators)
    ]
    steps: list[Step] = [lambda each=each: step(each) for each in evaluators]
    return lambda seconds: run_together(steps, seconds)["evaluations"]


def _fields(config: AlphaZeroConfig) -> dict[str, object]:
    """What self-play was measured with."""
    return {
        "threads": num_cores(),
        "network": f"{config.network.channels}x{config.network.blocks}",
        "games": config.self_play.num_games,
        "batch": config.self_play.num_games // config.self_play.resolve_num_groups("cpu"),
        "simulations": config.search.num_simulations,
        "device": "cpu",
    }
