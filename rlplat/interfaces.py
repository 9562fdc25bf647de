"""The contracts between the engine and what is plugged into it.

`rlplat` calls these; `agents` and `envs` fulfil them. Axes: B batch, A actions, C planes, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from rlplat.config import RunConfig
    from rlplat.training.team import Team

Arrays = dict[str, np.ndarray[Any, Any]]
"""Named arrays: what collectors return, learners publish, and checkpoints hold."""

Metrics = dict[str, float]


@dataclass(frozen=True)
class Observed:
    """One part of an observation."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def is_image(self) -> bool:
        """Bytes `[H, W, C]`."""
        return self.dtype == "uint8" and len(self.shape) == 3


@dataclass(frozen=True)
class Discrete:
    """Actions 0 to `num_actions - 1`."""

    num_actions: int


@dataclass(frozen=True)
class Continuous:
    """Actions that are arrays of numbers, each from `low` to `high`, which may be infinite."""

    shape: tuple[int, ...]
    low: tuple[float, ...]
    """One number per element of an action, flattened."""
    high: tuple[float, ...]


@dataclass(frozen=True)
class Choices:
    """Actions that are arrays of whole numbers, each from 0 to below its own size."""

    shape: tuple[int, ...]
    sizes: tuple[int, ...]
    """One number per element of an action, flattened."""

    @property
    def period(self) -> int:
        """After how many sizes they repeat themselves, so often that all are made of it."""
        whole = len(self.sizes)
        return next(p for p in range(1, whole + 1) if whole % p == 0 and self.sizes[:p] * (whole // p) == self.sizes)


Actions = Discrete | Choices | Continuous


@dataclass(frozen=True)
class EnvSpec:
    """What an agent must know of an environment to build its networks."""

    name: str
    observations: Mapping[str, Observed]
    """By group, or by group and name where a group has several parts: `policy/camera`. `policy` is what the policy may
    see, `privileged` what only teachers and critics may; `action_mask` is 1 where an action is allowed: of choices each
    number of each element in turn, or of as many elements as repeat themselves."""
    actions: Actions
    frame_stack: int = 1
    """Pictures that one of a part with pictures consists of, one behind the other along the last axis, the newest
    last; before the first one of an episode it always looked so."""

    def group(self, name: str) -> dict[str, Observed]:
        """The parts of a group, by their whole names; empty if there is no such group."""
        return {part: what for part, what in self.observations.items() if part.partition("/")[0] == name}

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of a game: planes `[C, H, W]`."""
        return self.observations["policy"].shape

    @property
    def num_actions(self) -> int:
        """Of a game, or another environment with discrete actions."""
        if not isinstance(self.actions, Discrete):
            raise TypeError(f"{self.name} has {type(self.actions).__name__.lower()} actions")
        return self.actions.num_actions


def board_spec(name: str, plane_shape: tuple[int, int, int], num_actions: int) -> EnvSpec:
    """What a game shows: planes of one shape `[C, H, W]`, and a fixed number of actions."""
    return EnvSpec(name, {"policy": Observed(plane_shape)}, Discrete(num_actions))


@dataclass(frozen=True)
class Demand:
    """What a learner wants next."""

    amount: int
    """New data that one call of a collector shall bring, in the agent's unit (positions or steps); 0: wait for me."""
    min_version: int = 0
    """Data made with older weights than this published version is not handed to the learner. For learners that bear
    some lag; with synchronous rounds there is none."""
    synchronous: bool = False
    """True: rounds of one call of every collector. None starts before all batches of the last round were ingested and
    the turn of the learner is over, so every call of a round has the newest weights; what on-policy learners want."""


@dataclass(frozen=True)
class Collected:
    """What one call of `Collector.collect` brought."""

    arrays: Arrays
    summary: Summary


@dataclass(frozen=True)
class Summary:
    """The small part of `Collected`, which travels to the loop; the arrays go to the learner only."""

    amount: int
    """New data in the agent's unit."""
    episodes: int
    """Games or episodes that ended."""
    weights_version: int
    seconds: float
    """Wall-clock duration of the call, in seconds."""
    metrics: Metrics = field(default_factory=dict)
    """Counters: the loop adds them up over calls and hands the sums to `Agent.summarise`."""
    records: Sequence[str] = ()
    """Some of the episodes in a form that people read."""
    stages: Metrics = field(default_factory=dict)
    """What `seconds` went to, in seconds by stage: `search`, `inference`, ... Around the call its host adds `transport`
    (new weights) and `wait`."""
    collector: int = 0
    """Number of the collector; its host fills it in."""


@dataclass(frozen=True)
class Progress:
    """How far a learner is."""

    updates: int
    amount: int
    """Data ingested, in the agent's unit."""
    episodes: int
    version: int
    """The newest published version of the weights."""
    owed: int
    """Updates that the replay-ratio governor allows now and that are still to be made."""


@runtime_checkable
class Collector(Protocol):
    """Makes data. Lives on an actor; is called from one thread."""

    def set_weights(self, version: int, weights: Arrays) -> None: ...

    def collect(self, demand: Demand) -> Collected: ...

    def get_state(self) -> Arrays:
        """All that is needed to go on from here. Drops what is not kept (search trees, caches) in this collector too,
        so that a resumed run equals an unbroken one.
        """
        ...

    def set_state(self, state: Arrays) -> None: ...


@runtime_checkable
class Learner(Protocol):
    """Owns the data and the networks that are trained. Is called from one thread."""

    def demand(self) -> Demand: ...

    def ingest(self, arrays: Arrays, summary: Summary) -> None: ...

    def update(self, max_updates: int) -> Metrics:
        """Make at most `max_updates` of the updates that are owed; the metrics are means over them (empty if none).

        Names such as `timing/draw` are seconds per update that went to another stage than learning.
        """
        ...

    def progress(self) -> Progress: ...

    def publish(self) -> Arrays:
        """The weights that collectors and evaluators use, as named arrays; advances `progress().version`."""
        ...

    def publish_due(self) -> bool: ...

    def save(self, folder: Path) -> None:
        """Write everything needed to continue into an existing, empty folder."""
        ...

    def load(self, folder: Path) -> None: ...

    def initialise(self, weights: Arrays) -> None:
        """Start from published weights of another run."""
        ...


@runtime_checkable
class Policy(Protocol):
    """Acts: in evaluation, in play, in export.

    Of a task it is given observations as arrays by part (`EnvSpec.observations`), without those that are privileged.

    An opponent that needs longer openings than others (one that solves positions) says so by an attribute
    `opening_plies`: matches against it begin after at least so many random moves. One that can say what it thinks of
    positions does so by a method `analyse(states, num_simulations=None) -> rlplat.search.analysis.Analysis` (None: as
    it was made), and is shown in pictures. With a method `refine(state, num_simulations, until)` as well, which yields
    such analyses until `until()` is true, it plays by the clock and can be stopped. One that looks at places in
    pictures has them marked in films by a method `feature_points(observations) -> {part: array [B, P, 2]}`: x and y
    from -1 to 1, rightwards and downwards.
    """

    def act(self, states: Any) -> np.ndarray[Any, Any]:
        """Choose one action for each of `B` states: int64 `[B]`, or numbers `[B, ...]` where actions are continuous."""
        ...


@runtime_checkable
class Agent(Protocol):
    """One folder under `agents/`: binds a configuration to an environment and makes the four parts."""

    unit: str
    """What is counted as data: `positions`, `steps`."""

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> Collector:
        """Collector `index` of `num_collectors`. `generation` counts those that were lost and replaced at that index:
        each makes data of its own.
        """
        ...

    def make_learner(self, *, inline: bool) -> Learner: ...

    def make_policy(self, weights: Arrays, *, num_simulations: int | None, seed: int) -> Policy: ...

    def summarise(self, counters: Metrics, elapsed_s: float) -> Metrics:
        """Turn the summed counters of all collectors, as they came in during `elapsed_s` seconds, into metrics."""
        ...

    def view(self, metrics: Metrics) -> tuple[Metrics, Metrics]:
        """What the console shows of the metrics, by short names: rates per second, and other measures."""
        ...

    def remedies(self) -> Mapping[str, str]:
        """What makes a stage take less time, by stage (`search`, `inference`, `learn`, ...; `transport`: of weights;
        `calls`: too many small ones): settings of this agent, as the end of a sentence: `lower agent.x`.
        """
        ...

    def metrics_layout(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """TensorBoard's custom layout: category -> chart -> exact metric names.

        The charts of a category `first` stand at the top, after the scores and before the waiting times of the engine;
        docs/watching.md tells how to read them.
        """
        ...


@runtime_checkable
class TeamAgent(Protocol):
    """An agent whose learner can be several processes: what it offers besides an `Agent`.

    One of them, the leader, is the learner: it alone holds data, saves and publishes. It works with the others through
    the team, which ends with the leader.
    """

    def make_learner(self, *, inline: bool, team: Team | None = None) -> Learner: ...

    def follow(self, team: Team) -> None:
        """Work for the leader in a process of its own until the team ends."""
        ...


@runtime_checkable
class DiagnosingAgent(Protocol):
    """An agent that can tell a run that learns nothing worth learning: what it offers besides an `Agent`."""

    def ailments(self, metrics: Metrics) -> Mapping[str, str]:
        """What is wrong, by name: a sentence with the figures and what to change; empty for a healthy run.

        `metrics` are means over several rows of a run's metrics; in a row not every metric need be there.
        """
        ...


@runtime_checkable
class ReplayingAgent(Protocol):
    """An agent that knows beforehand what its replay takes: what it offers besides an `Agent`."""

    @property
    def replay_bytes(self) -> int:
        """Memory, and about as much of a checkpoint, when it is full."""
        ...


@runtime_checkable
class Simulator(Protocol):
    """Environments of a task that can be asked what would be: what they offer to teachers and planners.

    N simulations, T decisions, A numbers of an action, S of a state.
    """

    def snapshot(self) -> Arrays:
        """All that is needed to go on from here, also in other environments with the same settings."""
        ...

    def restore(self, snapshot: Arrays) -> None: ...

    def rollout(self, actions: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Costs `[N, T]`, negative rewards, and states `[N, T + 1, S]`, the first of which is now, of actions
        `[N, T, A]`. All stays where it is; after the end of an episode nothing moves and nothing costs.
        """
        ...

    def linearise(
        self, states: np.ndarray[Any, Any], actions: np.ndarray[Any, Any]
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Derivatives `[N, S, S]` and `[N, S, A]` of the state after a decision, by the state `[N, S]` before it and by
        its action `[N, A]`.
        """
        ...


class AgentType(Protocol):
    """An agent's class: `Config` is the pydantic model of its part of a configuration."""

    Config: type[Any]

    def __call__(self, config: RunConfig, env: Any) -> Agent: ...
