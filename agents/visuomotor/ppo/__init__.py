"""PPO for tasks."""

from agents.visuomotor.ppo.agent import Ppo as AGENT

__all__ = ["AGENT"]
