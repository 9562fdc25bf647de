"""Distributions over actions, and how what is drawn from them becomes actions of an environment.

Axes: B batch, A discrete actions, D dimensions of a continuous action.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlplat.interfaces import Actions, Choices, Continuous, Discrete

FORBIDDEN = -1e9
"""Logit of an action that the mask forbids."""


@dataclass(frozen=True)
class Categorical:
    """Discrete actions."""

    logits: Tensor
    """`[B, A]`"""

    @cached_property
    def log_probs(self) -> Tensor:
        """Of all actions, `[B, A]`."""
        return torch.log_softmax(self.logits, 1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """Of actions `[B]`: `[B]`."""
        return self.log_probs.gather(1, actions.long()[:, None])[:, 0]

    def entropy(self) -> Tensor:
        """In nats, `[B]`."""
        return -(self.log_probs.exp() * self.log_probs).sum(1)

    def mode(self) -> Tensor:
        return self.logits.argmax(1)

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw actions `[B]`, each by the largest of its logits with Gumbel noise (Gumbel 1954)."""
        return np.argmax(self.logits.numpy() + rng.gumbel(size=self.logits.shape), axis=1)


@dataclass(frozen=True)
class Gaussian:
    """Continuous actions, the dimensions independent of each other."""

    mean: Tensor
    """`[B, D]`"""
    log_std: Tensor
    """`[D]`: the same everywhere."""

    def log_prob(self, actions: Tensor) -> Tensor:
        """Density of actions `[B, D]`: `[B]`."""
        deviation = (actions - self.mean) * torch.exp(-self.log_std)
        return (-0.5 * deviation**2 - self.log_std - 0.5 * math.log(2 * math.pi)).sum(1)

    def entropy(self) -> Tensor:
        """In nats, `[B]`."""
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum().expand(len(self.mean))

    def mode(self) -> Tensor:
        return self.mean

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw actions `[B, D]`."""
        noise = rng.standard_normal(self.mean.shape, np.float32)
        return self.mean.numpy() + noise * np.exp(self.log_std.numpy())


@dataclass(frozen=True)
class SquashedGaussian:
    """Continuous actions in (-1, 1): tanh of a Gaussian whose dimensions are independent of each other."""

    mean: Tensor
    """`[B, D]`, before tanh."""
    log_std: Tensor
    """`[B, D]`, before tanh."""

    def sample(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Actions `[B, D]` from standard normal noise `[B, D]`, and their log-density `[B]`; both have gradients.

        log pi(a) = log N(u) - sum log(1 - tanh(u)^2), a = tanh(u) (Haarnoja et al., arXiv 1812.05905, appendix C),
        where log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2 u)), which does not lose its digits for large u.
        """
        before = torch.addcmul(self.mean, self.log_std.exp(), noise)
        gaussian = -0.5 * noise**2 - self.log_std - 0.5 * math.log(2 * math.pi)
        squash = 2 * (math.log(2.0) - before - nn.functional.softplus(-2 * before))
        return torch.tanh(before), (gaussian - squash).sum(1)

    def mode(self) -> Tensor:
        """That of the mean, which is the likeliest one unless the deviation is large."""
        return torch.tanh(self.mean)

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw actions `[B, D]`."""
        noise = rng.standard_normal(self.mean.shape, np.float32)
        found: NDArray[np.float32] = np.tanh(self.mean.numpy() + noise * np.exp(self.log_std.numpy()))
        return found


@dataclass(frozen=True)
class Factored:
    """Choices, all independent of each other: R times the same P of them."""

    logits: tuple[Tensor, ...]
    """P of `[B, R, A]`, each with an A of its own."""

    @cached_property
    def log_probs(self) -> tuple[Tensor, ...]:
        """Of all choices, as `logits`."""
        return tuple(torch.log_softmax(part, 2) for part in self.logits)

    def log_prob(self, actions: Tensor) -> Tensor:
        """Of actions `[B, R P]`: `[B]`."""
        chosen = actions.long().unflatten(1, (-1, len(self.logits)))
        parts = (part.gather(2, chosen[:, :, index, None]) for index, part in enumerate(self.log_probs))
        return torch.stack([part.sum((1, 2)) for part in parts]).sum(0)

    def entropy(self) -> Tensor:
        """In nats, `[B]`."""
        return torch.stack([-(part.exp() * part).sum((1, 2)) for part in self.log_probs]).sum(0)

    def mode(self) -> Tensor:
        return torch.stack([part.argmax(2) for part in self.logits], 2).flatten(1)

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw actions `[B, R P]`, see `Categorical.draw`."""
        drawn = [np.argmax(part.numpy() + rng.gumbel(size=part.shape), axis=2) for part in self.logits]
        return np.stack(drawn, axis=2).reshape(len(drawn[0]), -1)


def factored(space: Choices, outputs: Tensor, mask: Tensor | None) -> Factored:
    """Make a distribution of outputs `[B, sum of sizes]`; `mask` `[B, ...]` is 1 where a choice is allowed."""
    sizes = space.sizes[: space.period]
    logits = outputs.unflatten(1, (-1, sum(sizes)))
    if mask is not None:
        logits = torch.where(mask.flatten(1).unflatten(1, (-1, sum(sizes))) > 0, logits, FORBIDDEN)
    return Factored(tuple(logits.split(sizes, dim=2)))


Distribution = Categorical | Factored | Gaussian


def num_outputs(actions: Actions) -> int:
    """How many numbers a network gives for a distribution: A, the sum of all A, or D."""
    if isinstance(actions, Choices):
        return sum(actions.sizes)
    return actions.num_actions if isinstance(actions, Discrete) else math.prod(actions.shape)


def to_env(space: Actions, actions: NDArray[Any]) -> NDArray[Any]:
    """Turn what was drawn into actions of the environment: [-1, 1] is the whole range of a bounded dimension.

    What lies beyond is cut, as the environment would refuse it. A dimension that lacks a bound is taken as it is.
    """
    if isinstance(space, Discrete):
        return actions
    if isinstance(space, Choices):
        return actions.reshape(-1, *space.shape)
    middle, half = _scale(space)
    return np.clip(middle + half * actions, space.low, space.high).reshape(-1, *space.shape)


def from_env(space: Discrete | Continuous, actions: NDArray[Any]) -> NDArray[Any]:
    """Turn actions of the environment into those of a policy: the inverse of `to_env`.

    float32 `[B, D]`, or int64 `[B]`.
    """
    if isinstance(space, Discrete):
        return actions.astype(np.int64)
    middle, half = _scale(space)
    scaled: NDArray[Any] = (actions.reshape(len(actions), -1) - middle) / half
    return scaled.astype(np.float32)


def _scale(space: Continuous) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = np.array(space.low, np.float64), np.array(space.high, np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    from_here, to_here = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    return (from_here + to_here) / 2, (to_here - from_here) / 2
