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
"""Of these that must have been resigned at a value before it is used; and of those that show how often it errs."""
JUDGED = 50
"""Games that would have been resigned at the value of their time, the newest, whose share of errors is shown."""
STATE, JUDGED_STATE = "resignation", "resignation/judged"

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
        self._judged: Verdicts = np.empty(0, np.uint8)
        self.value = NEVER

    def learn(self, arrays: Arrays) -> Metrics:
        """Take in records of finished games, and choose the value anew.

        Counters: `resigned_games` among these records; `would_resign`, so many of the newest games played on that would
        have been resigned at the value as it was then (0 while they are too few to tell), and `resign_errors` of them.
        """
        found = verdicts(arrays)
        chosen = np.flatnonzero(np.float32(self.value) == VALUES)
        if len(chosen):
            of_value = found[:, chosen[0]]
            self._judged = np.concatenate([self._judged, of_value[of_value != NO]])[-JUDGED:]
        judged = self._judged if len(self._judged) >= FEWEST_RESIGNED else self._judged[:0]
        counters = {
            "resigned_games": float(np.count_nonzero(arrays["resigned"])),
            "would_resign": float(len(judged)),
            "resign_errors": float(np.count_nonzero(judged == WRONGLY)),
        }
        self._verdicts = np.concatenate([self._verdicts, found])[-REMEMBERED:]
        self.value = self._choose()
        return counters

    def get_state(self) -> Arrays:
        return {STATE: self._verdicts, JUDGED_STATE: self._judged}

    def set_state(self, state: Arrays) -> None:
        self._verdicts = state.get(STATE, self._verdicts)
        self._judged = state.get(JUDGED_STATE, self._judged)
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
