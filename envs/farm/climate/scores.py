"""Scores of LettuceClimate's controllers and of runs: `python -m envs.farm.scores climate --help`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from envs.farm.climate.controllers import Controller, Nothing, Outcome, Rule, SetPoints, play, search_set_points
from envs.farm.climate.lettuce_climate import LettuceClimateVector
from envs.farm.climate.predictive_control import PredictiveControl
from envs.farm.score_tables import header, interval, line, named, share_of_gap
from envs.farm.trained import add_runs, add_seed, episodes_of_run, seeds_of_evaluation

COLUMNS = ("controller", "reward, EUR m-2", "profit, EUR m-2", "C h", "% h", "ppm h", "dry weight, g m-2")
_VIOLATIONS = ("temperature_c_h", "humidity_percent_h", "co2_excess_ppm_h")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    known = ["nothing", "rule", "setpoints", "mpc"]
    parser.add_argument("--controllers", nargs="+", choices=known, default=["nothing", "rule", "setpoints"])
    add_runs(parser)
    add_seed(parser)
    parser.add_argument("--search", action="store_true", help="search the set-points on training weather instead")
    parser.add_argument("--seeds", type=int, default=20, help="episodes, one seed each (default 20)")
    parser.add_argument("--weather", choices=["training", "test"], default="test")
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
    print(f"{arguments.seeds} seeds of {arguments.weather} weather, prices of {arguments.prices}, 95 % intervals")
    print(*header(COLUMNS), sep="\n")
    found: dict[str, Outcome] = {}
    for name, privileged, outcome in outcomes(arguments):
        found[name] = outcome
        print(row(name, privileged, outcome), flush=True)
    if {"setpoints", "mpc"} <= found.keys():
        bounds = found["setpoints"].reward, found["mpc"].reward
        for name in arguments.runs:
            print(f"from setpoints to mpc, {name} comes {share_of_gap(found[name].reward, *bounds)} of the way")


def outcomes(arguments: argparse.Namespace) -> Iterator[tuple[str, bool, Outcome]]:
    """Play what is asked for: its name, whether it sees what a policy may not, and what came of it."""
    set_points = SetPoints(*arguments.setpoints) if arguments.setpoints else SetPoints()
    controllers: dict[str, Controller] = {
        "nothing": Nothing(),
        "rule": Rule(),
        "setpoints": set_points,
        "mpc": PredictiveControl(arguments.horizon_h, arguments.replan_h, nominal=set_points),
    }
    for name in arguments.controllers:
        yield name, controllers[name].privileged, _play(controllers[name], arguments)
    for path in arguments.runs:
        changes = {"weather": arguments.weather, "prices": arguments.prices}
        episodes = episodes_of_run(path, arguments.seeds, changes, arguments.seed)
        yield path, False, Outcome(episodes.returns, episodes.measures)


def row(name: str, privileged: bool, outcome: Outcome) -> str:
    """Return a line of the table of scores."""
    measures = outcome.measures
    costs = [f"{np.mean(measures[cost]):.0f}" for cost in _VIOLATIONS]
    weight = f"{np.mean(measures['dry_weight_g_per_m2']):.0f}"
    profit = interval(measures["profit_eur_per_m2"])
    return line([named(name, privileged), interval(outcome.reward), profit, *costs, weight])


def _play(controller: Controller, arguments: argparse.Namespace) -> Outcome:
    """Play a controller on all seeds: side by side, or one after the other where it plans for one greenhouse."""
    seeds = seeds_of_evaluation(arguments.seeds, arguments.seed)
    settings = {"weather": arguments.weather, "prices": arguments.prices}
    if not isinstance(controller, PredictiveControl):
        return play(LettuceClimateVector(len(seeds), **settings), controller, seeds)
    each = [play(LettuceClimateVector(1, **settings), controller, [seed]) for seed in seeds]
    return Outcome(
        np.concatenate([one.reward for one in each]),
        {name: np.concatenate([one.measures[name] for one in each]) for name in each[0].measures},
    )
