"""AlphaZero for two-player zero-sum games."""

from agents.alphazero.agent import AlphaZero as AGENT

__all__ = ["AGENT"]
