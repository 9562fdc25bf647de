"""How fast AlphaZero plays, infers and learns on this machine: `rlplat bench selfplay inference learner`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import torch

from agents.alphazero.agent import AlphaZero
from agents.alphazero.config import AlphaZeroConfig, NetworkConfig, ReplayConfig, TrainingConfig
from agents.alphazero.inference import choose_device
from agents.alphazero.network import ResidualNetwork, initialise_network, to_arrays
from agents.alphazero.onnx_inference import OnnxEvaluator
from rlplat import registry
from rlplat.bench import Measured, Measurement, alternate, repeat
from rlplat.config import EnvConfig, PlacementConfig, RunConfig, load_config
from rlplat.config import TrainingConfig as RunTrainingConfig
from rlplat.data.replay import GameReplay
from rlplat.hardware import num_cores
from rlplat.interfaces import Arrays, Demand, EnvSpec, Metrics, Summary
from rlplat.reports import Result
from rlplat.search.game import Game
from rlplat.testing.records import random_records

CONFIGS_FOLDER = Path(__file__).resolve().parents[2] / "configs"
GAMES = ("connect_four", "tictactoe")
NETWORKS = {"32x4": NetworkConfig(channels=32, blocks=4), "64x5": NetworkConfig(channels=64, blocks=5)}
"""Channels x blocks."""
INFERENCE_BATCHES = (1, 16, 64, 256)
BARE_BATCHES = (1, 4, 16, 32, 64, 128, 256)
LEARNER_BATCH = 256
COLLECT = Demand(256)
"""Positions per call of a collector: about a second of work, so that measurements end in time."""

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
    """`selfplay.<game>.simulations` and `selfplay.<game>.network_share`, with all cores and the weights of a new run.

    Collectors are those of the inline pool: one per core, in a thread, with one thread and a session of its own.
    Connect Four has the default configuration (a 32x4 network), tic-tac-toe that of configs/tictactoe.yaml.

    Args:
        seconds: measured for `simulations`, after `warm_up_s`.
        share_s: length of one turn for `network_share`, in each of `rounds` rounds.
        bare_batches: batch sizes at which a session alone is measured.
    """
    results = []
    for name in games:
        game, config = registry.resolve(name, kind="game").load(), self_play_config(name)
        results.append(_simulations(name, game, config, seconds, warm_up_s))
        results.append(_network_share(name, game, config, warm_up_s, share_s, rounds, bare_batches))
    return results


def self_play_config(name: str) -> AlphaZeroConfig:
    """The agent's configuration with which a game is measured."""
    if name == "tictactoe":
        config = load_config(CONFIGS_FOLDER / f"{name}.yaml").agent
        assert isinstance(config, AlphaZeroConfig)
        return config
    return AlphaZeroConfig(id="alphazero")


def new_weights(spec: EnvSpec, config: NetworkConfig) -> Arrays:
    """Weights as a run begins with them: an even policy and value 0 everywhere."""
    network = ResidualNetwork(spec, config)
    initialise_network(network, seed=0)
    return to_arrays(network.state_dict())


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

    with ThreadPoolExecutor(len(steps)) as threads:
        rates: Counter[str] = Counter()
        for found in threads.map(work, range(len(steps))):
            rates.update(found)
        return dict(rates)


class _Players:
    """The collectors of an inline run."""

    def __init__(self, name: str, game: Game, config: AlphaZeroConfig) -> None:
        self._agent = _agent(name, game, config, "cpu")
        collectors = [self._agent.make_collector(index, num_cores()) for index in range(num_cores())]
        weights = new_weights(game.spec, config.network)
        for collector in collectors:
            collector.set_weights(1, weights)
        self._steps: list[Step] = [lambda each=each: each.collect(COLLECT).summary.metrics for each in collectors]

    def play(self, seconds: float) -> Metrics:
        """Counters of the collectors, per second."""
        return run_together(self._steps, seconds)

    def summarise(self, rates: Metrics) -> Metrics:
        """What a run shows of such counters."""
        return self._agent.summarise(rates, 1.0)


