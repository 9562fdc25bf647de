"""How fast AlphaZero infers and learns on this machine: `rlplat bench inference learner`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from agents.alphazero.agent import AlphaZero
from agents.alphazero.config import AlphaZeroConfig, NetworkConfig, ReplayConfig, TrainingConfig
from agents.alphazero.cpu_inference import CpuEvaluator
from agents.alphazero.inference import FloatArray, NetworkEvaluator
from agents.alphazero.network import ResidualNetwork, initialise_network, to_arrays
from agents.alphazero.optimizer import make_optimizer
from agents.alphazero.trainer import default_precision
from rlplat import registry
from rlplat.bench import Measured, Measurement, alternate, repeat
from rlplat.config import EnvConfig, PlacementConfig, RunConfig
from rlplat.config import TrainingConfig as RunTrainingConfig
from rlplat.data.replay import GameReplay
from rlplat.devices import Device, choose_device
from rlplat.hardware import num_cores
from rlplat.interfaces import Arrays, EnvSpec, Summary, board_spec
from rlplat.reports import Result
from rlplat.search.game import Game
from rlplat.testing.records import random_records
from rlplat.training.loop import UPDATES_PER_TURN

if TYPE_CHECKING:
    from agents.alphazero.torch_inference import TorchEvaluator

NETWORKS = {"32x4": NetworkConfig(channels=32, blocks=4), "64x5": NetworkConfig(channels=64, blocks=5)}
"""Channels x blocks."""
INFERENCE_BATCHES = (1, 16, 64, 256)
GPU_NETWORKS = NETWORKS | {"128x10": NetworkConfig(channels=128, blocks=10)}
GPU_BATCHES = (64, 256, 1024, 4096)
NUM_GROUPS = 2
PASSES_PER_CALL = 20
LEARNER_BATCH = 256
_ON_ONE_THREAD = {"threads": 1, "device": "cpu"}


def inference(
    *, seconds: float = 0.5, rounds: int = 5, networks: Mapping[str, NetworkConfig] = NETWORKS
) -> list[Result]:
    """`inference.<network>.batch<B>` (evaluations/s) and `.new_weights_s` (s): one thread, boards of 6x7.

    ONNX Runtime with the same network alternates with ours; its rate and the ratio stand in the fields. `seconds` is
    the length of one turn, in each of `rounds` rounds. Where there is a GPU, `inference.<network>.gpu.batch<B>` too.
    """
    from agents.alphazero.onnx_inference import OnnxEvaluator

    spec = board_spec("board", (2, 6, 7), 7)
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
    return results + torch_inference(seconds=seconds, rounds=rounds) if choose_device("auto") == "cuda" else results


def torch_inference(
    *,
    seconds: float,
    rounds: int,
    networks: Mapping[str, NetworkConfig] = GPU_NETWORKS,
    batches: Sequence[int] = GPU_BATCHES,
    device: str = "cuda",
) -> list[Result]:
    """`inference.<network>.gpu.batch<B>` (evaluations/s) of two groups that alternate, as in self-play.

    `share` is what comes of the rate of bare forward passes in the same run: nothing copied, nobody waiting between
    them. With a device of "cpu" the names say so.
    """
    from agents.alphazero.torch_inference import TorchEvaluator

    spec = board_spec("board", (2, 6, 7), 7)
    results = []
    for name, network in networks.items():
        weights = new_weights(spec, network)
        for batch in batches:
            evaluator = TorchEvaluator(spec, network, weights, batch_size=batch, device=device)
            found = alternate(
                {"all": repeat(_in_turns(evaluator, spec)), "plain": repeat(_forward_only(evaluator))},
                seconds=seconds,
                rounds=rounds,
            )
            fields = {
                "batch": batch,
                "device": evaluator.device_name,
                "precision": evaluator.precision,
                "plain": found["plain"].median,
                "share": found["all"].over(found["plain"]).median,
            }
            kind = "gpu" if device == "cuda" else device
            results.append(found["all"].result(f"inference.{name}.{kind}.batch{batch}", "evaluations/s", **fields))
    return results


def _in_turns(evaluator: TorchEvaluator, spec: EnvSpec) -> Callable[[], int]:
    """Two batches under way, of which the older one's result is taken before the next is submitted."""
    observations = make_observations(spec, evaluator.batch_size)
    pending = deque(evaluator.submit(observations) for _ in range(NUM_GROUPS))

    def work() -> int:
        _, values = pending.popleft().result()
        pending.append(evaluator.submit(observations))
        return len(values)

    return work


