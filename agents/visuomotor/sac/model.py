"""The networks of SAC: an actor, two critics and their targets, the temperature, and what they normalise by.

The actor sees the group `policy` of observations. The critics are needed in training only, so they also see the group
`privileged` (asymmetric actor-critic: Pinto, Andrychowicz, Welinder, Zaremba, Abbeel 2017). Where they see no pictures,
the actor has an encoder of its own. Where they do, the encoder is theirs, and the actor uses it without training it
(Yarats, Fergus, Lazaric, Pinto, "Mastering visual continuous control", arXiv 2107.09645, section 3.1).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from agents.visuomotor.actions import SquashedGaussian, num_outputs
from agents.visuomotor.networks import PictureEncoder, perceptron
from agents.visuomotor.normalise import ObservationNormaliser
from agents.visuomotor.publishing import PublishedModule
from agents.visuomotor.sac.config import SacConfig
from agents.visuomotor.sac.twin_critics import TwinCritics
from agents.visuomotor.task_agent import critics_see_pictures
from rlplat.interfaces import EnvSpec, Observed

LOG_STD_LOW, LOG_STD_HIGH = -20.0, 2.0
"""Ends of the logarithm of the deviation before tanh."""

Tensors = Mapping[str, Tensor]


class SacActor(PublishedModule):
    """The policy, with all that it needs: what SAC publishes."""

    acts_at_random: Tensor

    def __init__(self, spec: EnvSpec, config: SacConfig) -> None:
        super().__init__()
        self._visible, self._normalises = spec.group("policy"), config.normalise_observations
        self.normaliser = ObservationNormaliser(self._visible | spec.group("privileged"))
        """Of mean 0 and deviation 1 until observations are added to it."""
        self.encoders = nn.ModuleDict(
            {part: PictureEncoder(what.shape, config.network) for part, what in self._visible.items() if what.is_image}
        )
        size = num_numbers(self._visible) + sum(int(each.size) for each in self.encoders.values())  # type: ignore[arg-type]
        outputs = 2 * num_outputs(spec.actions)
        # Small outputs at first: the mean action is the middle of its range, and the deviation about 1.
        self.layers = perceptron([size, *config.network.hidden, outputs], config.network.activation, output_gain=0.01)
        self.register_buffer("acts_at_random", torch.ones((), dtype=torch.bool))
        """Whether nothing was learned yet, so that collectors draw actions evenly."""

    def normalised(self, observations: Tensors) -> dict[str, Tensor]:
        """Observations as the networks see them."""
        if not self._normalises:
            return dict(observations)
        found: dict[str, Tensor] = self.normaliser(observations)
        return found

    def encode(self, observations: Tensors) -> list[Tensor]:
        """Features of the pictures, `[B, F]` each."""
        return [encoder(observations[part]) for part, encoder in self.encoders.items()]

    def distribution(self, observations: Tensors, pictures: list[Tensor] | None = None) -> SquashedGaussian:
        """What the policy would do, by normalised observations; `pictures`: their features, where they are known."""
        pictures = self.encode(observations) if pictures is None else pictures
        outputs = self.layers(torch.cat([*numbers(self._visible, observations), *pictures], dim=1))
        mean, log_std = outputs.chunk(2, dim=1)
        return SquashedGaussian(mean, log_std.clamp(LOG_STD_LOW, LOG_STD_HIGH))


class SacModel(nn.Module):
    """All networks. Observations are normalised tensors by part `[B, ...]`."""

    def __init__(self, spec: EnvSpec, config: SacConfig) -> None:
        super().__init__()
        self._known = spec.group("policy") | spec.group("privileged")
        self.actor = SacActor(spec, config)
        self.shares_encoder = critics_see_pictures(spec, config.critic_pictures)
        """Whether the actor's encoders are trained by the critics."""
        size = num_numbers(self._known) + num_outputs(spec.actions)
        if self.shares_encoder:
            size += sum(int(each.size) for each in self.actor.encoders.values())  # type: ignore[arg-type]
        self.critics = TwinCritics([size, *config.network.hidden, 1], config.network.activation)
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(config.temperature.initial)))

    def features(self, observations: Tensors, pictures: list[Tensor]) -> Tensor:
        """What the critics see beside the action, `[B, F]`."""
        return torch.cat([*numbers(self._known, observations), *(pictures if self.shares_encoder else [])], dim=1)

    def critic_parameters(self) -> list[nn.Parameter]:
        """What the critics' loss trains."""
        return [*self.critics.parameters(), *(self.actor.encoders.parameters() if self.shares_encoder else [])]

    def actor_parameters(self) -> list[nn.Parameter]:
        """What the actor's loss trains."""
        return [*self.actor.layers.parameters(), *([] if self.shares_encoder else self.actor.encoders.parameters())]


def num_numbers(parts: Mapping[str, Observed]) -> int:
    """How many numbers these parts have, pictures apart."""
    return sum(math.prod(part.shape) for part in parts.values() if not part.is_image)


def numbers(parts: Mapping[str, Observed], observations: Tensors) -> list[Tensor]:
    """The numbers of these parts, `[B, F]` each."""
    return [observations[name].flatten(1) for name, part in parts.items() if not part.is_image]
