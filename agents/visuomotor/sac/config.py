"""What can be set of SAC. Most defaults are those of Haarnoja et al. 2018 for continuous control."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agents.visuomotor.config import NetworkConfig, Schedule
from rlplat.config import AgentConfig, ConfigModel, Count, CountOrZero

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class ReplayConfig(ConfigModel):
    """What is kept of the past."""

    capacity: Count = 1_000_000
    """Steps that are kept, of all environments together, at least 1. What this takes is told when a run starts."""
    min_steps: CountOrZero = 1000
    """Steps of random actions before the first update."""


class SacTrainingConfig(ConfigModel):
    """What an update does with a batch."""

    batch_size: Count = 256
    """Transitions of an update, at least 1."""
    updates_per_step: Positive = 1.0
    """Updates for each step of an environment, above 0; a fraction makes several steps pay for one update."""
    learning_rate: Positive = 0.0003
    """Of Adam, for actor, critics and temperature, above 0."""
    schedule: Schedule = "constant"
    """Of the learning rates: `linear` brings them to 0 at `total_updates`, which steadies the policy in the end."""
    total_updates: Count | None = None
    """Length of the schedule, in updates; by default `training.max_updates`."""
    target_rate: Share = 0.005
    """tau: how far the target critics follow the critics at each update, above 0 to 1."""
    actor_every: Count = 1
    """Updates of the critics for each one of actor and temperature."""
    max_gradient_norm: Positive | None = None
    """Gradients that are longer are shortened to this, above 0; null: none is."""
    publish_every: Count = 1
    """Updates between new weights for the collectors, at least 1."""
    max_owed_updates: Count = 200
    """Where collectors work alongside, they wait while so many updates or more are owed."""


class TemperatureConfig(ConfigModel):
    """How much randomness of the policy is worth, in units of the reward."""

    initial: Positive = 1.0
    """alpha at first, above 0."""
    target_entropy: float | None = None
    """Entropy that alpha is tuned for, in nats; null: minus the number of dimensions of an action."""
    fixed: bool = False
    """Whether alpha stays as it is."""


class SacConfig(AgentConfig):
    """Soft actor-critic."""

    num_envs: Count = 1
    """Environments, shared out among the actors; each actor needs one."""
    collect_steps: Count = 1
    """Steps of each environment in one call of a collector. More cost fewer calls, with somewhat older weights."""
    discount: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Of the next step's return, above 0 to 1."""
    num_steps: Count = 1
    """n: rewards that a target adds up before it asks the critics, at least 1. 3 learn faster from pictures."""
    reward_scale: Positive = 1.0
    """What rewards are multiplied by, above 0. The temperature is in the same units."""
    normalise_observations: bool = False
    """Whether numbers are brought to mean 0 and deviation 1, by all that was seen so far."""
    network: NetworkConfig = NetworkConfig(hidden=(256, 256), activation="relu")
    """Of actor and critics."""
    critic_pictures: bool | None = None
    """Whether the critics see pictures; null: only where nothing is privileged. With pictures, they train the encoder
    that the actor uses as well. Without, the actor trains its own, and critics cost next to nothing."""
    random_shift: CountOrZero | None = None
    """Pixels by which pictures are shifted at most when they are learned from; null: 4 of 84 (1 of 16, 2 of 32) where
    the critics see pictures, else 0."""
    replay: ReplayConfig = ReplayConfig()
    """What is kept."""
    training: SacTrainingConfig = SacTrainingConfig()
    """Updates."""
    temperature: TemperatureConfig = TemperatureConfig()
    """Of the policy."""