def _simulations(name: str, game: Game, config: AlphaZeroConfig, seconds: float, warm_up_s: float) -> Result:
    players = _Players(name, game, config)
    players.play(warm_up_s)
    start = time.perf_counter()
    rounds = [players.play(seconds / 3) for _ in range(3)]
    measured = Measured(tuple(rates["simulations"] for rates in rounds), time.perf_counter() - start)
    shown = players.summarise({key: sum(rates[key] for rates in rounds) / len(rounds) for key in rounds[0]})
    return measured.result(
        f"selfplay.{name}.simulations",
        "simulations/s",
        games_per_s=shown["speed/games_per_s"],
        positions_per_s=shown["speed/positions_per_s"],
        evaluations_per_s=shown["speed/evaluations_per_s"],
        cache_hits=shown["search/cache_hits"],
        batch_fill=shown["search/batch_fill"],
        **_fields(config),
    )


def _network_share(
    name: str,
    game: Game,
    config: AlphaZeroConfig,
    warm_up_s: float,
    share_s: float,
    rounds: int,
    bare_batches: Sequence[int],
) -> Result:
    """Evaluations/s of self-play without a cache, over the best of bare sessions with as many threads."""
    own = config.self_play.model_copy(update={"cache_mib": 0})
    players = _Players(name, game, config.model_copy(update={"self_play": own}))
    players.play(warm_up_s)
    measurements: dict[Hashable, Measurement] = {"self-play": lambda seconds: players.play(seconds)["evaluations"]}
    for batch in bare_batches:
        for sessions in sorted({1, num_cores()}):
            measurements[sessions, batch] = _bare(game.spec, config.network, sessions, batch)
    found = alternate(measurements, seconds=share_s, rounds=rounds)
    played = found.pop("self-play")
    best = max(found, key=lambda key: found[key].median)
    sessions, batch = best
    return played.over(found[best]).result(
        f"selfplay.{name}.network_share",
        "",
        self_play_evaluations_per_s=played.median,
        bare_evaluations_per_s=found[best].median,
        bare_sessions=sessions,
        bare_batch=batch,
        **_fields(config),
    )


def _bare(spec: EnvSpec, network: NetworkConfig, num_sessions: int, batch: int) -> Measurement:
    """Evaluations/s of full batches alone, in sessions that share the cores evenly."""
    weights, threads = new_weights(spec, network), num_cores() // num_sessions
    observations = _observations(spec, batch)

    def step(evaluator: OnnxEvaluator) -> Mapping[str, float]:
        evaluator.evaluate(observations)
        return {"evaluations": batch}

    evaluators = [
        OnnxEvaluator(spec, network, weights, batch_size=batch, num_threads=threads) for _ in range(num_sessions)
    ]
    steps: list[Step] = [lambda each=each: step(each) for each in evaluators]
    return lambda seconds: run_together(steps, seconds)["evaluations"]


def inference(
    *, seconds: float = 0.5, rounds: int = 5, networks: Mapping[str, NetworkConfig] = NETWORKS
) -> list[Result]:
    """`inference.<network>.batch<B>` (evaluations/s) and `.new_weights_s`: one thread, boards of 6x7, ONNX Runtime.

    `seconds` is the length of one turn, in each of `rounds` rounds.
    """
    spec = EnvSpec("board", (2, 6, 7), 7)
    results = []
    for name, network in networks.items():
        weights = new_weights(spec, network)
        evaluators = {
            batch: OnnxEvaluator(spec, network, weights, batch_size=batch, num_threads=1) for batch in INFERENCE_BATCHES
        }
        found = alternate(
            {batch: _evaluations(evaluator, spec) for batch, evaluator in evaluators.items()},
            seconds=seconds,
            rounds=rounds,
        )
        for batch, measured in found.items():
            fields = {"threads": 1, "batch": batch, "device": "cpu"}
            results.append(measured.result(f"inference.{name}.batch{batch}", "evaluations/s", **fields))
        swaps = Measured(tuple(_swap_s(evaluators[64], weights) for _ in range(3 * rounds)), 0.0)
        swaps = Measured(swaps.values, sum(swaps.values))
        results.append(swaps.result(f"inference.{name}.new_weights_s", "s", threads=1, batch=64, device="cpu"))
    return results


