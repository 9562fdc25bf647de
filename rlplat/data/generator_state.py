"""The states of random generators among named arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def generators_to_array(generators: Sequence[np.random.Generator]) -> NDArray[np.uint8]:
    """Their states, as the bytes of a JSON text."""
    states = [generator.bit_generator.state for generator in generators]
    return np.frombuffer(json.dumps(states).encode(), np.uint8).copy()


def generators_from_array(array: NDArray[np.uint8]) -> list[np.random.Generator]:
    """Generators (PCG64, numpy's default) that go on from there."""
    generators = []
    for state in json.loads(array.tobytes()):
        generators.append(np.random.default_rng())
        generators[-1].bit_generator.state = state
    return generators
