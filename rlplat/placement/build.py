"""From a configuration to the objects that it names, in an actor and on the device that the actor was given."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import ray

from rlplat import registry
from rlplat.config import RunConfig
from rlplat.training.build import Built, build


def build_here(config: RunConfig, trust: Sequence[str]) -> Built:
    """Load the environment and the agent; an actor without a GPU, or a share of one, works on the CPU."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    registry.trust(*trust)
    gpu_ids: Any = ray.get_gpu_ids  # untyped
    if not gpu_ids():
        # Ray shows all GPUs to actors that were given none. torch looks when it first uses one.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        placement = config.placement.model_copy(update={"device": "cpu"})
        config = config.model_copy(update={"placement": placement})
    return build(config)
