"""The policy that PPO learned: the likeliest action, or the mean one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from agents.visuomotor.actions import to_env
from agents.visuomotor.networks import feature_points
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.model import ActorCritic
from agents.visuomotor.publishing import as_tensors
from rlplat.interfaces import Arrays, EnvSpec


class PpoPolicy:
    """Fulfils `rlplat.interfaces.Policy` for tasks."""

    name = "ppo"

    def __init__(self, config: PpoConfig, spec: EnvSpec, weights: Arrays) -> None:
        self._spec = spec
        self._model = ActorCritic(spec, config)
        self._model.take(weights, "checkpoint")

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """An action for each of the observations `[B, ...]` by part."""
        with torch.inference_mode():
            actions = self._model.distribution(self._model.normalised(as_tensors(states))).mode().numpy()
        return to_env(self._spec.actions, actions)

    def feature_points(self, observations: Arrays) -> dict[str, np.ndarray[Any, Any]]:
        """Where the filters see most in each picture, `[B, P, 2]` by part."""
        return dict(feature_points(self._model.actor.pictures, as_tensors(observations)))
