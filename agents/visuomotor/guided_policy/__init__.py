"""Guided policies for tasks."""

from agents.visuomotor.guided_policy.agent import GuidedPolicy as AGENT

__all__ = ["AGENT"]
