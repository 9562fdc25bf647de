"""The classical Runge-Kutta method with fixed steps, and refusal of steps and states that make its result worthless."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rlplat.errors import EnvError

Array = NDArray[np.float64]

STABLE = 2.78
"""A decay of rate r is stable under this method while r times the step stays below this (exactly 2.785...)."""


def rk4_step(derivative: Callable[[Array], Array], state: Array, step_s: float) -> Array:
    """Return the state `step_s` seconds later, with everything but the state held.

    `derivative` maps a state to its change per second; both of any shape. Error of order `step_s**5` a step.
    """
    k1 = derivative(state)
    k2 = derivative(state + 0.5 * step_s * k1)
    k3 = derivative(state + 0.5 * step_s * k2)
    k4 = derivative(state + step_s * k3)
    return state + step_s / 6 * (k1 + 2 * (k2 + k3) + k4)


def check_step(step_s: float, fastest_per_s: float, model: str) -> None:
    """Raise EnvError if the method is unstable with this step; `fastest_per_s` is the model's fastest rate of decay."""
    if not step_s > 0 or step_s * fastest_per_s > STABLE:
        raise EnvError(
            f"{model}: the step is {step_s:g} s; it must be > 0 and at most {_shown(STABLE / fastest_per_s)} s, beyond "
            f"which the integration is unstable (the fastest process has a rate of {fastest_per_s:.3g} per s); take "
            f"more, smaller steps, or look for a wrong parameter"
        )


def _shown(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2g}"


def check_inputs(model: str, **inputs: tuple[Array | float, float, float]) -> None:
    """Raise EnvError for an input that is not finite or out of its range; each is `(values, lowest, highest)`."""
    for name, (values, lowest, highest) in inputs.items():
        array = np.asarray(values, dtype=np.float64)
        # NaN compares false with everything.
        wrong = ~((array >= lowest) & (array <= highest))
        if wrong.any():
            place = np.argwhere(wrong)[0].tolist()
            where = f" at {place}" if place else ""
            raise EnvError(
                f"{model}: {name}{where} is {array[tuple(place)]:g}; it must be from {lowest:g} to {highest:g}"
            )


def check_state(model: str, names: tuple[str, ...], state: Array) -> None:
    """Raise EnvError unless `state` `[S, N]` is finite; `names` are those of its S rows."""
    if not np.isfinite(state).all():
        row, column = np.argwhere(~np.isfinite(state))[0].tolist()
        raise EnvError(
            f"{model}: {names[row]} number {column} became {state[row, column]:g}; the step is too large for these "
            f"parameters, or they are impossible"
        )
