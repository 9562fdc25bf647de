"""What the updates of SAC minimise (Haarnoja et al., "Soft actor-critic algorithms and applications", 1812.05905).

Axes: B batch. Equations are those of the paper, in its second version.
"""

from __future__ import annotations

import torch
from torch import Tensor


def soft_targets(
    rewards: Tensor, discounts: Tensor, next_values: Tensor, next_log_prob: Tensor, temperature: Tensor
) -> Tensor:
    """What the critics should say, `[B]`: r + gamma (min Q(s', a') - alpha log pi(a'|s')), equations 3 and 5.

    Args:
        rewards: of one step, or the discounted sum of those of several, `[B]`.
        discounts: gamma to the power of the number of steps, 0 where the episode terminated, `[B]`.
        next_values: of both target critics, `[2, B]`. The lesser counts, as errors that please are sought out.
        next_log_prob: log pi(a'|s') of the actions that these are of, `[B]`.
        temperature: alpha.
    """
    return rewards + discounts * (next_values.amin(0) - temperature * next_log_prob)


def critic_loss(values: Tensor, targets: Tensor) -> Tensor:
    """J_Q of both critics `[2, B]` together, equation 5: half the squared error."""
    return 0.5 * ((values - targets) ** 2).mean(1).sum()


def actor_loss(log_prob: Tensor, values: Tensor, temperature: Tensor) -> Tensor:
    """J_pi, equation 9: E[alpha log pi(a|s) - min Q(s, a)] with values `[2, B]` of actions that the policy drew."""
    return (temperature * log_prob - values.amin(0)).mean()


def temperature_loss(log_temperature: Tensor, log_prob: Tensor, target_entropy: float) -> Tensor:
    """J(alpha), equation 18: E[-alpha (log pi(a|s) + H)]. Its gradient raises alpha where the entropy is below H."""
    return -(log_temperature.exp() * (log_prob.detach() + target_entropy)).mean()


def follow(targets: list[Tensor], followed: list[Tensor], rate: float) -> None:
    """Move targets by a share towards what they follow (Polyak averaging), in place."""
    torch._foreach_lerp_(targets, followed, rate)
