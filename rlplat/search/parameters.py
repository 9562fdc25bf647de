"""Parameters of a search, and what evaluates its leaves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rlplat import _core


@dataclass(frozen=True)
class SearchParams:
    """PUCT as in AlphaZero (Silver et al. 2018, pseudocode)."""

    num_simulations: int
    """Simulations of one search, beside those kept from the search before."""
    c_base: float = 19652.0
    c_init: float = 1.25
    fpu: Literal["constant", "reduction"] = "reduction"
    """First-play urgency: the value an unvisited action is taken to have. `constant`: `fpu_value` itself.
    `reduction`: the node's value less `fpu_value` times the square root of the prior mass of its visited actions."""
    fpu_value: float = 0.25
    dirichlet_alpha: float = 1.0
    """Concentration of the noise at the root."""
    noise_fraction: float = 0.0
    """Share of the noise in the priors at the root; 0 for play and analysis."""

    def core(self) -> _core.SearchParams:
        return _core.SearchParams(**asdict(self))


class Evaluator(Protocol):
    """Evaluates leaves by a network."""

    batch_size: int
    """Batches are padded to this many rows."""

    def evaluate(self, observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits `[B, A]` and values `[B]` in [-1, 1], from the view of the player to move, of `[B, C, H, W]`."""
        ...


class BuiltinEvaluator(Enum):
    """Evaluates leaves inside the compiled search."""

    UNIFORM = "uniform"
    """Equal priors, value 0."""
    ROLLOUT = "rollout"
    """Equal priors, the result of one game of random moves."""


UNIFORM = BuiltinEvaluator.UNIFORM
ROLLOUT = BuiltinEvaluator.ROLLOUT
