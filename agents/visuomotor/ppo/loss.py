"""What an update of PPO minimises (Schulman, Wolski, Dhariwal, Radford, Klimov, arXiv 1707.06347)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """The loss of a minibatch and what is told of it; scalars."""

    total: Tensor
    policy: Tensor
    value: Tensor
    entropy: Tensor
    kl: Tensor
    """Divergence of the new policy from that of the round, in nats."""
    clip_fraction: Tensor
    """Share of steps whose ratio lies beyond the clip."""


def ppo_loss(
    log_prob: Tensor,
    old_log_prob: Tensor,
    advantages: Tensor,
    values: Tensor,
    targets: Tensor,
    entropy: Tensor,
    *,
    clip: float,
    value_weight: float,
    entropy_weight: float,
) -> Loss:
    """Return the negative of equation 9, with the clipped surrogate of equation 7; all arguments are `[B]`.

    Advantages are brought to mean 0 and deviation 1 within the minibatch. The divergence is estimated by
    `(r - 1) - log r`, which is never below 0 (Schulman, "Approximating KL divergence", 2020).
    """
    if len(advantages) > 1:
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    surrogate = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    policy, value, mean_entropy = -surrogate.mean(), ((values - targets) ** 2).mean(), entropy.mean()
    with torch.no_grad():
        kl = (ratio - 1 - log_ratio).mean()
        clip_fraction = ((ratio - 1).abs() > clip).float().mean()
    total = policy + value_weight * value
    if entropy_weight:  # gradients of what counts nothing cost as much as others
        total = total - entropy_weight * mean_entropy
    return Loss(total, policy, value, mean_entropy, kl, clip_fraction)
