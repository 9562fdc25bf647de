"""The state of a random generator among named arrays."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray


def generator_to_array(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Its state, as the bytes of a JSON text."""
    return np.frombuffer(json.dumps(rng.bit_generator.state).encode(), np.uint8).copy()


def generator_from_array(array: NDArray[np.uint8]) -> np.random.Generator:
    """A generator that goes on from there."""
    rng = np.random.default_rng()
    rng.bit_generator.state = json.loads(array.tobytes())
    return rng
