"""Scores of GreenhouseSpacing's policies and of runs: `python -m envs.farm.scores spacing --help`."""

from __future__ import annotations

import argparse

import numpy as np

from envs.farm.score_tables import header, interval, line, named
from envs.farm.spacing.accounts import STEADY_D, Season
from envs.farm.spacing.policies import SHIPPED, play, shipped
from envs.farm.spacing.search import as_yaml, search_all
from envs.farm.spacing.settings import Money
from envs.farm.trained import add_runs, add_seed, episodes_of_run, seeds_of_evaluation

NAMES = (
    "nothing",
    "random_operations",
    "random_schedule",
    "fixed",
    "two_stages",
    "three_stages",
    "by_weight",
    "hold_lai",
)
COLUMNS = (
    "policy",
    "area-days per head, m2 d",
    "profit, EUR m-2 d-1",
    "moves per head",
    "heads m-2 y-1",
    "kg m-2 y-1",
    "g mol-1",
    "kWh kg-1",
    "below spec",
    "damaged per head",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("--policies", nargs="+", choices=NAMES, default=NAMES)
    add_runs(parser)
    add_seed(parser)
    parser.add_argument("--search", action="store_true", help=f"search schedules and write {SHIPPED.name} instead")
    parser.add_argument("--seeds", type=int, default=20, help="episodes, one seed each (default 20)")
    parser.add_argument("--days", type=int, default=120, help="of an episode, above 40 (default 120)")
    price_eur = Money().operation_eur
    parser.add_argument(
        "--operation-eur",
        type=float,
        default=price_eur,
        metavar="EUR",
        help=f"price of a move, a planting or a harvest, whatever a run was trained with (default {price_eur:g})",
    )


def run(arguments: argparse.Namespace) -> None:
    """Search, or print scores as a table."""
    if arguments.search:
        SHIPPED.write_text(as_yaml(search_all(progress=lambda text: print(text, flush=True))), "utf-8")
        print(f"written: {SHIPPED}")
        return
    price_eur, policies = arguments.operation_eur, shipped()
    settings = {"num_days": arguments.days, "money": {**Money().model_dump(), "operation_eur": price_eur}}
    print(
        f"{arguments.seeds} seeds, days {STEADY_D} to {arguments.days}, {price_eur:g} EUR an operation, 95 % intervals"
    )
    print(*header(COLUMNS), sep="\n")
    for name in arguments.policies:
        season = play(policies[name], seeds_of_evaluation(arguments.seeds, arguments.seed), **settings)
        print(row(name, policies[name].privileged, season), flush=True)
    for path in arguments.runs:
        episodes = episodes_of_run(path, arguments.seeds, settings, arguments.seed)
        print(row(path, False, Season(**episodes.measures)), flush=True)


def row(name: str, privileged: bool, season: Season) -> str:
    """Return a line of the table of scores."""
    shown = ("moves_per_head", "heads_per_m2_year", "kg_per_m2_year", "g_per_mol", "kwh_per_kg")
    means = [f"{np.mean(getattr(season, what)):.2f}" for what in shown]
    means += [f"{100 * np.mean(season.below_spec):.1f} %", f"{np.mean(season.damaged_per_head):.3f}"]
    figures = interval(season.area_days_per_head), interval(season.profit_eur_per_m2_day)
    return line([named(name, privileged), *figures, *means])
