"""The student, and what it normalises by: all that is published. It sees the group `policy` alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.visuomotor.actions import FORBIDDEN, num_outputs
from agents.visuomotor.guided_config import GuidedConfig
from agents.visuomotor.networks import Network
from agents.visuomotor.normalise import EPSILON, Moments, ObservationNormaliser
from agents.visuomotor.publishing import PublishedModule
from rlplat.interfaces import Discrete, EnvSpec

MASK = "action_mask"
PRIVILEGED = "privileged"


class Student(PublishedModule):
    """Observations are tensors by part `[B, ...]`."""

    def __init__(self, spec: EnvSpec, config: GuidedConfig) -> None:
        super().__init__()
        self._is_discrete = isinstance(spec.actions, Discrete)
        self._config, pretraining = config, config.pretraining
        self._then = "end_to_end" if pretraining is None else pretraining.then
        visible = spec.group("policy")
        entries = [] if pretraining is None else pose_entries(spec, config)
        self.observations = ObservationNormaliser(visible)
        """Of mean 0 and deviation 1 until observations are added to it."""
        self.network = Network(
            visible,
            num_outputs(spec.actions),
            config.network,
            output_gain=0.01,
            num_features=len(entries) if self._then == "pose" else None,
        )
        if entries:
            self.register_buffer("entries", torch.tensor(entries), persistent=False)
            self.pose = nn.Linear(self.network.num_features, len(entries))
            self.poses = Moments((len(entries),))
            """Of the privileged numbers that pictures tell."""

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Actions `[B, D]`, where 1 is half of a range, or logits of discrete ones `[B, A]`."""
        seen = self.observations(observations)
        features = self.network.look(seen)
        if self._then == "pose":
            features = [self.pose(torch.cat(features, 1)).detach()]
        elif self._then == "features":
            features = [each.detach() for each in features]
        outputs = self.network.decide(seen, features)
        if self._is_discrete and MASK in observations:
            outputs = torch.where(observations[MASK] > 0, outputs, FORBIDDEN)
        return outputs

    def actions(self, observations: Mapping[str, Tensor]) -> Tensor:
        """What it would do: `[B, D]`, or the likeliest actions `[B]`."""
        outputs: Tensor = self(observations)
        return outputs.argmax(1) if self._is_discrete else outputs

    def action_loss(self, batch: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """Mean distance from the teacher's actions `labels`, `[B, D]` or `[B]`."""
        outputs, training = self(batch), self._config.training
        if self._is_discrete:
            return functional.cross_entropy(outputs, labels)
        if training.loss == "squared":
            return functional.mse_loss(outputs, labels)
        return functional.smooth_l1_loss(outputs, labels, beta=training.huber_width)

    def pose_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean squared error of the privileged numbers that pictures tell, in their standard deviations."""
        features = self.network.look(self.observations(batch))
        wanted = batch[PRIVILEGED][:, self.entries]  # type: ignore[index]
        scale = torch.rsqrt(self.poses.variance + EPSILON).float()
        return functional.mse_loss(self.pose(torch.cat(features, 1)), (wanted - self.poses.mean.float()) * scale)


def pose_entries(spec: EnvSpec, config: GuidedConfig) -> list[int]:
    """Numbers of the privileged vector that are regressed."""
    assert config.pretraining is not None
    size = spec.observations[PRIVILEGED].shape[0]
    wanted = config.pretraining.entries
    return list(range(size)) if wanted is None else list(wanted)
