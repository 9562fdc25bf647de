"""Scores of GreenhouseSpacing's policies and of runs: `python -m envs.farm.scores spacing --help`."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from envs.farm.growth.integrator import Array
from envs.farm.score_tables import header, interval, line, named
from envs.farm.spacing.accounts import Season
from envs.farm.spacing.policies import SHIPPED, play, shipped
from envs.farm.spacing.search import EqualMoves, as_yaml, search_all
from envs.farm.spacing.settings import Money, SpacingSettings
from envs.farm.trained import add_runs, add_seed, episodes_of_run, seeds_of_evaluation
from rlplat.errors import ConfigError

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
    parser.add_argument(
        "--equal-moves",
        action="store_true",
        help="below each run, the best of all three stages that make no more moves for a head on the same seeds",
    )
    parser.add_argument("--search", action="store_true", help=f"search schedules and write {SHIPPED.name} instead")
    parser.add_argument("--seeds", type=int, default=20, help="episodes, one seed each (default 20)")
    usual = SpacingSettings()
    parser.add_argument(
        "--days", type=int, default=usual.num_days, help=f"of an episode, above --from-day (default {usual.num_days})"
    )
    parser.add_argument(
        "--from-day",
        type=int,
        default=usual.filling_days,
        metavar="DAY",
        help=f"after which days count; benches are empty on day 0 (default {usual.filling_days}: when they are full)",
    )
    price_eur = usual.money.operation_eur
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
    if arguments.equal_moves and not arguments.runs:
        raise ConfigError("--equal-moves compares runs with three stages, but no run is named; add --runs RUN")
    price_eur, policies = arguments.operation_eur, shipped()
    settings = {
        "num_days": arguments.days,
        "filling_days": arguments.from_day,
        "money": {**Money().model_dump(), "operation_eur": price_eur},
    }
    days = f"days {arguments.from_day} to {arguments.days}"
    print(f"{arguments.seeds} seeds, {days}, {price_eur:g} EUR an operation, 95 % intervals")
    print(*header(COLUMNS), sep="\n")
    seeds = seeds_of_evaluation(arguments.seeds, arguments.seed)
    for name in arguments.policies:
        print(row(name, policies[name].privileged, play(policies[name], seeds, **settings)), flush=True)
    all_stages = None
    if arguments.equal_moves:
        all_stages = EqualMoves(progress=lambda text: print(text, file=sys.stderr, flush=True), **settings)
    for path in arguments.runs:
        season = Season(**episodes_of_run(path, arguments.seeds, settings, arguments.seed).measures)
        print(row(path, False, season), flush=True)
        if all_stages is not None:
            print(row_of_equal_moves(all_stages.best(season.moves_per_head.mean(), seeds)), flush=True)


def row_of_equal_moves(found: tuple[Array, Season] | None) -> str:
    """Return a line for the best three stages that make no more moves than the run above."""
    if found is None:
        return line(["no three stages make so few moves", *"-" * (len(COLUMNS) - 1)])
    densities, season = found
    return row("three stages of " + ", ".join(f"{per_m2:g}" for per_m2 in densities), False, season)


def row(name: str, privileged: bool, season: Season) -> str:
    """Return a line of the table of scores."""
    shown = ("moves_per_head", "heads_per_m2_year", "kg_per_m2_year", "g_per_mol", "kwh_per_kg")
    means = [f"{np.mean(getattr(season, what)):.2f}" for what in shown]
    means += [f"{100 * np.mean(season.below_spec):.1f} %", f"{np.mean(season.damaged_per_head):.3f}"]
    figures = interval(season.area_days_per_head), interval(season.profit_eur_per_m2_day)
    return line([named(name, privileged), *figures, *means])
