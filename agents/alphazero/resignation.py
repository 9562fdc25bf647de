"""When players of self-play resign: as early as few enough of those games would not have been lost.

Some games are played on whatever their players think of them. They tell how often resigning at a value would have been
wrong (Silver et al. 2017, "Mastering the game of Go without human knowledge", Methods, "Self-play").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rlplat.interfaces import Arrays, Metrics
from rlplat.search.self_play import NEVER

VALUES = np.linspace(-0.8, -0.99, 20, dtype=np.float32)
"""From which to choose: [V], from the earliest resignation to the latest."""
REMEMBERED = 500
"""Games played on, the newest, that decide."""
FEWEST_RESIGNED = 20
"""Of these that must have been resigned at a value before it is used."""
STATE = "resignation"

NO, RIGHTLY, WRONGLY = 0, 1, 2
"""What a game says of a value: nobody resigns, who resigns first loses, or does not."""

Verdicts = npt.NDArray[np.uint8]


class Resignation:
    """Chooses the value at which players resign.

    Args:
        errors: the largest share of resigned games that would not have been lost.
    """

    def __init__(self, errors: float) -> None:
        self._errors = errors
        self._verdicts: Verdicts = np.empty((0, len(VALUES)), np.uint8)
        self.value = NEVER

    def learn(self, arrays: Arrays) -> Metrics:
        """Take in records of finished games, and choose the value anew.

        Counters, of the value as it was: `resigned_games`; of the games played on `would_resign` and `resign_errors`.
        """
        found = verdicts(arrays)
        chosen = np.flatnonzero(np.float32(self.value) == VALUES)
        of_value = found[:, chosen[0]] if len(chosen) else np.zeros(len(found), np.uint8)
        counters = {
            "resigned_games": float(np.count_nonzero(arrays["resigned"])),
            "would_resign": float(np.count_nonzero(of_value)),
            "resign_errors": float(np.count_nonzero(of_value == WRONGLY)),
        }
        self._verdicts = np.concatenate([self._verdicts, found])[-REMEMBERED:]
        self.value = self._choose()
        return counters

    def get_state(self) -> Arrays:
        return {STATE: self._verdicts}

    def set_state(self, state: Arrays) -> None:
        self._verdicts = state.get(STATE, self._verdicts)
        self.value = self._choose()

    def _choose(self) -> float:
        wrong = (self._verdicts == WRONGLY).sum(0)
        resigned = wrong + (self._verdicts == RIGHTLY).sum(0)
        fit = (resigned >= FEWEST_RESIGNED) & (wrong <= self._errors * resigned)
        return float(VALUES[np.argmax(fit)]) if fit.any() else NEVER


def verdicts(arrays: Arrays) -> Verdicts:
    """What each game that was played on says of each of `VALUES`: `[G, V]`."""
    found = []
    ends = np.cumsum(arrays["num_positions"])
    for index in np.flatnonzero(arrays["played_on"]):
        begin = ends[index] - arrays["num_positions"][index] + arrays["opening_plies"][index]
        values, players = (arrays[name][begin : ends[index]] for name in ("root_value", "player"))
        resigns = values[:, None] <= VALUES  # [positions, V]
        outcome = np.where(players == 0, 1, -1) * arrays["outcome"][index]
        first = resigns.argmax(0)
        verdict = np.where(outcome[first] < 0, RIGHTLY, WRONGLY)
        found.append(np.where(resigns.any(0), verdict, NO))
    return np.array(found, np.uint8).reshape(-1, len(VALUES))
