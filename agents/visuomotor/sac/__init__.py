"""SAC for tasks."""

from agents.visuomotor.sac.agent import Sac as AGENT

__all__ = ["AGENT"]
