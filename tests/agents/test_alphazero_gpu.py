"""What holds on a CUDA device: the same results as on the CPU within bfloat16, and nobody waits for the device."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from teams import team_of
from test_alphazero_inference import BATCH, CONFIGS, SPEC, make_weights, observations
from test_alphazero_learner import GAME, ingest, make_config

from agents.alphazero.collector import AlphaZeroCollector
from agents.alphazero.config import AlphaZeroConfig, NetworkConfig, SelfPlayConfig
from agents.alphazero.learner import AlphaZeroLearner, follow
from agents.alphazero.torch_inference import TorchEvaluator
from agents.alphazero.trainer import Trainer
from rlplat.data.replay import GameReplay
from rlplat.interfaces import Demand
from rlplat.testing.records import random_records

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
needs_two_gpus = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="torch sees fewer than two CUDA devices")
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "Memcpy DtoH", "aten::item")


def batches(count: int, size: int = 64):
    replay = GameReplay(GAME, 20_000)
    replay.add(random_records(GAME, num_games=200, seed=0))
    rng = np.random.default_rng(0)
    return [replay.draw(size, rng) for _ in range(count)]


def trained(device: str, precision: str, updates: int, config: AlphaZeroConfig | None = None) -> list[dict[str, float]]:
    """Metrics after every few updates."""
    config = config or make_config({"blocks": 2, "channels": 16}, {"batch_size": 64})
    trainer = Trainer(GAME.spec, config, seed=0, device=device, precision=precision)  # type: ignore[arg-type]
    found = []
    for number, batch in enumerate(batches(updates), start=1):
        trainer.update(batch)
        if number % 4 == 0:
            found.append(trainer.take_metrics())
    return found


def assert_follows(rough: list[dict[str, float]], exact: list[dict[str, float]]) -> None:
    for left, right in zip(rough, exact, strict=True):
        for name in ("loss/policy", "loss/value", "value/error"):
            assert left[name] == pytest.approx(right[name], rel=0.03, abs=0.01), name
    assert rough != exact


def test_training_in_bfloat16_follows_float32_on_the_cpu():
    assert_follows(trained("cpu", "bfloat16", 12), trained("cpu", "float32", 12))


def test_weights_and_memory_are_float32_whatever_the_precision():
    trainer = Trainer(GAME.spec, make_config(), seed=0, device="cpu", precision="bfloat16")
    trainer.update(batches(1, 32)[0])
    assert {tensor.dtype for tensor in trainer.state().values()} == {torch.float32, torch.int64}


def test_updates_wait_for_nothing_but_their_metrics(monkeypatch):
    read = []
    for name in ("item", "tolist", "__bool__", "__float__", "__int__", "numpy"):
        kept = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, name=name, kept=kept: read.append(name) or kept(self))
    trainer = Trainer(GAME.spec, make_config(training={"batch_size": 32}), seed=0, device="cpu")
    drawn = batches(3, 32)
    trainer.update(drawn[0])  # the first one sets things up
    read.clear()
    for batch in drawn[1:]:
        trainer.update(batch)
    # What the fused kernels read of `found_inf` on the CPU is read in C++, on a GPU in the kernel.
    assert read == []
    trainer.take_metrics()
    assert read == ["tolist"]


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("head", CONFIGS)
def test_the_gpu_agrees_with_the_cpu_within_bfloat16(head):
    config = CONFIGS[head]
    on_gpu = TorchEvaluator(SPEC, config, make_weights(config), batch_size=BATCH, device="cuda")
    on_gpu.set_weights(make_weights(config, seed=1))
    on_cpu = TorchEvaluator(SPEC, config, make_weights(config, seed=1), batch_size=BATCH, device="cpu")
    pending = [on_gpu.submit(observations(seed=seed)) for seed in (1, 2)]
    for seed, handle in zip((1, 2), pending, strict=True):
        for left, right in zip(handle.result(), on_cpu.evaluate(observations(seed=seed)), strict=True):
            assert np.abs(left - right).max() < 0.05 * max(1.0, np.abs(right).max())


@pytest.mark.gpu
@needs_gpu
def test_a_graph_computes_what_its_kernels_do_one_by_one_batch_after_batch():
    config = NetworkConfig(blocks=4, channels=64)
    graphed, eager = (
        TorchEvaluator(SPEC, config, make_weights(config), batch_size=256, device="cuda", graphs=graphs)
        for graphs in (True, False)
    )
    for round_number in range(3):
        weights = make_weights(config, seed=round_number)
        graphed.set_weights(weights), eager.set_weights(weights)
        sent = [observations(256 - 50 * seed, seed=seed) for seed in range(5)]
        pending = graphed.submit(sent[0])
        for index, batch in enumerate(sent):
            following = graphed.submit(sent[index + 1]) if index + 1 < len(sent) else None
            for left, right in zip(pending.result(), eager.evaluate(batch), strict=True):
                assert np.abs(left - right).max() <= 0.01 * max(1.0, np.abs(right).max())
            pending = following


@pytest.mark.gpu
@needs_gpu
def test_training_on_the_gpu_in_bfloat16_follows_the_cpu_in_float32():
    assert_follows(trained("cuda", "bfloat16", 40), trained("cpu", "float32", 40))


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adamw", "learning_rate": 0.001}])
def test_no_update_waits_for_the_gpu(optimizer):
    trainer = Trainer(GAME.spec, make_config(training={"batch_size": 64, **optimizer}), seed=0, device="cuda")
    drawn = batches(12)
    for batch in drawn[:4]:
        trainer.update(batch)
    trainer.take_metrics()
    torch.cuda.synchronize()
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        with torch.profiler.record_function("updates"):
            torch.cuda.set_sync_debug_mode("error")  # torch's own calls that wait raise
            try:
                for batch in drawn[4:]:
                    trainer.update(batch)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        torch.cuda.synchronize()
    (span,) = [event for event in profile.events() if event.name == "updates" and event.device_type.name == "CPU"]
    inside = [
        event for event in profile.events() if span.time_range.start < event.time_range.start < span.time_range.end
    ]
    assert any("cudaLaunchKernel" in event.name for event in inside)
    assert [event.name for event in inside if any(name in event.name for name in WAITS)] == []
    assert np.isfinite(trainer.take_metrics()["loss/total"])


@pytest.mark.gpu
@needs_gpu
def test_an_update_that_is_not_finite_changes_nothing_on_the_gpu():
    config = make_config(training={"batch_size": 64, "value_target_mix": 1.0})
    trainer = Trainer(GAME.spec, config, seed=0, device="cuda")
    good, bad, again = batches(3)
    trainer.update(good)
    before = trainer.state()
    bad.root_value[0] = np.nan
    trainer.update(bad)
    after = trainer.state()
    assert all(torch.equal(after[name], before[name]) for name in before)
    trainer.update(again)
    trainer.take_metrics()
    assert (trainer.num_updates, trainer.ledger.num_skipped) == (3, 1)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adamw", "learning_rate": 0.001}])
def test_checkpoints_go_from_the_gpu_to_the_cpu_and_back(tmp_path, optimizer):
    config = make_config(training=optimizer)
    on_gpu, on_cpu = (
        AlphaZeroLearner(config, GAME, seed=0, device=device, num_threads=1, synchronous=True)
        for device in ("cuda", "cpu")
    )
    ingest(on_gpu)
    on_gpu.update(6)
    for source, target, name in ((on_gpu, on_cpu, "first"), (on_cpu, on_gpu, "second")):
        (tmp_path / name).mkdir()
        source.save(tmp_path / name)
        target.load(tmp_path / name)
        left, right = source._trainer.state(), target._trainer.state()
        assert all(torch.equal(left[key], right[key]) for key in left)
        assert np.isfinite(target.update(2)["loss/total"])


@pytest.mark.gpu
@needs_gpu
def test_two_groups_of_games_take_turns_on_the_gpu():
    config = AlphaZeroConfig(id="alphazero", network=CONFIGS["scalar"], self_play=SelfPlayConfig(num_games=64))
    collector = AlphaZeroCollector(
        config, GAME, seed=1, index=0, num_collectors=1, generation=0, device="cuda", num_threads=1
    )
    collector.set_weights(1, make_weights(config.network))
    assert collector._play.num_groups == 2
    assert isinstance(collector._evaluator, TorchEvaluator)
    collected = collector.collect(Demand(200))
    assert collected.summary.amount >= 200
    collector.set_weights(2, make_weights(config.network, seed=1))
    assert collector.collect(Demand(50)).summary.weights_version == 2


def follow_on_its_own_gpu(team, config: AlphaZeroConfig) -> None:
    torch.cuda.set_device(team.rank)
    follow(config, GAME, team, seed=0, device="cuda", num_threads=1)


@pytest.mark.gpu
@needs_two_gpus
def test_two_gpus_learn_what_one_learns():
    config = make_config(training={"batch_size": 64})
    one = AlphaZeroLearner(config, GAME, seed=0, device="cuda", num_threads=1, synchronous=True)
    ingest(one)
    with team_of(2, follow_on_its_own_gpu, config) as team:
        two = AlphaZeroLearner(config, GAME, seed=0, device="cuda", num_threads=1, synchronous=True, team=team)
        ingest(two)
        expected, found = one.update(6), two.update(6)
    for name in ("loss/policy", "loss/value"):
        assert found[name] == pytest.approx(expected[name], rel=0.03)
