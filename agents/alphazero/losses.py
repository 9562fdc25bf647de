"""What an update minimises (AlphaZero paper, eq. 1), and the numbers that tell how it goes.

Axes: B batch, A actions. Values and outcomes are from the view of the player to move.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from agents.alphazero.network import values

TERMS = (
    *("loss/policy", "loss/value", "loss/total"),
    *("policy/entropy", "policy/target_entropy", "policy/kl", "policy/accuracy"),
    *("value/error", "value/constant_error"),
)
"""Names of what `loss_terms` returns."""


@dataclass(frozen=True)
class Targets:
    policy: Tensor
    """float32 `[B, A]`: share of the search's visits; 0 at illegal actions, sums to 1."""
    legal: Tensor
    """bool `[B, A]`"""
    outcome: Tensor
    """float32 `[B]` in [-1, 1]: the game's result."""
    root_value: Tensor
    """float32 `[B]` in [-1, 1]: the search's value of the position."""


def loss_terms(
    policy_logits: Tensor, value_logits: Tensor, targets: Targets, *, value_weight: float, value_target_mix: float
) -> dict[str, Tensor]:
    """Return scalars by the names of their metrics; `loss/total` is differentiable, and all are means over the batch.

    policy_logits: `[B, A]`; value_logits: `[B]` (before tanh; squared error) or `[B, 3]` (win, draw, loss; cross
    entropy).
    `policy/kl` is the policy loss less the entropy of its target: what could still be learned. `policy/accuracy`: how
    often the most visited action has the highest prior. `value/error`: mean distance of the value from the outcome;
    `value/constant_error`: that of the value 0, which sees no position.
    """
    log_prior = log_softmax_legal(policy_logits.float(), targets.legal)
    value_logits = value_logits.float()
    policy_loss = -(targets.policy * log_prior).sum(1).mean()
    value_loss = _value_loss(value_logits, targets, value_target_mix)
    terms = {
        "loss/policy": policy_loss,
        "loss/value": value_loss,
        "loss/total": policy_loss + value_weight * value_loss,
    }
    with torch.no_grad():
        target_entropy = -torch.special.xlogy(targets.policy, targets.policy).sum(1).mean()
        best = torch.where(targets.legal, policy_logits, -torch.inf).argmax(1)
        terms |= {
            "policy/entropy": -(log_prior.exp() * log_prior).sum(1).mean(),
            "policy/target_entropy": target_entropy,
            "policy/kl": policy_loss - target_entropy,
            "policy/accuracy": (best == targets.policy.argmax(1)).float().mean(),
            "value/error": (values(value_logits) - targets.outcome).abs().mean(),
            "value/constant_error": targets.outcome.abs().mean(),
        }
    return terms


def log_softmax_legal(logits: Tensor, legal: Tensor) -> Tensor:
    """Logarithm of the softmax over legal actions, `[B, A]`; 0 (not -inf) at illegal ones: products stay finite."""
    masked = logits.masked_fill(~legal, -torch.inf)
    return functional.log_softmax(masked, dim=1).masked_fill(~legal, 0.0)


def _value_loss(value_logits: Tensor, targets: Targets, mix: float) -> Tensor:
    if value_logits.ndim == 1:
        target = (1.0 - mix) * targets.outcome + mix * targets.root_value
        return functional.mse_loss(torch.tanh(value_logits), target)
    target = outcome_probabilities(targets.outcome)
    if mix > 0.0:
        target = (1.0 - mix) * target + mix * root_probabilities(targets.root_value, targets.outcome)
    return -(target * functional.log_softmax(value_logits, dim=1)).sum(1).mean()


def outcome_probabilities(outcome: Tensor) -> Tensor:
    """Win, draw and loss `[B, 3]` whose mean is the outcome `[B]`: certain for -1, 0 and 1, and half a draw for 0.5."""
    return torch.stack([outcome.clamp(min=0.0), 1.0 - outcome.abs(), (-outcome).clamp(min=0.0)], dim=1)


def root_probabilities(root_value: Tensor, outcome: Tensor) -> Tensor:
    """Win, draw and loss `[B, 3]` whose mean is the root value `[B]`.

    A root value does not tell draws. In games that ended decided no draw is assumed, in drawn ones as much as fits, so
    a game that knows no draws never gets one.
    """
    decided = torch.stack([(1.0 + root_value) / 2, torch.zeros_like(root_value), (1.0 - root_value) / 2], dim=1)
    return torch.where((outcome == 0.0)[:, None], outcome_probabilities(root_value), decided)
