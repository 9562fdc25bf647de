"""AlphaZero that writes down the number of every game that it learns from: none can count twice unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from agents.alphazero.agent import AlphaZero
from agents.alphazero.learner import AlphaZeroLearner
from rlplat.interfaces import Arrays, Summary

LEDGER_FILE = "ledger.npy"


class LedgerLearner(AlphaZeroLearner):
    """Keeps the ledger in its checkpoints, and goes back with them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ledger: list[np.ndarray[Any, Any]] = []

    def ingest(self, arrays: Arrays, summary: Summary) -> None:
        self._ledger.append(arrays["game_number"].copy())
        super().ingest(arrays, summary)

    def save(self, folder: Path) -> None:
        super().save(folder)
        np.save(folder / LEDGER_FILE, np.concatenate([*self._ledger, np.empty(0, np.int64)]))

    def load(self, folder: Path) -> None:
        super().load(folder)
        self._ledger = [np.load(folder / LEDGER_FILE)]


class Ledger(AlphaZero):
    """The agent."""

    def make_learner(self, *, inline: bool) -> LedgerLearner:
        placement = self._run.placement
        return LedgerLearner(
            self._config,
            self._game,
            seed=self._run.seed,
            device=placement.device,
            num_threads=placement.learner_threads,
            synchronous=inline,
        )
