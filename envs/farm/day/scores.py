"""Arms of FarmDay against each other: `python -m envs.farm.scores farm_day --help`.

An arm is a way to transplant: a skill, and the parameters of SeedlingTransplant in which it acts, from a file such as
`arms.yaml`. All arms work on the same farms. What an arm does with trays is recorded first; then its farms are run
with the recorded outcomes (`model`) and with the robot itself (`mujoco`). The difference is the gap: by so much a farm
errs that was planned with the model.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from envs.farm.day.accounts import FarmSeason
from envs.farm.day.record_transplants import record
from envs.farm.day.season import play
from envs.farm.day.transplant_table import load_outcomes, save_outcomes
from envs.farm.score_tables import ends, header, interval, line
from envs.farm.settings import Settings, read_settings
from rlplat.errors import ConfigError
from rlplat.yaml_files import read_yaml

SHIPPED = Path(__file__).parent / "arms.yaml"
FIRST_SEED = 3_000_000
"""No seed of a recording."""
EXECUTORS = ("model", "mujoco")
COLUMNS = (
    "arm",
    "executor",
    "profit, EUR m-2 d-1",
    "heads m-2 y-1",
    "planted of asked for",
    "lost",
    "poor of planted",
    "strain",
    "s per seedling",
)
Seasons = dict[tuple[str, str], FarmSeason]
"""By arm and executor."""


class Arm(Settings):
    """A way to transplant."""

    skill: str
    """As `FarmDaySettings.skill`."""
    transplant: Mapping[str, Any] = {}
    """As `FarmDaySettings.transplant`."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("--arms", type=Path, default=SHIPPED, help="file of arms (default: the shipped one)")
    parser.add_argument("--only", nargs="+", metavar="ARM", help="some of them")
    parser.add_argument("--executors", nargs="+", choices=EXECUTORS, default=EXECUTORS)
    parser.add_argument("--policy", default="three_stages", help="of the days: a schedule, or checkpoint:RUN@latest")
    parser.add_argument("--seeds", type=int, default=10, help="farms, one seed each (default 10)")
    parser.add_argument("--days", type=int, default=120, help="of a farm (default 120)")
    parser.add_argument("--settings", type=yaml.safe_load, default={}, help="others of FarmDay, as YAML")
    parser.add_argument("--trays", type=int, default=200, help="to record of an arm (default 200)")
    parser.add_argument(
        "--outcomes", type=Path, default=Path("outcomes"), help="folder of recordings; what is there is kept"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print what the arms bring, the gap, and who wins."""
    arms, found = read_arms(arguments.arms, arguments.only), {}
    print(f"{arguments.seeds} farms, days 41 to {arguments.days} by {arguments.policy}, 95 % intervals")
    print(*header(COLUMNS), sep="\n")
    for name, arm in arms.items():
        for executor in arguments.executors:
            found[name, executor] = season = _play(name, arm, executor, arguments)
            print(row(name, executor, season), flush=True)
    for table in (gaps(found), contests(found)):
        if len(lines := list(table)) > 2:
            print("", *lines, sep="\n")


def read_arms(path: Path, only: list[str] | None = None) -> dict[str, Arm]:
    """Read arms by name. Raises ConfigError: what is wrong in the file, or a name that is not in it."""
    found = {name: read_settings(Arm, f"{path}: {name}", given) for name, given in read_yaml(path).items()}
    if unknown := set(only or ()) - found.keys():
        raise ConfigError(f"{path} has no arm {', '.join(sorted(unknown))}; it has {', '.join(found)}")
    return {name: arm for name, arm in found.items() if not only or name in only}


def row(name: str, executor: str, season: FarmSeason) -> str:
    """Return a line of the table of arms."""
    shares = [f"{100 * np.mean(getattr(season, what)):.1f} %" for what in ("planted", "lost", "poor")]
    heads, strain, robot_s = (np.mean(getattr(season, what)) for what in ("heads_per_m2_year", "strain", "robot_s"))
    return line(
        [
            name,
            executor,
            interval(season.profit_eur_per_m2_day),
            f"{heads:.1f}",
            *shares,
            f"{strain:.3f}",
            f"{robot_s:.1f}",
        ]
    )


def gaps(seasons: Seasons) -> Iterator[str]:
    """Return the table of what the model errs by, on the same farms."""
    yield from header(("arm", "gap: model less mujoco, EUR m-2 d-1"))
    for (name, executor), season in seasons.items():
        if executor == "model" and (name, "mujoco") in seasons:
            yield line([name, interval(season.profit_eur_per_m2_day - seasons[name, "mujoco"].profit_eur_per_m2_day)])


def contests(seasons: Seasons) -> Iterator[str]:
    """Return the table of every two arms on the same farms: a win is a difference whose interval lacks 0."""
    yield from header(("executor", "arms", "difference, EUR m-2 d-1", "wins"))
    for (one, executor), (other, same) in combinations(seasons, 2):
        if executor == same:
            differences = seasons[one, executor].profit_eur_per_m2_day - seasons[other, executor].profit_eur_per_m2_day
            low, high = ends(differences)
            winner = one if low > 0 else other if high < 0 else "neither"
            yield line([executor, f"{one} less {other}", interval(differences), winner])


def _play(name: str, arm: Arm, executor: str, arguments: argparse.Namespace) -> FarmSeason:
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    settings: dict[str, Any] = {"skill": arm.skill, "transplant": dict(arm.transplant)}
    if executor == "model":
        path = arguments.outcomes / f"{name}.csv"
        _record_once(path, arm, arguments.trays)
        settings = {"outcomes": str(path)}
    return play(arguments.policy, seeds, executor=executor, num_days=arguments.days, **arguments.settings, **settings)


def _record_once(path: Path, arm: Arm, num_trays: int) -> None:
    """Record an arm's outcomes where there are none yet. Raises ConfigError: what is there is of another arm."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_outcomes(path, record(arm.skill, arm.transplant, num_trays))
    there = load_outcomes(str(path))
    differs = {name: value for name, value in arm.transplant.items() if there.parameters.get(name) != value}
    if there.skill != arm.skill or differs:
        raise ConfigError(
            f"{path} was recorded of skill {there.skill} with {there.parameters}; the arm is {arm.skill} with "
            f"{dict(arm.transplant)}: remove the file, or name another folder by --outcomes"
        )
