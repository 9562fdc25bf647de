"""Makes the executor that FarmDay's settings name."""

from __future__ import annotations

from envs.farm.day.settings import FarmDaySettings
from envs.farm.day.transplant_skill import SkillExecutor
from envs.farm.day.transplant_table import TableExecutor, load_outcomes
from envs.farm.day.transplants import Executor


def make_executor(settings: FarmDaySettings) -> Executor:
    """Return the executor. Raises ConfigError: outcomes or a skill that do not serve, each with what does."""
    if settings.executor == "model":
        return TableExecutor(load_outcomes(settings.outcomes))
    return SkillExecutor(settings.skill, settings.transplant)
