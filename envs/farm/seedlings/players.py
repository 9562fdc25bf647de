"""Who transplants: an open loop, a machine that sees, the script that knows the state, the agent of a run; and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.farm.seedlings.env import Outcome, SeedlingVector
from envs.farm.seedlings.layout import RAFT_CENTRE_M, TRAY_CENTRE_M, cell_offset, holes
from envs.farm.seedlings.machine import Machine, Observations
from envs.farm.seedlings.seedling import Seedling
from envs.farm.seedlings.trays import COLUMN, ROW
from envs.farm.seedlings.vision import VisionFinder
from envs.robots.task import Array, Flags
from rlplat.environments.spaces import read_observations
from rlplat.errors import ConfigError
from rlplat.evaluation.trained import load_trained

ENVIRONMENT = "rlplat/SeedlingTransplant-v0"


class Player(Protocol):
    """Acts in the benches of a vector."""

    @property
    def privileged(self) -> bool:
        """Whether it knows what a policy may not."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it asks of the environment."""
        ...

    def begin(self, vector: SeedlingVector, observations: Observations) -> None:
        """Start with these benches, whose episodes have begun."""

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the actions [N, 5]; `observations` are arrays by part."""


class ScriptPlayer:
    """Does what the environment's own expert would."""

    privileged = True
    settings: ClassVar[dict[str, Any]] = {"pixels": None}

    def begin(self, vector: SeedlingVector, observations: Observations) -> None:
        """Ask the expert of these benches from now on."""
        self._vector = vector

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the expert's actions."""
        return self._vector.expert_actions()


class RandomPlayer:
    """Acts by chance."""

    privileged = False
    settings: ClassVar[dict[str, Any]] = {"pixels": None}

    def begin(self, vector: SeedlingVector, observations: Observations) -> None:
        """Draw the same for everyone who begins."""
        self._rng, self._shape = np.random.default_rng(0), vector.action_space.shape

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return actions drawn evenly."""
        return self._rng.uniform(-1, 1, self._shape)


class VisionPlayer:
    """A machine that finds seedlings by their colour, with nominal cameras."""

    privileged = False
    settings: ClassVar[dict[str, Any]] = {"pixels": 64}

    def begin(self, vector: SeedlingVector, observations: Observations) -> None:
        """Look at these benches."""
        self._machine = Machine(VisionFinder(vector.settings.num_good), vector.decision_s)
        self._machine.begin(observations)

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the machine's actions."""
        return self._machine.act(observations)


class OpenLoopPlayer:
    """A machine that is told the cells of good seedlings, and takes tray and raft to be where they should."""

    privileged = True
    settings: ClassVar[dict[str, Any]] = {"pixels": None}

    def begin(self, vector: SeedlingVector, observations: Observations) -> None:
        """Read the plan of these trays."""
        self._machine = Machine(_Plan(vector), vector.decision_s)
        self._machine.begin(observations)

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the machine's actions."""
        return self._machine.act(observations)


class SkillPlayer:
    """The agent of a run's checkpoint."""

    privileged = False

    def __init__(self, run: Path, checkpoint: str = "latest", *, trust: Sequence[str] = ()) -> None:
        """Raises ConfigError: a run of another task; RunError and the like: see `load_trained`."""
        trained = load_trained(run, checkpoint, trust=trust)
        definition = getattr(trained.env, "definition", None)
        found = getattr(definition, "gymnasium_id", trained.config.env.id)
        if not found.endswith(ENVIRONMENT):
            raise ConfigError(
                f"{run} has learned {found}, which is no skill of transplanting; name a run of {ENVIRONMENT}"
            )
        self.settings = dict(trained.config.env.parameters)
        self._policy = trained.make_policy(num_simulations=None, seed=0)

    def begin(self, vector: SeedlingVector, observations: Observations) -> None:
        """Remember nothing: it acts by what it sees."""

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the policy's actions."""
        shown = {name: array for name, array in observations.items() if not name.startswith("privileged")}
        return np.asarray(self._policy.act(shown))


@dataclass(frozen=True)
class Session:
    """What a player did in E episodes."""

    outcomes: list[list[Outcome]]
    """Of the seedlings of each."""
    seconds: Array
    """How long each took [E]."""
    success: Flags
    """Which ended as they should [E]."""


def transplant(
    player: Player,
    seeds: Sequence[int],
    *,
    trays: Sequence[Sequence[Seedling]] | None = None,
    **settings: Any,
) -> Session:
    """Play an episode of each seed side by side, with these trays or with drawn ones.

    Settings are those of the environment, beside what the player asks for.
    """
    vector = SeedlingVector(len(seeds), **{**player.settings, **settings})
    space = vector.single_observation_space
    seen, _ = vector.reset(seed=list(seeds), options={"trays": trays})
    observations = read_observations(space, seen)
    player.begin(vector, observations)
    outcomes: list[list[Outcome]] = [[] for _ in seeds]
    steps, success = np.zeros(len(seeds), dtype=int), np.zeros(len(seeds), dtype=bool)
    runs = np.ones(len(seeds), dtype=bool)
    while runs.any():
        vector.task.set_trays([()] * len(seeds))  # benches that are done go on without seedlings
        seen, _, terminated, truncated, infos = vector.step(player.act(observations))
        observations = read_observations(space, seen)
        steps += runs
        ends = (terminated | truncated) & runs
        if ends.any():
            found = vector.outcomes()
            for bench in np.flatnonzero(ends):
                outcomes[bench], success[bench] = found[bench], infos["success"][bench]
        runs &= ~ends
    return Session(outcomes, steps * vector.decision_s, success)


class _Plan:
    """Fulfils `Finder` by what was sown where."""

    def __init__(self, vector: SeedlingVector) -> None:
        trays = vector.task.trays
        self._cells = [
            [cell_offset(*trays.values[bench, number, [ROW, COLUMN]]) for number in np.flatnonzero(good)]
            for bench, good in enumerate(trays.is_good())
        ]
        self._holes = holes(vector.settings.num_good)[::-1]

    def begin(self, observations: Observations) -> None:
        """Take no notice."""

    def look(self, observations: Observations, bench: int, at: Array) -> Array:
        """Return what was taken to be so."""
        return at

    def seedling(self, bench: int, number: int) -> Array | None:
        """Return where a seedling should be."""
        cells = self._cells[bench]
        return TRAY_CENTRE_M + cells[number] if number < len(cells) else None

    def hole(self, bench: int, number: int) -> Array:
        """Return where a hole should be."""
        place: Array = RAFT_CENTRE_M + self._holes[number % len(self._holes)]
        return place


PLAYERS: dict[str, type[Player]] = {
    "random": RandomPlayer,
    "open_loop": OpenLoopPlayer,
    "vision": VisionPlayer,
    "script": ScriptPlayer,
}
