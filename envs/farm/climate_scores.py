"""Scores of LettuceClimate's controllers: `python -m envs.farm.scores climate --help`."""

from __future__ import annotations

import argparse

import numpy as np

from envs.farm.climate_accounts import PENALTIES
from envs.farm.climate_controllers import Controller, Nothing, Rule, Season, SetPoints, play, search_set_points
from envs.farm.lettuce_climate import LettuceClimateVector
from envs.farm.predictive_control import PredictiveControl
from envs.farm.score_tables import header, interval, line, named

FIRST_SEED = {"training": 0, "test": 1_000_000}
COLUMNS = ("controller", "reward, EUR m-2", "profit, EUR m-2", "C h", "% h", "ppm h", "dry weight, g m-2")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    known = ["nothing", "rule", "setpoints", "mpc"]
    parser.add_argument("--controllers", nargs="+", choices=known, default=["nothing", "rule", "setpoints"])
    parser.add_argument("--search", action="store_true", help="search the set-points on training weather instead")
    parser.add_argument("--seeds", type=int, default=20, help="episodes, one seed each (default 20)")
    parser.add_argument("--weather", choices=list(FIRST_SEED), default="test")
    parser.add_argument("--prices", choices=["1994", "2025"], default="1994")
    parser.add_argument("--setpoints", nargs=4, type=float, metavar=("DAY_C", "NIGHT_C", "VENT_PERCENT", "CO2_PPM"))
    parser.add_argument("--horizon-h", type=int, default=6, help="of predictive control, hours (default 6)")
    parser.add_argument("--replan-h", type=int, default=1, help="of predictive control, hours (default 1)")


def run(arguments: argparse.Namespace) -> None:
    """Search, or print scores as a table."""
    if arguments.search:
        seeds, settings = range(arguments.seeds), {"weather": "training", "prices": arguments.prices}
        best, mean = search_set_points(seeds, settings, progress=lambda done, of: print(f"{done} of {of}", flush=True))
        print(f"{best}: mean reward {mean:.3f} EUR m-2 over {len(seeds)} training seeds")
        return
    set_points = SetPoints(*arguments.setpoints) if arguments.setpoints else SetPoints()
    controllers: dict[str, Controller] = {
        "nothing": Nothing(),
        "rule": Rule(),
        "setpoints": set_points,
        "mpc": PredictiveControl(arguments.horizon_h, arguments.replan_h, nominal=set_points),
    }
    print(f"{arguments.seeds} seeds of {arguments.weather} weather, prices of {arguments.prices}, 95 % intervals")
    print(*header(COLUMNS), sep="\n")
    for name in arguments.controllers:
        print(row(name, controllers[name], season_of(controllers[name], arguments)), flush=True)


def row(name: str, controller: Controller, season: Season) -> str:
    """Return a line of the table of scores."""
    costs = [f"{np.mean(season.costs[cost]):.0f}" for cost in PENALTIES]
    weight = f"{np.mean(season.dry_weight_g_per_m2):.0f}"
    return line([named(name, controller.privileged), interval(season.reward), interval(season.profit), *costs, weight])


def season_of(controller: Controller, arguments: argparse.Namespace) -> Season:
    """Play a controller on all seeds: side by side, or one after the other where it plans for one greenhouse."""
    first = FIRST_SEED[arguments.weather]
    seeds = range(first, first + arguments.seeds)
    settings = {"weather": arguments.weather, "prices": arguments.prices}
    if not isinstance(controller, PredictiveControl):
        return play(LettuceClimateVector(len(seeds), **settings), controller, seeds)
    seasons = [play(LettuceClimateVector(1, **settings), controller, [seed]) for seed in seeds]
    return Season(
        np.concatenate([season.reward for season in seasons]),
        np.concatenate([season.profit for season in seasons]),
        {cost: np.concatenate([season.costs[cost] for season in seasons]) for cost in PENALTIES},
        np.concatenate([season.dry_weight_g_per_m2 for season in seasons]),
    )
