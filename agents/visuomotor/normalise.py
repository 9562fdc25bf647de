"""Running means and variances, by which numbers are brought to a common scale. They are saved with the network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlplat.interfaces import Observed

LIMIT = 10.0
"""Standard deviations at which normalised numbers are cut."""
EPSILON = 1e-8
_CONSTANT = 1e-7
"""Deviation over mean at or below which a number has always been the same; float32 tells no finer."""


class Moments(nn.Module):
    """Mean and variance `[...]` of all rows so far, in double precision."""

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(shape, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    def add(self, rows: NDArray[np.floating]) -> None:
        """Add rows `[B, ...]` (Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm", 1979)."""
        new = torch.from_numpy(np.asarray(rows, np.float64)).to(self.mean.device)
        if len(new) == 0:
            return
        total, old_share = self.count + len(new), self.count / (self.count + len(new))
        difference = new.mean(0) - self.mean
        self.variance.copy_(
            old_share * self.variance
            + (1 - old_share) * new.var(0, unbiased=False)
            + old_share * (1 - old_share) * difference**2
        )
        self.mean += (1 - old_share) * difference
        self.count.copy_(total)


class ObservationNormaliser(nn.Module):
    """Brings the numbers of observations to mean 0 and deviation 1; pictures are left as they are.

    A number that has always been the same is 0, whatever it comes to be later: nothing was learned of it.
    """

    def __init__(self, parts: Mapping[str, Observed]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({name: Moments(part.shape) for name, part in parts.items() if not part.is_image})

    def forward(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = dict(observations)
        for name, moments in self.parts.items():
            assert isinstance(moments, Moments)
            if name in found:
                known = moments.variance > (_CONSTANT * moments.mean) ** 2
                scale = (known * torch.rsqrt(moments.variance + EPSILON)).float()
                found[name] = ((found[name] - moments.mean.float()) * scale).clamp(-LIMIT, LIMIT)
        return found

    def add(self, observations: Mapping[str, NDArray[np.floating]]) -> None:
        """Add observations `[B, ...]` by part."""
        for name, moments in self.parts.items():
            assert isinstance(moments, Moments)
            moments.add(observations[name])
