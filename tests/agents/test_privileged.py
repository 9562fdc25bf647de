"""What is privileged serves teachers and critics in training; a deployed policy does not know it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rlplat.config import load_config
from rlplat.training.build import build

TINY = """\
env: {id: "envs.robots:rlplat/CartpoleSwingup-v0", parameters: {pixels: 12, frame_stack: 2}}
training: {max_updates: 1}
placement: {mode: inline, num_actors: 1, learner_threads: 1}
"""
AGENTS = {
    "ppo": "{id: ppo, num_envs: 2, network: {hidden: [8], channels: [4]}}",
    "sac": "{id: sac, num_envs: 2, network: {hidden: [8], channels: [4]}}",
    "guided_policy": "{id: guided_policy, num_envs: 2, network: {hidden: [8], channels: [4]}, pretraining: {}}",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_zeroing_what_is_privileged_at_deployment_changes_nothing(tmp_path: Path, agent: str) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY + f"agent: {AGENTS[agent]}\n")
    built = build(load_config(path))
    weights = built.agent.make_learner(inline=True).publish()
    policy = built.agent.make_policy(weights, num_simulations=None, seed=0)
    vector = built.env.make_vector(3)
    shown = vector.reset([1, 2, 3])
    assert np.abs(shown["privileged"]).max() > 0.5
    zeroed = shown | {"privileged": np.zeros_like(shown["privileged"])}
    without = {name: array for name, array in shown.items() if name != "privileged"}
    assert policy.act(shown).tolist() == policy.act(zeroed).tolist() == policy.act(without).tolist()
    black = shown | {"policy/camera": np.zeros_like(shown["policy/camera"])}
    assert policy.act(shown).tolist() != policy.act(black).tolist()
