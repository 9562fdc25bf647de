"""The student, and what it normalises by: all that is published. It sees the group `policy` alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.visuomotor.actions import FORBIDDEN, num_outputs
from agents.visuomotor.guided_policy.config import GuidedConfig
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
            num_others=len(entries) if self._then in ("pose", "joint") else 0,
            shows_features=self._then != "pose",
        )
        if entries:
            self.register_buffer("entries", torch.tensor(entries), persistent=False)
            self.pose = nn.Linear(self.network.num_numbers + self.network.num_features, len(entries))
            self.poses = Moments((len(entries),))
            """Of the privileged numbers that pictures tell."""

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Actions `[B, D]`, where 1 is half of a range, or logits of discrete ones `[B, A]`."""
        seen = self.observations(observations)
        return self._decide(seen, self._look(seen))

    def actions(self, observations: Mapping[str, Tensor]) -> Tensor:
        """What it would do: `[B, D]`, or the likeliest actions `[B]`."""
        outputs: Tensor = self(observations)
        return outputs.argmax(1) if self._is_discrete else outputs

    def pose_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean squared error of the privileged numbers that pictures tell, in their standard deviations."""
        seen = self.observations(batch)
        return self._pose_loss(self._predict(seen, self._look(seen)), batch)

    def losses(self, batch: Mapping[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        """Mean distance from the teacher's actions `labels`, `[B, D]` or `[B]`, and what is regressed meanwhile."""
        seen = self.observations(batch)
        features = self._look(seen)
        found = {"action": self._action_loss(self._decide(seen, features), labels)}
        if self._then == "joint":
            found["pose"] = self._pose_loss(self._predict(seen, features), batch)
        return found

    def _look(self, seen: Mapping[str, Tensor]) -> Tensor:
        """The features of all pictures, `[B, F]`; none where there is no picture."""
        features = self.network.look(seen)
        some = next(iter(seen.values()))
        return torch.cat(features, 1) if features else torch.zeros(len(some), 0, device=some.device)

    def _decide(self, seen: Mapping[str, Tensor], features: Tensor) -> Tensor:
        if self._then == "pose":
            features = self._predict(seen, features).detach()
        elif self._then == "features":
            features = features.detach()
        elif self._then == "joint":
            features = torch.cat([features, self._predict(seen, features)], 1)
        outputs = self.network.decide(seen, [features])
        if self._is_discrete and MASK in seen:
            outputs = torch.where(seen[MASK] > 0, outputs, FORBIDDEN)
        return outputs

    def _action_loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        training = self._config.training
        if self._is_discrete:
            return functional.cross_entropy(outputs, labels)
        if training.loss == "squared":
            return functional.mse_loss(outputs, labels)
        return functional.smooth_l1_loss(outputs, labels, beta=training.huber_width)

    def _predict(self, seen: Mapping[str, Tensor], features: Tensor) -> Tensor:
        """Privileged numbers by what pictures and the robot's own readings tell, in their standard deviations."""
        predicted: Tensor = self.pose(torch.cat([*self.network.numbers(seen), features], 1))
        return predicted

    def _pose_loss(self, predicted: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        wanted = batch[PRIVILEGED][:, self.entries]  # type: ignore[index]
        scale = torch.rsqrt(self.poses.variance + EPSILON).float()
        return functional.mse_loss(predicted, (wanted - self.poses.mean.float()) * scale)


def pose_entries(spec: EnvSpec, config: GuidedConfig) -> list[int]:
    """Numbers of the privileged vector that are regressed."""
    assert config.pretraining is not None
    size = spec.observations[PRIVILEGED].shape[0]
    wanted = config.pretraining.entries
    return list(range(size)) if wanted is None else list(wanted)
