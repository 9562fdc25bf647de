"""Scores of SeedlingTransplant: `python -m envs.farm.scores seedling --help`.

Episodes are those that `rlplat evaluate` plays at the same seed, so all rows are of the same trays.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from envs.farm.score_tables import header, line, named
from envs.farm.seedlings.players import PLAYERS, Player, Session, SkillPlayer, transplant
from envs.farm.seedlings.settings import LIFT, SORT
from envs.farm.trained import add_runs, add_seed
from rlplat.evaluation.episodes import SIDE_BY_SIDE, episode_seed
from rlplat.evaluation.statistics import score_interval

CONDITIONS: dict[str, dict[str, Any]] = {
    "usual": {},
    "new_positions": {"positions": "new"},
    "camera_moved": {"randomisation": {"camera_position_m": 0.01}},
    "other_light": {"randomisation": {"light": 0.3, "light_direction": 0.3}},
}
"""As in configs/seedling_l2.yaml."""
COLUMNS = (
    "who",
    "conditions",
    "plugs done",
    "lost",
    "damage",
    "poor planted",
    "s per plug",
    "off, mm",
    "done by adhesion, weakest quarter first",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("--players", nargs="*", choices=list(PLAYERS), default=list(PLAYERS))
    add_runs(parser)
    add_seed(parser)
    parser.add_argument("--level", type=int, choices=range(LIFT, SORT + 1), default=2)
    parser.add_argument("--conditions", nargs="+", choices=list(CONDITIONS), default=list(CONDITIONS))
    parser.add_argument("--trays", type=int, default=200, help="episodes of each (default 200)")


def run(arguments: argparse.Namespace) -> None:
    """Print scores as a table."""
    players: dict[str, Player] = {name: PLAYERS[name]() for name in arguments.players}
    players |= {name: SkillPlayer(Path(name)) for name in arguments.runs}
    print(f"level {arguments.level}, {arguments.trays} trays, 95 % intervals")
    print(*header(COLUMNS), sep="\n")
    seeds = [episode_seed(arguments.seed, number) for number in range(arguments.trays)]
    for name, player in players.items():
        for conditions in arguments.conditions:
            settings = {"level": arguments.level, **CONDITIONS[conditions]}
            parts = [
                transplant(player, seeds[at : at + SIDE_BY_SIDE], **settings)
                for at in range(0, len(seeds), SIDE_BY_SIDE)
            ]
            print(row(named(name, player.privileged), conditions, arguments.level, joined(parts)), flush=True)


def joined(parts: list[Session]) -> Session:
    """Return sessions as one."""
    return Session(
        [outcomes for part in parts for outcomes in part.outcomes],
        np.concatenate([part.seconds for part in parts]),
        np.concatenate([part.success for part in parts]),
    )


def row(name: str, conditions: str, level: int, session: Session) -> str:
    """Return a line of the table of scores."""
    each = [
        (outcome, ok) for outcomes, ok in zip(session.outcomes, session.success, strict=True) for outcome in outcomes
    ]
    good = [(outcome, ok) for outcome, ok in each if outcome.seedling.is_good]
    poor = [outcome for outcome, _ in each if not outcome.seedling.is_good]
    done = np.array([ok if level == LIFT else o.planted_in is not None and not o.lost for o, ok in good])
    adhesion = np.array([outcome.seedling.adhesion_n for outcome, _ in good])
    off_mm = [1e3 * outcome.off_m for outcome, _ in good if outcome.off_m is not None]
    quarters = np.array_split(done[np.argsort(adhesion, kind="stable")], 4)
    return line(
        [
            name,
            conditions,
            share(done),
            share(np.array([outcome.lost is not None for outcome, _ in good])),
            f"{np.mean([outcome.damage for outcome, _ in good]):.3f}",
            share(np.array([outcome.planted_in is not None for outcome in poor])) if poor else "none there",
            f"{session.seconds.sum() / done.sum():.1f}" if done.any() else "",
            f"{np.mean(off_mm):.1f}" if off_mm else "",
            ", ".join(f"{100 * quarter.mean():.0f} %" for quarter in quarters) if adhesion.any() else "",
        ]
    )


def share(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> str:
    """Return how many of `[K]` are set, in per cent, with the 95 % interval (Wilson 1927)."""
    found = int(flags.sum())
    low, high = score_interval((0.0, 1.0), (len(flags) - found, found))
    return f"{100 * found / len(flags):.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
