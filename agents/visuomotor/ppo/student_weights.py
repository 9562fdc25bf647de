"""A guided policy's student as a plain network of the same pictures and numbers, for agents that learn on from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat.errors import CheckpointError
from rlplat.interfaces import Arrays

_NETWORK, _FIRST = "network.", "network.layers.0."


def is_student(weights: Mapping[str, NDArray[Any]]) -> bool:
    """Whether published weights are those of a student."""
    return f"{_FIRST}weight" in weights


def as_network(weights: Mapping[str, NDArray[Any]], origin: str) -> tuple[Arrays, Arrays]:
    """Return the arrays of a `Network` that acts as the student does, and of its `ObservationNormaliser`.

    A student that is shown what it regresses (`pretraining.then: joint`) is shown linear functions of what it sees.
    They are folded into its first layer: W [x, P x + p] + b = (W_x + W_p P) x + (W_p p + b). CheckpointError: a
    student that is shown nothing else (`then: pose`).
    """
    network = {name.removeprefix(_NETWORK): array for name, array in weights.items() if name.startswith(_NETWORK)}
    moments = {name: array for name, array in weights.items() if name.startswith("observations.")}
    if "pose.weight" in weights:
        regressed, constant = weights["pose.weight"], weights["pose.bias"]
        first = weights[f"{_FIRST}weight"]
        num_poses, num_seen = regressed.shape
        if first.shape[1] == num_seen + num_poses:
            seen, poses = first[:, :num_seen], first[:, num_seen:]
            network["layers.0.weight"] = seen + poses @ regressed
            network["layers.0.bias"] = weights[f"{_FIRST}bias"] + poses @ constant
        elif first.shape[1] != num_seen:
            raise CheckpointError(
                f"{origin}: this student acts by what it regresses alone (agent.pretraining.then: pose), so no network "
                "of pictures acts like it; name a run with then: joint, end_to_end or features"
            )
    return {name: np.asarray(array) for name, array in network.items()}, moments