def _evaluations(evaluator: OnnxEvaluator, spec: EnvSpec) -> Measurement:
    observations = _observations(spec, evaluator.batch_size)
    return repeat(lambda: len(evaluator.evaluate(observations)[1]))


def _swap_s(evaluator: OnnxEvaluator, weights: Arrays) -> float:
    start = time.perf_counter()
    evaluator.set_weights(weights)
    return time.perf_counter() - start


def learner(
    *,
    seconds: float = 1.5,
    rounds: int = 5,
    networks: Mapping[str, NetworkConfig] = NETWORKS,
    num_positions: int = 1_000_000,
) -> list[Result]:
    """`learner.<network>.updates` (updates/s) on random games of Connect Four, and `learner.replay.bytes_per_position`.

    An update draws its batch from the replay and trains on it, on all cores, or on the GPU if there is one.

    Args:
        seconds: length of one turn, in each of `rounds` rounds.
        num_positions: positions that the replay is filled with.
    """
    game = registry.resolve("connect_four", kind="game").load()
    records = random_records(game, num_games=300, seed=0)
    with _torch_threads():
        updates = {name: _updates(game, network, records) for name, network in networks.items()}
        found = alternate(updates, seconds=seconds, rounds=rounds)
    fields = {"threads": num_cores(), "batch": LEARNER_BATCH, "device": choose_device("auto")}
    results = [measured.result(f"learner.{name}.updates", "updates/s", **fields) for name, measured in found.items()]
    return [*results, _replay_memory(game, records, num_positions)]


def _updates(game: Game, network: NetworkConfig, records: Arrays) -> Measurement:
    # So many samples per position that the records pay for all updates that fit into the measurement.
    config = AlphaZeroConfig(
        id="alphazero",
        network=network,
        replay=ReplayConfig(min_positions=1, max_positions=50_000),
        training=TrainingConfig(batch_size=LEARNER_BATCH, samples_per_position=1000.0),
    )
    made = _agent("connect_four", game, config, "auto").make_learner(inline=True)
    num_positions = int(np.count_nonzero(records["num_legal"]))
    summary = Summary(num_positions, len(records["outcome"]), weights_version=0, seconds=0.0)

    def work() -> int:
        if made.progress().owed == 0:
            made.ingest(records, summary)
        before = made.progress().updates
        made.update(5)
        return made.progress().updates - before

    return repeat(work)


def _replay_memory(game: Game, records: Arrays, num_positions: int) -> Result:
    """Memory of a full replay; what the process grew by counts the pages that were really touched."""
    process = psutil.Process()
    start, before = time.perf_counter(), process.memory_info().rss
    replay = GameReplay(game, num_positions)
    while replay.num_positions + len(records["player"]) <= num_positions:
        replay.add(records)
    return Result(
        "learner.replay.bytes_per_position",
        replay.bytes / num_positions,
        "bytes",
        seconds=time.perf_counter() - start,
        game=game.name,
        positions=num_positions,
        memory_bytes=replay.bytes,
        resident_bytes=process.memory_info().rss - before,
    )


def _agent(name: str, game: Game, config: AlphaZeroConfig, device: str) -> AlphaZero:
    placement = PlacementConfig(mode="inline", device=device, learner_threads=num_cores())
    run = RunConfig(
        name="bench",
        env=EnvConfig(id=name),
        agent=config,
        training=RunTrainingConfig(max_updates=1),
        placement=placement,
    )
    return AlphaZero(run, game)


def _fields(config: AlphaZeroConfig) -> dict[str, object]:
    """What self-play was measured with."""
    return {
        "threads": num_cores(),
        "network": f"{config.network.channels}x{config.network.blocks}",
        "games": config.self_play.num_games,
        "batch": config.self_play.num_games // config.self_play.num_groups,
        "simulations": config.search.num_simulations,
        "device": "cpu",
    }


def _observations(spec: EnvSpec, batch: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (batch, *spec.observation_shape)).astype(np.float32)


@contextmanager
def _torch_threads() -> Iterator[None]:
    """Give torch its number of threads back afterwards; learners set it for the whole process."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
