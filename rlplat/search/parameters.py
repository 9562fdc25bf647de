"""Parameters of a search, and what evaluates its leaves."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import Enum
from numbers import Integral
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from rlplat import _core

MAX_SIMULATIONS = 100_000_000
"""More would want memory for nodes that no machine has."""

Fpu = Literal["constant", "reduction"]
Selection = Literal["puct", "gumbel"]


@dataclass(frozen=True)
class SearchParams:
    """How a tree is searched. ValueError for values outside of their ranges.

    Actions are selected by PUCT as in AlphaZero (Silver et al. 2018, pseudocode), or by improved policies (Danihelka et
    al. 2022, "Policy improvement by planning with Gumbel"; visits and policies are those of the authors' mctx, see
    tests/search/test_gumbel.py).
    """

    num_simulations: int
    """Simulations of one search, beside those kept from the search before; 0 to `MAX_SIMULATIONS`."""
    c_base: float = 19652.0
    """Visits at which exploration starts to grow, > 0."""
    c_init: float = 1.25
    """Exploration at few visits, >= 0."""
    fpu: Fpu = "reduction"
    """First-play urgency: the value an unvisited action is taken to have. `constant`: `fpu_value` itself.
    `reduction`: the node's value less `fpu_value` times the square root of the prior mass of its visited actions."""
    fpu_value: float = 0.25
    """-1 to 2, see `fpu`; values are in [-1, 1]."""
    dirichlet_alpha: float = 1.0
    """Concentration of the noise at the root, > 0."""
    noise_fraction: float = 0.0
    """Share of the noise in the priors at the root, 0 to 1; 0 for play and analysis."""
    shaped_noise: bool = False
    """The noise has the same concentration in all, but half of it goes to actions whose log prior (of at most 1 %) is
    above the mean, in proportion: those that are worth another look (KataGo, docs/KataGoMethods.md)."""
    root_temperature: float = 1.0
    """The root's priors become prior ** (1 / root_temperature) before noise, > 0; above 1 they are flatter (KataGo,
    docs/KataGoMethods.md). For self-play; 1 for play and analysis."""
    forced_playouts: float = 0.0
    """k, >= 0: an action of the root that was visited gets at least sqrt(k * prior * visits of all) visits; from visit
    counts and policy targets those are taken off that its score would not have earned (Wu 2019, "Accelerating
    Self-Play Learning in Go", 3.2). For self-play; 0 for play and analysis."""
    prove: bool = False
    """Results that follow from finished games in the tree count as exact: a proven win ends the search, a proven loss
    is not visited again (Winands et al. 2008, "Monte-Carlo Tree Search Solver"). Moves that win at once are looked for
    at every leaf (Teytaud and Teytaud 2010, "On the Huge Benefit of Decisive Moves")."""
    selection: Selection = "puct"
    """`puct`, or `gumbel`: sequential halving at the root, elsewhere the action whose visits lag most behind the
    improved policy softmax(log prior + (c_visit + most visits) c_scale q), q from 0 for the lowest to 1 for the highest
    q_value of the node. There fpu, c_base, c_init and the Dirichlet noise mean nothing."""
    gumbel_actions: int = 16
    """`gumbel`: actions that the root tries at most, >= 1."""
    c_visit: float = 50.0
    """`gumbel`: see `selection`; >= 0."""
    c_scale: float = 0.1
    """`gumbel`: see `selection`; >= 0."""
    gumbel_scale: float = 0.0
    """`gumbel`: scale of the noise at the root, >= 0; 1 in the paper's self-play, 0 for play and analysis."""
    lcb_deviations: float = 0.0
    """z, >= 0: the best action of an analysis is that of the highest lower confidence bound q - z * standard error
    among those with at least 15 % of the most visits (KataGo, cpp/search, `lcbStdevs`, `minVisitPropForLCB`). 0: it is
    the most visited one. Means nothing with `gumbel`."""

    def __post_init__(self) -> None:
        whole = isinstance(self.num_simulations, Integral) and not isinstance(self.num_simulations, bool)
        rules = [
            (
                "num_simulations",
                whole and 0 <= self.num_simulations <= MAX_SIMULATIONS,
                f"a whole number from 0 to {MAX_SIMULATIONS:,}",
            ),
            ("c_base", 0 < self.c_base < math.inf, "finite and > 0"),
            ("c_init", 0 <= self.c_init < math.inf, "finite and >= 0"),
            ("fpu", self.fpu in get_args(Fpu), " or ".join(get_args(Fpu))),
            ("fpu_value", -1 <= self.fpu_value <= 2, "from -1 to 2"),
            ("dirichlet_alpha", 0 < self.dirichlet_alpha < math.inf, "finite and > 0"),
            ("noise_fraction", 0 <= self.noise_fraction <= 1, "from 0 to 1"),
            ("root_temperature", 0 < self.root_temperature < math.inf, "finite and > 0"),
            ("forced_playouts", 0 <= self.forced_playouts < math.inf, "finite and >= 0"),
            ("selection", self.selection in get_args(Selection), " or ".join(get_args(Selection))),
            ("gumbel_actions", 1 <= self.gumbel_actions <= 65535, "from 1 to 65535"),
            ("c_visit", 0 <= self.c_visit < math.inf, "finite and >= 0"),
            ("c_scale", 0 <= self.c_scale < math.inf, "finite and >= 0"),
            ("lcb_deviations", 0 <= self.lcb_deviations < math.inf, "finite and >= 0"),
            ("gumbel_scale", 0 <= self.gumbel_scale < math.inf, "finite and >= 0"),
        ]
        for name, holds, allowed in rules:
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be {allowed}")

    def core(self) -> _core.SearchParams:
        return _core.SearchParams(**asdict(self))


class Evaluator(Protocol):
    """Evaluates leaves by a network."""

    batch_size: int
    """The largest batch."""

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
