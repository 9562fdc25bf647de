"""A batch of simulations in which one that goes wrong harms no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import Batch, SimulationError
from numpy.typing import NDArray

Ids = NDArray[np.intp]
Flags = NDArray[np.bool_]

_LOST = slice(mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQACC + 1)
"""What MuJoCo warns of when a number (`qpos`, `qvel`, `qacc`) is not finite, or larger than mjMAXVAL."""
STAGE = int(mujoco.mjtStage.mjSTAGE_VEL)
"""After a step poses and sensors are current."""


class Physics:
    """Steps simulations; those that leave the numbers below mjMAXVAL are put back to where they were before."""

    def __init__(self, model: mujoco.MjModel, num: int, num_threads: int, unstable_folder: Path | None) -> None:
        # Else MuJoCo sets a simulation that went wrong to its start, with its warnings, which so cannot be counted.
        model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        # An MjData for each simulation lets poses be computed after a step at no
        # price: the next step goes on from them.
        self.batch = Batch(model, num, num_threads, persistent=True)
        self.num_unstable = 0
        """Steps that had to be taken back."""
        self._folder = unstable_folder
        self._everyone = np.arange(num)
        self._before = np.empty_like(self.batch.state)
        self._warned = self.batch.warning[:, _LOST, 1]
        """How often each of them was warned of, live."""

    def step(self, ids: Ids, num_steps: int) -> Flags:
        """Advance simulations, and make poses and sensors current; return where that went wrong [N]."""
        batch = self.batch
        self._before[:] = batch.state
        warned = self._warned.copy()
        failed = np.zeros(batch.nsim, dtype=bool)
        try:
            batch.step(None if len(ids) == batch.nsim else ids, num_steps, STAGE)
        except SimulationError as error:
            failed[error.ids] = True
        if not np.abs(batch.state).max() < mujoco.mjMAXVAL:  # also for NaN
            failed |= ~(np.abs(batch.state) < mujoco.mjMAXVAL).all(axis=1)
        if (self._warned != warned).any():
            failed |= (self._warned > warned).any(axis=1)
        if failed.any():
            failed &= np.isin(self._everyone, ids)  # one that went wrong before and was not begun anew stays so
            self._take_back(np.flatnonzero(failed))
        return failed

    def refresh(self, ids: Ids) -> None:
        """Make poses and sensors follow a state that was written."""
        self.batch.forward(ids, int(mujoco.mjtStage.mjSTAGE_VEL))

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the states [N, S] (mjSTATE_INTEGRATION) and the counter."""
        return {"state": self.batch.state.copy(), "num_unstable": np.array(self.num_unstable)}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        self.batch.state[:] = snapshot["state"]
        self.num_unstable = int(snapshot["num_unstable"])
        self.refresh(self._everyone)

    def _take_back(self, ids: Ids) -> None:
        for simulation in ids:
            self.num_unstable += 1
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                np.savez(
                    self._folder / f"unstable_{self.num_unstable:04d}.npz",
                    state=self._before[simulation],  # as of mjSTATE_INTEGRATION
                    ctrl=self.batch.ctrl[simulation],
                )
        controls = self.batch.ctrl[ids] * 0
        self.batch.state[ids] = self._before[ids]
        self.batch.ctrl[ids] = controls
        self.batch.bind("qacc_warmstart")[ids] = 0
        self.refresh(ids)
