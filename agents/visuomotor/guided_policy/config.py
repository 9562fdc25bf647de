"""What can be set of the guided policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agents.visuomotor.config import NetworkConfig
from rlplat.config import AgentConfig, ConfigModel, Count, CountOrZero

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class TeacherConfig(ConfigModel):
    """The agent of another run, which may have learned from what the student is not shown."""

    run: str
    """Its folder."""
    checkpoint: str = "best"
    """`latest`, `best` or a step."""


class MixtureConfig(ConfigModel):
    """Who acts while steps are collected (Ross, Gordon, Bagnell 2011, section 3)."""

    decay: Share = 0.0
    """p, 0 to 1: in round i, from 0, the teacher acts with probability beta = p^i. 0: in round 0 alone; 1: always,
    which is behaviour cloning."""
    per: Literal["episode", "step"] = "episode"
    """What is decided by chance: who acts in an episode, or in a single step."""
    noise: Annotated[float, Field(ge=0)] = 0.1
    """What is added to actions, so that more is seen: a standard deviation, where 1 is half the range of an action; of
    discrete actions the share, up to 1, that are taken by chance."""


class GuidedTrainingConfig(ConfigModel):
    """How the student learns from the steps so far."""

    updates_per_round: Count = 500
    """Updates after each round of steps, at least 1."""
    batch_size: Count = 128
    """Steps of an update, at least 1."""
    learning_rate: Positive = 0.001
    """Of Adam, above 0."""
    schedule: Literal["constant", "linear"] = "linear"
    """`linear` brings the learning rate to 0 at `total_updates`: the last ones remove the noise of single batches."""
    total_updates: Count | None = None
    """Length of the schedule, in updates; by default `training.max_updates`."""
    loss: Literal["huber", "squared"] = "huber"
    """Between actions of student and teacher, where 1 is half the range; `huber` is linear beyond `huber_width`.
    Discrete actions are learned by cross entropy."""
    huber_width: Positive = 0.1
    """Above 0: where the loss goes over from squared to linear."""
    max_gradient_norm: Positive = 1.0
    """Gradients that are longer are shortened to this, above 0."""


class PretrainingConfig(ConfigModel):
    """Regression of what is privileged from pictures before actions are learned (Levine et al. 2016, section 5.3)."""

    updates: CountOrZero = 1000
    """Updates on the steps of round 0, before any other; 0: none."""
    entries: tuple[CountOrZero, ...] | None = None
    """Numbers of the privileged vector that pictures tell, such as positions; null: all of them."""
    then: Literal["end_to_end", "features", "pose", "joint"] = "end_to_end"
    """What actions follow from: `end_to_end`: convolutions that go on learning; `features`: feature points that stay as
    they are; `pose`: the predicted numbers alone. These are the arms of the paper. `joint`: feature points and
    predicted numbers, both of which go on learning."""
    weight: Positive = 1.0
    """Of the regression beside the actions' loss in `joint`, above 0."""


class GuidedConfig(AgentConfig):
    """A student that sees pictures learns to act as a teacher who knows more."""

    num_envs: Count = 32
    """Environments, shared out among the actors; each actor needs one."""
    num_steps: Count = 100
    """Steps of each environment in a round. A round has `num_envs * num_steps`."""
    max_steps: Count = 50_000
    """Steps that are kept to learn from, at least 1; the oldest make room for new ones. The run says first how much
    memory they take."""
    teacher: Literal["expert"] | TeacherConfig = "expert"
    """Who labels every step: the environment's own expert, or the agent of another run."""
    mixture: MixtureConfig = MixtureConfig()
    """Who acts."""
    network: NetworkConfig = NetworkConfig(
        hidden=(128, 128), activation="relu", channels=(16, 32, 32), kernels=(5, 3), strides=(2, 2, 1), precision="auto"
    )
    """Of the student. A picture of 64x64 costs a tenth of what it does in the network that PPO has by default."""
    training: GuidedTrainingConfig = GuidedTrainingConfig()
    """Updates."""
    pretraining: PretrainingConfig | None = None
    """Of the convolutions; null: none."""
