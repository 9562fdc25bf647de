"""Scores of LettuceClimate's controllers: `python -m envs.farm.scores --help`.

python -m envs.farm.scores --search                         # the best set-points of the grid on 20 training seeds
python -m envs.farm.scores --controllers nothing rule       # on 20 seeds of test weather
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from envs.farm.climate_accounts import PENALTIES
from envs.farm.climate_controllers import Controller, Nothing, Rule, Season, SetPoints, play, search_set_points
from envs.farm.integrator import Array
from envs.farm.lettuce_climate import LettuceClimateVector
from envs.farm.predictive_control import PredictiveControl

FIRST_SEED = {"training": 0, "test": 1_000_000}


def interval(values: Array) -> str:
    """Return the mean of `[N]` with its 95 % interval (Student's t)."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"


def row(name: str, controller: Controller, season: Season) -> str:
    """Return a line of the table of scores."""
    marked = f"{name} (privileged)" if controller.privileged else name
    costs = " | ".join(f"{np.mean(season.costs[cost]):.0f}" for cost in PENALTIES)
    weight = np.mean(season.dry_weight_g_per_m2)
    return f"| {marked} | {interval(season.reward)} | {interval(season.profit)} | {costs} | {weight:.0f} |"


def season_of(name: str, controller: Controller, arguments: argparse.Namespace) -> Season:
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


def main(words: Sequence[str] | None = None) -> None:
    """Print scores as the rows of a table."""
    known = ["nothing", "rule", "setpoints", "mpc"]
    parser = argparse.ArgumentParser(prog="python -m envs.farm.scores", description="Scores of LettuceClimate.")
    parser.add_argument("--controllers", nargs="+", choices=known, default=["nothing", "rule", "setpoints"])
    parser.add_argument("--search", action="store_true", help="search the set-points on training weather instead")
    parser.add_argument("--seeds", type=int, default=20, help="episodes, one seed each (default 20)")
    parser.add_argument("--weather", choices=list(FIRST_SEED), default="test")
    parser.add_argument("--prices", choices=["1994", "2025"], default="1994")
    parser.add_argument("--setpoints", nargs=4, type=float, metavar=("DAY_C", "NIGHT_C", "VENT_PERCENT", "CO2_PPM"))
    parser.add_argument("--horizon-h", type=int, default=6, help="of predictive control, hours (default 6)")
    parser.add_argument("--replan-h", type=int, default=1, help="of predictive control, hours (default 1)")
    arguments = parser.parse_args(words)
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
    print("| controller | reward, EUR m-2 | profit, EUR m-2 | C h | % h | ppm h | dry weight, g m-2 |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.controllers:
        print(row(name, controllers[name], season_of(name, controllers[name], arguments)), flush=True)


if __name__ == "__main__":
    main()
