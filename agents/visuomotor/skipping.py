"""Steps of an optimiser whose loss or gradient is not finite: skipped and counted, the first batch kept to be seen."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from rlplat.errors import DivergedError

MAX_SKIPPED_IN_A_ROW = 10
"""Steps that may be skipped one after another because they were not finite. More do not mend themselves."""

_log = logging.getLogger(__name__)


class SkippedSteps:
    """Counts them, and ends the run when there are too many in a row.

    Args:
        name: the environment's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.num_skipped = self.num_in_a_row = 0
        self._kept: Path | None = None

    def went_well(self) -> None:
        """Note a step that was made."""
        self.num_in_a_row = 0

    def skip(self, batch: Mapping[str, Tensor], **found: float) -> None:
        """Note a step that was not made, with the figures found. DivergedError: it is the eleventh in a row."""
        self.num_skipped += 1
        self.num_in_a_row += 1
        self._keep(batch)
        figures = " and ".join(f"the {name.replace('_', ' ')} is {value:g}" for name, value in found.items())
        where = "" if self._kept is None else f" The first such batch is in {self._kept}"
        if self.num_in_a_row > MAX_SKIPPED_IN_A_ROW:
            raise DivergedError(
                f"{figures}, after {MAX_SKIPPED_IN_A_ROW} skipped steps in a row. Lower agent.training.learning_rate, "
                f"or see whether {self._name} gives observations and rewards that are not finite.{where}"
            )
        _log.warning("%s: the step is skipped.%s", figures, where)

    def state(self) -> list[int]:
        """The counts."""
        return [self.num_skipped, self.num_in_a_row]

    def restore(self, state: list[int]) -> None:
        """Go on counting from there."""
        self.num_skipped, self.num_in_a_row = state

    def _keep(self, batch: Mapping[str, Tensor]) -> None:
        """Write the first one to a folder for temporary files: a learner may live far from the run's folder."""
        if self._kept is not None:
            return
        try:
            path = Path(tempfile.mkdtemp(prefix="rlplat-")) / "batch.safetensors"
            safetensors.torch.save_file({name: part.cpu().contiguous() for name, part in batch.items()}, path)
        except OSError as error:
            _log.warning("a batch that is not finite could not be written: %s", error)
        else:
            self._kept = path
