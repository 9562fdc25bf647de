"""Opponents by name: `random`, `mcts:1000`, or a baseline of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlplat import registry
from rlplat.errors import RegistryError
from rlplat.interfaces import Policy

if TYPE_CHECKING:
    from rlplat.environments.resolve import Environment


@dataclass(frozen=True)
class Opponent:
    """An opponent by name, such as `mcts:1000`: a baseline and its argument."""

    name: str
    baseline: Any
    """What the registry found: callable with (argument, game or task, seed), returns a policy."""
    argument: str | None

    def make_policy(self, env: Environment, seed: int) -> Policy:
        """Build the opponent; raises RegistryError for an argument or an environment that the baseline refuses.

        A baseline is for games alone unless its attribute `kinds` says otherwise: some of `game` and `task`.
        """
        kind, kinds = registry.env_kind(env.name), getattr(self.baseline, "kinds", ("game",))
        if kind not in kinds:
            other = (
                "random or zero, and expert where the environment has one" if kind == "task" else "random or mcts:1000"
            )
            raise RegistryError(
                f"opponent '{self.name}' is for {' and '.join(kinds)}s; {env.name} is a {kind}: name {other}"
            )
        policy = self.baseline(self.argument, env, seed)
        if not isinstance(policy, Policy):
            raise RegistryError(f"opponent '{self.name}': {type(policy).__name__} is no policy: it has no method act")
        return policy


def parse_opponent(name: str, *, trust: Sequence[str] = ()) -> Opponent:
    """Find the baseline of `random`, `mcts:1000` or `my_players.hex:BASELINE:argument` (a dotted module: one's own).

    Raises RegistryError for an unknown name.
    """
    baseline, colon, argument = name.partition(":")
    if "." in baseline:
        attribute, colon, argument = argument.partition(":")
        baseline = f"{baseline}:{attribute}"
    found = registry.resolve(baseline, kind="baseline", trust=trust)
    return Opponent(name, found, argument if colon else None)
