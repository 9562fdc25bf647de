"""The policy that the student learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from agents.visuomotor.actions import to_env
from agents.visuomotor.guided_policy.config import GuidedConfig
from agents.visuomotor.guided_policy.student import Student
from agents.visuomotor.networks import feature_points
from agents.visuomotor.publishing import as_tensors
from rlplat.interfaces import Arrays, EnvSpec

ROUND = "round"
"""Name of the number of rounds so far, `[]`, among what is published."""


class StudentPolicy:
    """Fulfils `rlplat.interfaces.Policy` for tasks."""

    name = "guided_policy"

    def __init__(self, config: GuidedConfig, spec: EnvSpec, weights: Arrays) -> None:
        self._spec = spec
        self._student = Student(spec, config)
        self._student.take(weights_alone(weights), "checkpoint")

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """An action for each of the observations `[B, ...]` by part."""
        with torch.inference_mode():
            actions = self._student.actions(as_tensors(states)).numpy()
        return to_env(self._spec.actions, actions)

    def feature_points(self, observations: Arrays) -> dict[str, np.ndarray[Any, Any]]:
        """Where the filters see most in each picture, `[B, P, 2]` by part."""
        return dict(feature_points(self._student.network.pictures, as_tensors(observations)))


def weights_alone(published: Arrays) -> Arrays:
    """What is published, without the number of rounds."""
    return {name: array for name, array in published.items() if name != ROUND}
