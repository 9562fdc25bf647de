"""What can be set of PPO. Most defaults are those of Schulman et al. 2017 for continuous control."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agents.visuomotor.config import DiscountConfig, NetworkConfig, Schedule
from rlplat.config import AgentConfig, ConfigModel, Count

NotNegative = Annotated[float, Field(ge=0)]


class PpoTrainingConfig(ConfigModel):
    """What an update does with a round of rollouts."""

    num_epochs: Count = 10
    """Passes over the round, at least 1."""
    batch_size: Count = 64
    """Steps of a minibatch, at least 1."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.0003
    """Of Adam, above 0."""
    clip: Annotated[float, Field(gt=0)] = 0.2
    """epsilon: by how much the probability of an action may change before it no longer pays, above 0."""
    schedule: Schedule = "constant"
    """Of learning rate and clip: `linear` brings both to 0 at `total_updates`."""
    total_updates: Count | None = None
    """Length of the schedule, in updates; by default `training.max_updates`."""
    critic_updates: Annotated[int, Field(ge=0)] = 0
    """Updates at first in which the critic learns alone, at least 0. A policy that begins as that of a guided policy
    would lose what it can by a critic that knows nothing."""
    value_weight: NotNegative = 0.5
    """c1: of the critic's loss, at least 0."""
    entropy_weight: NotNegative = 0.0
    """c2: of the entropy, at least 0; more keeps the policy trying."""
    max_gradient_norm: Annotated[float, Field(gt=0)] = 0.5
    """Gradients that are longer are shortened to this, above 0."""
    max_kl: Annotated[float, Field(gt=0)] | None = None
    """An update ends when the policy has moved further than this (in nats), above 0; null: never."""


class PpoConfig(AgentConfig):
    """Proximal policy optimisation."""

    num_envs: Count = 8
    """Environments, shared out among the actors; each actor needs one."""
    num_steps: Count = 256
    """Steps of each environment in a round. A round has `num_envs * num_steps`."""
    returns: DiscountConfig = DiscountConfig()
    """Discount and trace."""
    normalise_observations: bool = True
    """Whether numbers are brought to mean 0 and deviation 1; the first round then serves to know them alone."""
    normalise_rewards: bool = True
    """Whether rewards are divided by the deviation of the discounted return, so that values are of the size of 1."""
    initial_log_std: float = 0.0
    """Logarithm of the deviation of continuous actions at first, where 1 is half the range of an action."""
    network: NetworkConfig = NetworkConfig()
    """Of actor and critic."""
    critic_pictures: bool | None = None
    """Whether the critic sees pictures; null: only where nothing is privileged. What is privileged tells it more, and
    an update then takes half the time."""
    training: PpoTrainingConfig = PpoTrainingConfig()
    """Updates."""
