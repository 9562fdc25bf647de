"""One update of SAC at a time (Haarnoja et al. 2018, algorithm 1, its gradient steps)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.visuomotor.descent import descend, set_learning_rate
from agents.visuomotor.sac.config import SacConfig
from agents.visuomotor.sac.loss import actor_loss, critic_loss, follow, soft_targets, temperature_loss
from agents.visuomotor.sac.model import SacModel
from agents.visuomotor.sac.random_shift import default_shift, shift_pictures
from agents.visuomotor.skipping import SkippedSteps
from agents.visuomotor.task_agent import critics_see_pictures
from rlplat.data.transitions import Transitions
from rlplat.interfaces import Arrays, EnvSpec, Metrics

METRICS = (
    "loss/critic",
    "loss/policy",
    "value/mean",
    "policy/entropy",
    "policy/temperature",
    "optimizer/critic_gradient_norm",
    "optimizer/actor_gradient_norm",
)


class SacTrainer:
    """Networks and optimisers, and what a batch does to them.

    Args:
        seed: of the initial weights and of the noise of actions.
    """

    def __init__(self, spec: EnvSpec, config: SacConfig, *, seed: int, device: str) -> None:
        self._spec, self._config, self._device = spec, config, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = SacModel(spec, config).to(device)
        self.generator = torch.Generator(device).manual_seed(seed)
        model = self.model
        tuned = [] if config.temperature.fixed else [model.log_temperature]
        self._trained = {"critics": model.critic_parameters(), "actor": [*model.actor_parameters(), *tuned]}
        self._critics, self._targets = list(model.critics.parameters()), list(model.targets.parameters())
        rate = config.training.learning_rate
        self.optimizers = {
            name: torch.optim.Adam(parameters, lr=rate, fused=True) for name, parameters in self._trained.items()
        }
        wanted = config.temperature.target_entropy
        self._target_entropy = -float(np.prod(spec.actions.shape)) if wanted is None else wanted  # type: ignore[union-attr]
        self._shift = _shifts(spec, config)
        self.skipped = SkippedSteps(spec.name)
        self.num_updates = 0
        self._sums, self._num_summed = torch.zeros(len(METRICS), device=device), 0

    def update(self, batch: Transitions, *, left: float = 1.0) -> None:
        """Critics, then actor and temperature, then the critics' targets. `left` scales the learning rates."""
        for optimizer in self.optimizers.values():
            set_learning_rate(optimizer, self._config.training.learning_rate * left)
        model, training = self.model, self._config.training
        observations = self._prepared(batch.observations)
        next_observations = self._prepared(batch.next_observations)
        actions, rewards, discounts = map(self._tensor, (batch.actions, batch.rewards, batch.discounts))
        self.num_updates += 1
        targets = self._soft_targets(next_observations, actions, rewards * self._config.reward_scale, discounts)
        acts = self.num_updates % training.actor_every == 0
        pictures = model.actor.encode(observations) if acts or model.shares_encoder else []
        values = self._values(model.critics, model.features(observations, pictures), actions)
        loss = critic_loss(values, targets)
        norm = self._step("critics", loss)
        if not norm.isfinite():
            return self._skip(batch, loss)
        if acts and not self._improve_actor(batch, observations, pictures, (loss, values.mean(), norm)):
            return None
        follow(self._targets, self._critics, training.target_rate)
        self.skipped.went_well()
        return None

    def take_metrics(self) -> Metrics:
        """Means over the updates of actor and critics since the last call; empty if there were none."""
        if not self._num_summed:
            return {}
        means = (self._sums / self._num_summed).tolist()
        self._sums.zero_()
        self._num_summed = 0
        return dict(zip(METRICS, means, strict=True))

    @torch.no_grad()
    def _soft_targets(
        self, next_observations: dict[str, Tensor], like: Tensor, rewards: Tensor, discounts: Tensor
    ) -> Tensor:
        """What the critics should say, `[B]`; `like` has the shape of actions."""
        model = self.model
        pictures = model.actor.encode(next_observations)
        actions, log_prob = model.actor.distribution(next_observations, pictures).sample(self._noise(like))
        values = self._values(model.targets, model.features(next_observations, pictures), actions)
        return soft_targets(rewards, discounts, values, log_prob, model.log_temperature.exp())

    def _improve_actor(
        self, batch: Transitions, observations: dict[str, Tensor], pictures: list[Tensor], told: tuple[Tensor, ...]
    ) -> bool:
        """A step of actor and temperature; False if it was not finite. `told`: metrics of the critics' step."""
        model = self.model
        if model.shares_encoder:
            pictures = [each.detach() for each in pictures]
        distribution = model.actor.distribution(observations, pictures)
        actions, log_prob = distribution.sample(self._noise(distribution.mean))
        temperature = model.log_temperature.detach().exp()
        self._train_critics(False)  # gradients of their weights are not asked for, and cost as much as the others
        loss = actor_loss(
            log_prob, self._values(model.critics, model.features(observations, pictures), actions), temperature
        )
        tuning = (
            0.0
            if self._config.temperature.fixed
            else temperature_loss(model.log_temperature, log_prob, self._target_entropy)
        )
        norm = self._step("actor", loss + tuning)
        self._train_critics(True)
        if not norm.isfinite():
            self._skip(batch, loss)
            return False
        with torch.no_grad():
            critics_loss, value, critics_norm = told
            self._sums += torch.stack((critics_loss, loss, value, -log_prob.mean(), temperature, critics_norm, norm))
        self._num_summed += 1
        return True

    def _step(self, name: str, loss: Tensor) -> Tensor:
        """One step down the gradient of an optimiser's parameters. Returns its norm; not finite: none was made."""
        most = self._config.training.max_gradient_norm
        return descend(self.optimizers[name], loss, self._trained[name], most)

    def _train_critics(self, wanted: bool) -> None:
        for parameter in self._critics:
            parameter.requires_grad_(wanted)

    def _skip(self, batch: Transitions, loss: Tensor) -> None:
        tensors = {f"observations/{part}": self._tensor(array) for part, array in batch.observations.items()}
        tensors |= {f"next/{part}": self._tensor(array) for part, array in batch.next_observations.items()}
        tensors |= {name: self._tensor(getattr(batch, name)) for name in ("actions", "rewards", "discounts")}
        self.skipped.skip(tensors, loss=loss.item())

    def _values(self, critics: nn.Module, features: Tensor, actions: Tensor) -> Tensor:
        values: Tensor = critics(torch.cat([features, actions], dim=1))
        return values

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator, device=self._device)

    def _prepared(self, observations: Arrays) -> dict[str, Tensor]:
        """Normalised, and pictures shifted."""
        found = {part: self._tensor(array) for part, array in observations.items()}
        for part, most in self._shift.items():
            found[part] = shift_pictures(found[part], most, self.generator)
        return self.model.actor.normalised(found)

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def _shifts(spec: EnvSpec, config: SacConfig) -> dict[str, int]:
    """By how many pixels each part with pictures is shifted at most; those that are not are left out."""
    shifts = {}
    for name, part in spec.group("policy").items():
        if part.is_image:
            default = default_shift(part.shape[0]) if critics_see_pictures(spec, config.critic_pictures) else 0
            shifts[name] = default if config.random_shift is None else config.random_shift
    return {name: most for name, most in shifts.items() if most}
