"""Draws the seedlings of a tray."""

from __future__ import annotations

import math

import numpy as np

from envs.farm.seedlings.layout import cells
from envs.farm.seedlings.seedling import Seedling
from envs.farm.seedlings.settings import PLANT, SeedlingSettings

GOOD_SIZE, GOOD_QUALITY = (0.85, 1.15), (0.8, 1.0)
LOOSE_N = 0.3
"""What holds a plug that does not stick: the walls of its cell keep it upright."""
POOR_SIZE, POOR_QUALITY = (0.45, 0.7), (0.0, 0.25)


def draw_seedlings(generator: np.random.Generator, settings: SeedlingSettings) -> list[Seedling]:
    """Return good seedlings, then poor ones, in different cells of those that `positions` allows."""
    places = cells(settings.positions)
    chosen = generator.choice(len(places), settings.num_good + settings.num_bad, replace=False)
    seedlings = []
    for number, cell in enumerate(chosen):
        is_good = number < settings.num_good
        size = generator.uniform(*(GOOD_SIZE if is_good else POOR_SIZE))
        quality = generator.uniform(*(GOOD_QUALITY if is_good else POOR_QUALITY))
        adhesion = math.exp(generator.uniform(*np.log(settings.adhesion_n)))
        if settings.level < PLANT:
            adhesion = LOOSE_N
        row, column = places[int(cell)]
        seedlings.append(Seedling(row, column, size, quality, adhesion))
    return seedlings
