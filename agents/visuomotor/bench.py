"""How fast agents for tasks learn, beside Stable-Baselines3: `rlplat bench visuomotor`."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from rlplat.bench import Measured, Measurement, alternate
from rlplat.config import load_config
from rlplat.interfaces import Collected
from rlplat.reports import Result
from rlplat.training.build import build
from rlplat.training.hosts import CollectorHost, LearnerHost
from rlplat.training.loop import UPDATES_PER_TURN

CONFIGS_FOLDER = Path(__file__).resolve().parents[2] / "configs"
PEER = "stable_baselines3"
NUM_PPO_ENVS, NUM_PPO_STEPS = 8, 32
"""Of CartPole-v1 in rl-baselines3-zoo."""


def visuomotor(*, seconds: float = 6.0, rounds: int = 5) -> list[Result]:
    """`learning.<task>.<agent>`: steps of the environment/s, with all learning from them, of shipped configurations.

    On one thread, by processor time, which others on the machine disturb least. Beside each stands Stable-Baselines3
    with the same settings of rl-baselines3-zoo, in alternation, if that is installed (`make` does not).
    """
    measurements: dict[str, Measurement] = {
        "CartPole-v1.ppo": _steps("cartpole.yaml"),
        "Pendulum-v1.sac": _steps("pendulum.yaml"),
    }
    has_peer = importlib.util.find_spec(PEER) is not None
    if has_peer:
        measurements |= {"CartPole-v1.ppo.peer": _peer_ppo(), "Pendulum-v1.sac.peer": _peer_sac()}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = alternate(measurements, seconds=seconds, rounds=rounds)
    finally:
        torch.set_num_threads(before)
    results = []
    for name in ("CartPole-v1.ppo", "Pendulum-v1.sac"):
        results.append(found[name].result(f"learning.{name}", "steps/s", threads=1))
        results += _beside(name, found) if has_peer else [_left_out(name)]
    return results


def _beside(name: str, found: dict[str, Measured]) -> list[Result]:
    peer = found[f"{name}.peer"]
    return [
        peer.result(f"learning.{name}.{PEER}", "steps/s", threads=1),
        found[name].over(peer).result(f"learning.{name}.ratio"),
    ]


def _left_out(name: str) -> Result:
    note = "left out: Stable-Baselines3 is not installed (pip install -c constraints.txt -e '.[peers]')"
    return Result(f"learning.{name}.{PEER}", None, "steps/s", note=note)


def _by_processor_time(work: Callable[[], int]) -> Measurement:
    """Do `work` over and over; the rate is that of what its calls return, by the processor time of this process."""

    def measure(seconds: float) -> float:
        count, start, begun = 0, time.perf_counter(), time.process_time()
        while True:
            count += work()
            if time.perf_counter() - start >= seconds:
                return count / (time.process_time() - begun)

    return measure


def _steps(config: str) -> Measurement:
    """Turns of the loop in one process; the learner's first update is over before anything is measured."""
    built = build(load_config(CONFIGS_FOLDER / config))
    learner = LearnerHost(built.agent.make_learner(inline=True))
    collector = CollectorHost(built.agent.make_collector(0, 1))
    report = learner.start(None, None)

    def turn() -> int:
        nonlocal report
        batches: list[Collected] = []
        if report.demand.amount:
            batches = [collector.collect(report.demand, learner.version, learner.weights)]
        report = learner.turn([(each.arrays, each.summary) for each in batches], UPDATES_PER_TURN)
        return sum(each.summary.amount for each in batches)

    while report.progress.updates < 1:
        turn()
    return _by_processor_time(turn)


def _peer_ppo() -> Measurement:
    from stable_baselines3 import PPO  # type: ignore[import-not-found]
    from stable_baselines3.common.env_util import make_vec_env  # type: ignore[import-not-found]

    model = PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", NUM_PPO_ENVS, seed=0),
        n_steps=NUM_PPO_STEPS,
        batch_size=256,
        gae_lambda=0.8,
        gamma=0.98,
        n_epochs=20,
        ent_coef=0.0,
        learning_rate=lambda left: 0.001 * left,
        clip_range=lambda left: 0.2 * left,
        seed=0,
        device="cpu",
    )
    return _by_processor_time(_learn(model, 4 * NUM_PPO_ENVS * NUM_PPO_STEPS))


def _peer_sac() -> Measurement:
    from stable_baselines3 import SAC

    model = SAC("MlpPolicy", "Pendulum-v1", learning_rate=0.001, seed=0, device="cpu")
    model.learn(200)  # the first 100 steps are not learned from
    return _by_processor_time(_learn(model, 100))


def _learn(model: Any, num_steps: int) -> Callable[[], int]:
    def work() -> int:
        before = model.num_timesteps
        model.learn(num_steps, reset_num_timesteps=False)
        return int(model.num_timesteps - before)

    return work
