"""Actor, critic and what they normalise by: all that PPO publishes.

The actor sees the group `policy` of observations. The critic is needed in training only, so it also sees the group
`privileged` (asymmetric actor-critic: Pinto, Andrychowicz, Welinder, Zaremba, Abbeel 2017), and no pictures beside it
unless it is told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.visuomotor.actions import FORBIDDEN, Categorical, Distribution, Gaussian, factored, num_outputs
from agents.visuomotor.networks import Network
from agents.visuomotor.normalise import Moments, ObservationNormaliser
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.student_weights import as_network, is_student
from agents.visuomotor.publishing import PublishedModule
from agents.visuomotor.task_agent import critics_see_pictures
from rlplat.interfaces import Choices, Continuous, EnvSpec, Observed

MASK = "action_mask"


class ActorCritic(PublishedModule):
    """Both networks. Observations are tensors by part `[B, ...]`."""

    def __init__(self, spec: EnvSpec, config: PpoConfig) -> None:
        super().__init__()
        self._actions = spec.actions
        self._normalises = config.normalise_observations
        visible = spec.group("policy")
        known = visible | spec.group("privileged")
        size = num_outputs(spec.actions)
        # Small outputs at first: all actions are about as likely, and the mean action is the middle of its range.
        self.actor = Network(visible, size, config.network, output_gain=0.01)
        self.critic = Network(critic_parts(spec, config), 1, config.network, output_gain=1.0)
        self.observations = ObservationNormaliser(known)
        """Of mean 0 and deviation 1 until observations are added to it."""
        self.returns = Moments(())
        """Of discounted returns."""
        if isinstance(spec.actions, Continuous):
            self.log_std = nn.Parameter(torch.full((size,), config.initial_log_std))

    def normalised(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Observations as the networks see them."""
        if not self._normalises:
            return dict(observations)
        found: dict[str, Tensor] = self.observations(observations)
        return found

    def distribution(self, observations: Mapping[str, Tensor]) -> Distribution:
        """What the policy would do, by normalised observations."""
        outputs = self.actor(observations)
        if isinstance(self._actions, Continuous):
            return Gaussian(outputs, self.log_std)
        if isinstance(self._actions, Choices):
            return factored(self._actions, outputs, observations.get(MASK))
        if MASK in observations:
            outputs = torch.where(observations[MASK] > 0, outputs, FORBIDDEN)
        return Categorical(outputs)

    def begin_as(self, weights: Mapping[str, NDArray[Any]], origin: str) -> None:
        """Begin with the weights of another run of PPO, or with a guided policy's student as the actor.

        Raises CheckpointError: weights of another network or environment.
        """
        if is_student(weights):
            network, moments = as_network(weights, origin)
            actor = {f"actor.{name}": array for name, array in network.items()}
            weights = {**self.published(), **actor, **moments}
        self.take(weights, origin)

    def values(self, observations: Mapping[str, Tensor]) -> Tensor:
        """V(s) by normalised observations, in units of the reward that is learned from: `[B]`."""
        outputs: Tensor = self.critic(observations)
        return outputs[:, 0]


def critic_parts(spec: EnvSpec, config: PpoConfig) -> dict[str, Observed]:
    """The parts of observations that the critic sees."""
    visible = dict(spec.group("policy"))
    if not critics_see_pictures(spec, config.critic_pictures):
        visible = {name: part for name, part in visible.items() if not part.is_image}
    return visible | spec.group("privileged")
