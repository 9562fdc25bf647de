"""Scores of GreenhouseSpacing's policies: `python -m envs.farm.scores spacing --help`."""

from __future__ import annotations

import argparse

import numpy as np

from envs.farm.score_tables import header, interval, line, named
from envs.farm.spacing_policies import SHIPPED, Policy, Season, play, shipped
from envs.farm.spacing_search import as_yaml, search_all

FIRST_SEED = 1_000_000
"""No seed of the search."""
NAMES = ("nothing", "random_operations", "random_schedule", "fixed", "two_stages", "three_stages", "hold_lai")
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
    parser.add_argument("--search", action="store_true", help=f"search schedules and write {SHIPPED.name} instead")
    parser.add_argument("--seeds", type=int, default=20, help="episodes, one seed each (default 20)")


def run(arguments: argparse.Namespace) -> None:
    """Search, or print scores as a table."""
    if arguments.search:
        SHIPPED.write_text(as_yaml(search_all(progress=lambda text: print(text, flush=True))), "utf-8")
        print(f"written: {SHIPPED}")
        return
    print(f"{arguments.seeds} seeds, days 40 to 120, 95 % intervals")
    print(*header(COLUMNS), sep="\n")
    policies = shipped()
    for name in arguments.policies:
        season = play(policies[name], range(FIRST_SEED, FIRST_SEED + arguments.seeds))
        print(row(name, policies[name], season), flush=True)


def row(name: str, policy: Policy, season: Season) -> str:
    """Return a line of the table of scores."""
    means = [f"{np.mean(getattr(season, what)):.2f}" for what in ("moves", "heads_per_m2_year", "kg_per_m2_year")]
    means += [f"{np.mean(getattr(season, what)):.2f}" for what in ("g_per_mol", "kwh_per_kg")]
    means += [f"{100 * np.mean(season.below_spec):.1f} %", f"{np.mean(season.damaged):.3f}"]
    return line([named(name, policy.privileged), interval(season.area_days), interval(season.profit), *means])
