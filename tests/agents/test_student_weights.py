"""PPO that begins from a guided policy: it acts as the student, until it learns on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agents.visuomotor.config import NetworkConfig
from agents.visuomotor.guided_policy.config import GuidedConfig, PretrainingConfig
from agents.visuomotor.guided_policy.student import Student
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.model import ActorCritic
from agents.visuomotor.publishing import as_tensors
from rlplat.errors import CheckpointError
from rlplat.interfaces import Continuous, EnvSpec, Observed

SPEC = EnvSpec(
    "Toy",
    {
        "policy/camera": Observed((12, 12, 3), "uint8"),
        "policy/joints": Observed((4,)),
        "privileged": Observed((6,)),
    },
    Continuous((3,), (-1.0,) * 3, (1.0,) * 3),
)
NETWORK = NetworkConfig(hidden=[16, 16], activation="relu", channels=[4, 5])
GENERATOR = np.random.default_rng(0)
SEEN = {
    "policy/camera": GENERATOR.integers(0, 256, (7, 12, 12, 3), dtype=np.uint8),
    "policy/joints": GENERATOR.normal(3.0, 2.0, (7, 4)).astype(np.float32),
}


def student(**pretraining):
    torch.manual_seed(1)
    config = GuidedConfig(
        id="guided_policy",
        network=NETWORK,
        pretraining=PretrainingConfig(**pretraining) if pretraining else None,
    )
    made = Student(SPEC, config)
    made.observations.add({"policy/joints": GENERATOR.normal(3.0, 2.0, (50, 4))})
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def begun(weights):
    model = ActorCritic(SPEC, PpoConfig(id="ppo", network=NETWORK, initial_log_std=-2.0))
    model.begin_as({**weights, "round": np.array(3)}, "--init-from")
    return model


@pytest.mark.parametrize(
    "pretraining", [{}, {"then": "joint"}, {"then": "joint", "entries": [0, 5]}, {"then": "end_to_end"}]
)
def test_the_actor_does_what_the_student_does_whatever_it_was_shown_besides(pretraining):
    teacher = student(**({"updates": 5} | pretraining if pretraining else {}))
    model = begun(teacher.published())
    seen = as_tensors(SEEN)
    with torch.no_grad():
        wanted = teacher.actions(seen)
        found = model.distribution(model.normalised(seen)).mode()
    assert wanted.abs().max() > 0.1 and torch.allclose(found, wanted, atol=1e-4, rtol=1e-3)
    assert (model.log_std == -2.0).all(), "the deviation is the configuration's"


def test_the_critic_is_new_and_knows_nothing_of_what_is_privileged():
    model = begun(student().published())
    assert float(model.returns.count) == 0
    counts = {name: float(moments.count) for name, moments in model.observations.parts.items()}
    assert counts == {"policy/joints": 50, "privileged": 0}


def test_a_student_that_acts_by_what_it_regresses_alone_is_refused():
    with pytest.raises(
        CheckpointError, match=r"--init-from: this student acts by what it regresses alone.*then: joint"
    ):
        begun(student(updates=5, then="pose", entries=[0, 1]).published())


def test_a_student_with_another_network_is_refused():
    other = ActorCritic(SPEC, PpoConfig(id="ppo", network=NETWORK.model_copy(update={"hidden": [8]})))
    with pytest.raises(CheckpointError, match="do not fit the configuration's network"):
        other.begin_as(student().published(), "--init-from")
