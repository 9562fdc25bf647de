"""What a day of FarmDay earns and costs, and what its days bring together. Arrays `[N]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.farm.day.nursery import Transplants
from envs.farm.day.settings import FarmDaySettings
from envs.farm.growth.integrator import Array
from envs.farm.spacing.accounts import TERMS, Season, SpacingAccounts
from envs.farm.spacing.plant_bench import Work

FARM_TERMS = (*TERMS, "robot")


def farm_terms(accounts: SpacingAccounts, settings: FarmDaySettings, work: Work, done: Transplants) -> dict[str, Array]:
    """Return the reward's terms, EUR for the whole bench."""
    money = settings.money
    return accounts.terms(work) | {
        "plugs": -money.plug_eur * done.taken,
        "operations": -money.operation_eur * (work.moves + work.harvested),
        "robot": -money.robot_eur_per_h / 3600 * done.robot_s,
    }


@dataclass(frozen=True)
class FarmSeason(Season):
    """What farms brought after the days in which they filled."""

    planted: Array
    """Seedlings that came to stand, of those that were asked for."""
    lost: Array
    """Seedlings for each that was asked for."""
    poor: Array
    """Poor seedlings, of the planted."""
    strain: Array
    """Of a planted seedling, mean."""
    robot_s: Array
    """For each seedling that was asked for."""


def farm_season(season: Season, totals: dict[str, Array]) -> FarmSeason:
    """Return the season of farms by that of their benches and by the sums of costs and amounts over its days."""
    asked, planted = np.maximum(totals["planted"] + totals["missing"], 1), np.maximum(totals["planted"], 1)
    shares: dict[str, Any] = {
        "planted": totals["planted"] / asked,
        "lost": totals["lost"] / asked,
        "poor": totals["poor"] / planted,
        "strain": totals["strain"] / planted,
        "robot_s": totals["robot_s"] / asked,
    }
    return FarmSeason(**vars(season), **shares)