def _forward_only(evaluator: TorchEvaluator) -> Callable[[], int]:
    def work() -> int:
        evaluator.forward_only(PASSES_PER_CALL)
        return PASSES_PER_CALL * evaluator.batch_size

    return work


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

    An update draws its batch from the replay and trains on it, on all cores, or on the GPU if there is one. `share` is
    what comes of the rate of plain steps in the same run: forward, backward and optimiser on one batch that is there.

    A turn takes `seconds`, in each of `rounds` rounds; the replay is filled with `num_positions`.
    """
    game = registry.resolve("connect_four", kind="game").load()
    records = random_records(game, num_games=300, seed=0)
    device = choose_device("auto")
    with _torch_threads():
        measurements: dict[tuple[str, str], Measurement] = {}
        for name, network in networks.items():
            measurements[name, "all"] = _updates(game, network, records, device)
            measurements[name, "plain"] = _plain_steps(game, network, device)
        found = alternate(measurements, seconds=seconds, rounds=rounds)
    results = []
    for name in networks:
        everything, plain = found[name, "all"], found[name, "plain"]
        fields = {
            "batch": LEARNER_BATCH,
            "threads": num_cores(),
            "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
            "precision": default_precision(device),
            "plain": plain.median,
            "share": everything.over(plain).median,
        }
        results.append(everything.result(f"learner.{name}.updates", "updates/s", **fields))
    return [*results, _replay_memory(game, records, num_positions)]


def _updates(game: Game, network: NetworkConfig, records: Arrays, device: Device) -> Measurement:
    made = make_agent("connect_four", game, _learner_config(network), "auto").make_learner(inline=True)
    num_positions = int(np.count_nonzero(records["num_legal"]))
    summary = Summary(num_positions, len(records["outcome"]), weights_version=0, seconds=0.0)
    # As many as a turn of the loop on a GPU, where the learner waits for them at its end only.
    per_call = UPDATES_PER_TURN if device == "cuda" else 1

    def work() -> int:
        if made.progress().owed < per_call:
            made.ingest(records, summary)
        before = made.progress().updates
        made.update(per_call)
        return made.progress().updates - before

    return repeat(work)


def _learner_config(network: NetworkConfig) -> AlphaZeroConfig:
    """So many samples per position that the records pay for all updates that fit into the measurement."""
    return AlphaZeroConfig(
        id="alphazero",
        network=network,
        replay=ReplayConfig(min_positions=1, max_positions=50_000),
        training=TrainingConfig(batch_size=LEARNER_BATCH, samples_per_position=1000.0),
    )


def _plain_steps(game: Game, config: NetworkConfig, device: Device) -> Measurement:
    """Forward, backward and optimiser, as a page of PyTorch has them."""
    network = ResidualNetwork(game.spec, config)
    initialise_network(network, seed=0)
    network.to(device, memory_format=torch.channels_last).train()
    optimizer = make_optimizer(network, _learner_config(config).training)
    observations = torch.from_numpy(make_observations(game.spec, LEARNER_BATCH)).to(device)
    observations = observations.contiguous(memory_format=torch.channels_last)

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=default_precision(device) == "bfloat16"):
            policy_logits, value_logits = network(observations)
        optimizer.zero_grad()
        (policy_logits.float().logsumexp(1).mean() + value_logits.float().square().mean()).backward()
        optimizer.step()

    def work() -> int:
        if device != "cuda":
            step()
            return 1
        for _ in range(UPDATES_PER_TURN):
            step()
        torch.cuda.synchronize()
        return UPDATES_PER_TURN

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
