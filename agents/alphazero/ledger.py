"""What updates found, added up on the device: the host waits for it once per turn, not once per update."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rlplat.errors import DivergedError
from rlplat.interfaces import Metrics

MAX_SKIPPED_IN_A_ROW = 10


class Ledger:
    """Sums of the metrics of updates, and counts of those that were skipped because they were not finite.

    Args:
        names: of the metrics. An update is finite if all of them are.
        device: where they come up.
    """

    def __init__(self, names: tuple[str, ...], device: torch.device) -> None:
        self._names = names
        # Sums over the kept updates, the terms of the last skipped one, kept, skipped, in a row now, longest row.
        self._sums, self._last = torch.zeros(2, len(names), device=device)
        self._counts = torch.zeros(4, device=device)
        self.num_skipped = 0
        """Updates that were skipped, up to the last `read`."""
        self.num_skipped_in_a_row = 0

    def restore(self, num_skipped: int, num_skipped_in_a_row: int) -> None:
        """Go on from these counts."""
        self.num_skipped, self.num_skipped_in_a_row = num_skipped, num_skipped_in_a_row
        self._counts[2] = num_skipped_in_a_row

    def add(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Enter one update; returns whether it is to be skipped: bool, on the device."""
        row = torch.stack([terms[name].detach() for name in self._names])
        finite = row.isfinite().all()
        self._sums += torch.where(finite, row, 0.0)
        self._last = torch.where(finite, self._last, row)
        kept, skipped, in_a_row, longest = self._counts
        in_a_row = torch.where(finite, 0.0, in_a_row + 1.0)
        self._counts = torch.stack([kept + finite, skipped + ~finite, in_a_row, torch.maximum(longest, in_a_row)])
        return ~finite

    def read(self, learning_rate: float) -> Metrics:
        """Wait for the updates since the last call and return the means over those that were kept; empty if none were.

        DivergedError if ten in a row were skipped; `learning_rate` is named in it.
        """
        numbers = torch.cat([self._counts, self._sums, self._last]).tolist()
        (kept, skipped, in_a_row, longest), values = numbers[:4], numbers[4:]
        sums, last = values[: len(self._names)], dict(zip(self._names, values[len(self._names) :], strict=True))
        self.num_skipped += int(skipped)
        self.num_skipped_in_a_row = int(in_a_row)
        self._sums.zero_()
        self._counts = torch.tensor([0.0, 0.0, in_a_row, 0.0]).to(self._counts.device, non_blocking=True)
        if longest >= MAX_SKIPPED_IN_A_ROW:
            raise DivergedError(
                f"{int(longest)} updates in a row were skipped: loss {last['loss/total']}, gradient norm "
                f"{last['optimizer/gradient_norm']}, learning rate {learning_rate:g}. The training has diverged; begin "
                "from an earlier checkpoint (--init-from RUN/checkpoints/STEP) with a lower "
                "agent.training.learning_rate"
            )
        return {name: total / kept for name, total in zip(self._names, sums, strict=True)} if kept else {}
