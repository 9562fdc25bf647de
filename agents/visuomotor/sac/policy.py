"""The policy that SAC learned: the squashed mean action."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from agents.visuomotor.actions import to_env
from agents.visuomotor.networks import feature_points
from agents.visuomotor.publishing import as_tensors
from agents.visuomotor.sac.config import SacConfig
from agents.visuomotor.sac.model import SacActor
from rlplat.interfaces import Arrays, EnvSpec


class SacPolicy:
    """Fulfils `rlplat.interfaces.Policy` for tasks."""

    name = "sac"

    def __init__(self, config: SacConfig, spec: EnvSpec, weights: Arrays) -> None:
        self._spec = spec
        self._actor = SacActor(spec, config)
        self._actor.take(weights, "checkpoint")

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """An action for each of the observations `[B, ...]` by part."""
        with torch.inference_mode():
            observations = self._actor.normalised(as_tensors(states))
            actions = self._actor.distribution(observations).mode().numpy()
        return to_env(self._spec.actions, actions)

    def feature_points(self, observations: Arrays) -> dict[str, np.ndarray[Any, Any]]:
        """Where the filters see most in each picture, `[B, P, 2]` by part."""
        return dict(feature_points(self._actor.encoders, as_tensors(observations)))
