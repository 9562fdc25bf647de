"""A robot in SeedlingTransplant as an executor: a script of the task, or what a run has learned there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envs.farm.day.transplants import Transplanted, Tray
from envs.farm.seedlings.env import Outcome
from envs.farm.seedlings.players import ENVIRONMENT, PLAYERS, Player, SkillPlayer, transplant
from envs.farm.seedlings.settings import PLANT, SeedlingSettings
from envs.robots.settings import read_settings
from rlplat.environments.resolve import resolve
from rlplat.errors import ConfigError
from rlplat.evaluation.trained import CheckpointName
from rlplat.interfaces import EnvSpec
from rlplat.problems import suggestion

SIDE_BY_SIDE = 16
"""Trays at a time."""
_CHECKPOINT = "checkpoint:"


class SkillExecutor:
    """Lets a player of SeedlingTransplant work on trays in MuJoCo, several side by side."""

    def __init__(self, skill: str, parameters: Mapping[str, Any]) -> None:
        """`skill` is one of `PLAYERS` or `checkpoint:RUN@STEP`; `parameters` are those of SeedlingTransplant.

        They come on top of what the player asks for: for a run its own, but on all cells of the tray. Raises
        ConfigError: no such skill, a run of another task, a level at which nothing is planted; RunError and the like:
        no such run.
        """
        self.skill, self.player = skill, _player(skill)
        self.parameters = {**self.player.settings, "positions": "all", **parameters}
        self._check_what_is_seen()
        self.settings: SeedlingSettings = read_settings("SeedlingTransplant", SeedlingSettings, self.parameters)
        if self.settings.level < PLANT:
            raise ConfigError(
                f"FarmDay: skill {skill!r} works at level {self.settings.level} of SeedlingTransplant, where nothing "
                f"is planted; it must be {PLANT} or above: set transplant.level, or name another run"
            )

    def transplant(self, trays: Sequence[Tray]) -> list[list[Transplanted]]:
        """Return what became of each seedling of each tray."""
        found = []
        for begin in range(0, len(trays), SIDE_BY_SIDE):
            together = trays[begin : begin + SIDE_BY_SIDE]
            seeds, seedlings = [tray.seed for tray in together], [tray.seedlings for tray in together]
            session = transplant(self.player, seeds, trays=seedlings, **self.parameters)
            found += [_handled(*each) for each in zip(session.outcomes, session.seconds, strict=True)]
        return found

    def _check_what_is_seen(self) -> None:
        """Raise ConfigError: parameters by which the player would see other things than it knows."""
        definition = resolve(f"envs.farm:{ENVIRONMENT}")
        known, found = (definition.load(**each).spec for each in (self.player.settings, self.parameters))
        if known.group("policy") != found.group("policy"):
            raise ConfigError(
                f"FarmDay: skill {self.skill!r} sees {_seen(known)}; with transplant it would see {_seen(found)}: "
                "leave out what concerns pictures there"
            )


def _seen(spec: EnvSpec) -> str:
    return ", ".join(f"{name} {list(part.shape)}" for name, part in spec.group("policy").items())


def _player(skill: str) -> Player:
    if not skill.startswith(_CHECKPOINT):
        if skill not in PLAYERS:
            known = suggestion(skill, sorted(PLAYERS))
            raise ConfigError(f"FarmDay: {skill!r} is no skill{known}; or name a run: checkpoint:RUN@latest")
        return PLAYERS[skill]()
    name = CheckpointName.parse(skill.removeprefix(_CHECKPOINT))
    if name is None or not name.run:
        raise ConfigError(f"FarmDay: skill {skill!r} names no checkpoint; write it as in checkpoint:runs/skill@latest")
    return SkillPlayer(Path(name.run), name.checkpoint)


def _handled(outcomes: Sequence[Outcome], seconds: float) -> list[Transplanted]:
    """Return what became of a tray's seedlings, in their order."""
    each_s = float(seconds) / max(1, sum(outcome.seedling.is_good for outcome in outcomes))
    found = []
    for outcome in outcomes:
        planted = outcome.planted_in is not None and outcome.lost is None
        lost = outcome.lost or ("astray" if outcome.lifted and not planted else None)
        offset_mm = 1000 * outcome.off_m if planted and outcome.off_m is not None else math.nan
        time_s = each_s if outcome.seedling.is_good else 0.0
        found.append(Transplanted(planted, lost, outcome.strain, offset_mm, time_s))
    return found
