"""How fast AlphaZero infers and learns on this machine: `rlplat bench inference learner`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from agents.alphazero.agent import AlphaZero
from agents.alphazero.config import AlphaZeroConfig, NetworkConfig, ReplayConfig, TrainingConfig
from agents.alphazero.cpu_inference import CpuEvaluator
from agents.alphazero.inference import Device, FloatArray, NetworkEvaluator, choose_device
from agents.alphazero.network import ResidualNetwork, initialise_network, to_arrays
from rlplat import registry
from rlplat.bench import Measured, Measurement, alternate, repeat
from rlplat.config import EnvConfig, PlacementConfig, RunConfig
from rlplat.config import TrainingConfig as RunTrainingConfig
from rlplat.data.replay import GameReplay
from rlplat.hardware import num_cores
from rlplat.interfaces import Arrays, EnvSpec, Summary
from rlplat.reports import Result
from rlplat.search.game import Game
from rlplat.testing.records import random_records

NETWORKS = {"32x4": NetworkConfig(channels=32, blocks=4), "64x5": NetworkConfig(channels=64, blocks=5)}
"""Channels x blocks."""
INFERENCE_BATCHES = (1, 16, 64, 256)
LEARNER_BATCH = 256
_ON_ONE_THREAD = {"threads": 1, "device": "cpu"}


def inference(
    *, seconds: float = 0.5, rounds: int = 5, networks: Mapping[str, NetworkConfig] = NETWORKS
) -> list[Result]:
    """`inference.<network>.batch<B>` (evaluations/s) and `.new_weights_s` (s): one thread, boards of 6x7.

    ONNX Runtime with the same network alternates with ours; its rate and the ratio stand in the fields. `seconds` is
    the length of one turn, in each of `rounds` rounds.
    """
    from agents.alphazero.onnx_inference import OnnxEvaluator

    spec = EnvSpec("board", (2, 6, 7), 7)
    results = []
    for name, network in networks.items():
        weights = new_weights(spec, network)
        kinds: dict[str, Callable[..., NetworkEvaluator]] = {"own": CpuEvaluator, "onnxruntime": OnnxEvaluator}
        found = alternate(
            {
                (kind, batch): _evaluations(make(spec, network, weights, batch_size=batch), spec)
                for batch in INFERENCE_BATCHES
                for kind, make in kinds.items()
            },
            seconds=seconds,
            rounds=rounds,
        )
        for batch in INFERENCE_BATCHES:
            own, peer = found["own", batch], found["onnxruntime", batch]
            fields = {"onnxruntime": peer.median, "ratio": own.over(peer).median, **_ON_ONE_THREAD}
            results.append(own.result(f"inference.{name}.batch{batch}", "evaluations/s", batch=batch, **fields))
        evaluator = CpuEvaluator(spec, network, weights, batch_size=64)
        swaps = tuple(_swap_s(evaluator, weights) for _ in range(3 * rounds))
        measured = Measured(swaps, sum(swaps))
        results.append(measured.result(f"inference.{name}.new_weights_s", "s", **_ON_ONE_THREAD))
    return results


def _evaluations(evaluator: NetworkEvaluator, spec: EnvSpec) -> Measurement:
    observations = make_observations(spec, evaluator.batch_size)
    return repeat(lambda: len(evaluator.evaluate(observations)[1]))


def _swap_s(evaluator: NetworkEvaluator, weights: Arrays) -> float:
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

    A turn takes `seconds`, in each of `rounds` rounds; the replay is filled with `num_positions`.
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
    made = make_agent("connect_four", game, config, "auto").make_learner(inline=True)
    num_positions = int(np.count_nonzero(records["num_legal"]))
    summary = Summary(num_positions, len(records["outcome"]), weights_version=0, seconds=0.0)

    def work() -> int:
        if made.progress().owed == 0:
            made.ingest(records, summary)
        before = made.progress().updates
        made.update(1)
        return made.progress().updates - before

    return repeat(work)


def _replay_memory(game: Game, records: Arrays, num_positions: int) -> Result:
    """Memory of a full replay."""
    start = time.perf_counter()
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
    )


def new_weights(spec: EnvSpec, config: NetworkConfig) -> Arrays:
    """Weights as a run begins with them: an even policy and value 0 everywhere."""
    network = ResidualNetwork(spec, config)
    initialise_network(network, seed=0)
    return to_arrays(network.state_dict())


def make_agent(name: str, game: Game, config: AlphaZeroConfig, device: Device) -> AlphaZero:
    """The agent of an inline run that uses all cores."""
    placement = PlacementConfig(mode="inline", device=device, learner_threads=num_cores())
    run = RunConfig(
        name="bench",
        env=EnvConfig(id=name),
        agent=config,
        training=RunTrainingConfig(max_updates=1),
        placement=placement,
    )
    return AlphaZero(run, game)


def make_observations(spec: EnvSpec, batch: int) -> FloatArray:
    """Boards of zeros and ones, float32 `[B, C, H, W]`."""
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
