"""What learners publish and what others make of it: all weights of a network as named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlplat.errors import CheckpointError
from rlplat.interfaces import Arrays


class PublishedModule(nn.Module):
    """A network that is published whole, with what it normalises by."""

    def published(self) -> Arrays:
        """All weights and moments by name."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.state_dict().items()}

    def take(self, arrays: Mapping[str, NDArray[Any]], origin: str) -> None:
        """Use published weights; CheckpointError if they are of another network or environment.

        Arrays that fit are copied as they are: collectors take new weights often, and torch's own way takes a while.
        """
        own = self._own_arrays()
        if own.keys() == arrays.keys() and all(own[name].shape == array.shape for name, array in arrays.items()):
            for name, array in arrays.items():
                np.copyto(own[name], array)
            return
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        try:
            self.load_state_dict(tensors)
        except RuntimeError as error:
            raise CheckpointError(
                f"{origin}: these weights do not fit the configuration's network and environment: {error}"
            ) from error

    def _own_arrays(self) -> Arrays:
        """All weights and moments as arrays that share their memory; empty if that is not this process's."""
        if not hasattr(self, "_shared"):
            tensors = self.state_dict()
            here = all(tensor.device.type == "cpu" for tensor in tensors.values())
            self._shared: Arrays = {name: tensor.numpy() for name, tensor in tensors.items()} if here else {}
        return self._shared


def as_tensors(observations: Mapping[str, NDArray[Any]], device: str = "cpu") -> dict[str, Tensor]:
    """Arrays by part as tensors on a device; arrays that may not be written to, such as Ray's, are copied."""
    own = {name: np.require(array, requirements=["C", "W"]) for name, array in observations.items()}
    return {name: torch.from_numpy(array).to(device) for name, array in own.items()}
