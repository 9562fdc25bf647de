"""The agent of a run's checkpoint, ready to play."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rlplat import registry
from rlplat.config import RunConfig, load_config
from rlplat.environments.resolve import Environment, game_of, resolve
from rlplat.interfaces import Agent, Arrays, Policy
from rlplat.runs.arrays import load_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE, CheckpointStore
from rlplat.runs.folder import RunFolder

if TYPE_CHECKING:
    from rlplat.search.game import Game


@dataclass(frozen=True)
class CheckpointName:
    """What `RUN@STEP` or `RUN@STEP:SIMULATIONS` names: who plays, and how long it thinks."""

    run: str
    """Folder of the run as written; empty: the run that the name is found in."""
    checkpoint: str
    """`latest`, `best` or a step."""
    num_simulations: int | None
    """Per move; 0: the network alone; None: as in self-play."""

    @classmethod
    def parse(cls, text: str) -> CheckpointName | None:
        """Read a name; None if it is none."""
        found = re.fullmatch(r"(.*)@([^@:]+)(?::([0-9]{1,9}))?", text)
        if found is None:
            return None
        run, checkpoint, simulations = found.groups()
        return cls(run, checkpoint, None if simulations is None else int(simulations))

    def __str__(self) -> str:
        return f"{self.run}@{self.checkpoint}" + ("" if self.num_simulations is None else f":{self.num_simulations}")


@dataclass(frozen=True)
class Trained:
    """A checkpoint and the objects that its run's configuration names."""

    run: RunFolder
    config: RunConfig
    env: Environment
    agent: Agent
    step: int
    """Updates of the learner at the checkpoint."""
    weights: Arrays

    @property
    def game(self) -> Game:
        """What is played. RunError if it is a task."""
        return game_of(self.env)

    def make_policy(self, *, num_simulations: int | None, seed: int) -> Policy:
        """The policy; `num_simulations` is per move, 0: the network alone, None: as in self-play."""
        return self.agent.make_policy(self.weights, num_simulations=num_simulations, seed=seed)


def load_trained(run_path: Path, checkpoint: str, *, trust: Sequence[str] = ()) -> Trained:
    """Load a checkpoint of a run: `latest`, `best` or a step. The run may be in training meanwhile.

    Raises RunError, ConfigError, RegistryError or CheckpointError: no run, one of content that is not trusted, or no
    such checkpoint.
    """
    run = RunFolder.open(run_path)
    config = load_config(run.config_path, trust=trust)
    found = CheckpointStore(run.checkpoints_path, keep=config.training.keep_checkpoints).resolve(checkpoint)
    env = resolve(config.env.id, trust=trust).load(**config.env.parameters)
    agent = registry.resolve(config.agent.id, kind="agent", trust=trust)(config, env)
    return Trained(run, config, env, agent, found.step, load_arrays(found.path / WEIGHTS_FILE))
