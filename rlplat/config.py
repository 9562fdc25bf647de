"""The configuration of a run: its models, and how they are loaded, overridden, checked and saved.

A configuration is a YAML file. Each agent brings the model of its own part (a subclass of `AgentConfig`), which the
registry finds under `agent.id`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from rlplat import registry
from rlplat.errors import ConfigError, RegistryError
from rlplat.hardware import num_cores
from rlplat.problems import describe, found
from rlplat.yaml_files import parse_yaml, read_yaml, yaml_text

TRAINING_SPLIT = "training"
"""Name of the conditions that a task is trained under, among those of its evaluation."""

Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]


class ConfigModel(BaseModel):
    """Base of every part of a configuration: frozen, no unknown keys, no silent conversion of types.

    A whole number passes for a number and a list for a tuple; nothing else is converted. The text below a field is
    its description.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _lists_become_tuples(cls, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(cls._lists_become_tuples(item) for item in value)
        return value


class EnvConfig(ConfigModel):
    """What is learned: a game or a task."""

    id: str
    """A game: the name of a shipped one (`connect_four`), or one of one's own: `my_games:Nim`, or a header
    `my_games/nim.hpp`. Or a task: the id of a Gymnasium environment (`CartPole-v1`), behind the module that registers
    it if it is not Gymnasium's own."""
    parameters: dict[str, Any] = {}
    """Of a game numbers, such as `rows: 6`; of a task what its environment is made with. The others keep their
    defaults."""

    @property
    def is_game(self) -> bool:
        """Whether a game is learned, and not a task."""
        return registry.env_kind(self.id) == "game"


class AgentConfig(ConfigModel):
    """What every agent's configuration has. An agent's `Config` is a subclass of it."""

    id: str
    """Name of a shipped agent (`alphazero`), or `module:Attribute` of one's own."""


class TrainingConfig(ConfigModel):
    """How long a run lasts, and what it writes. The first budget that is spent ends the run."""

    max_updates: Count | None = None
    """Updates of the learner, at least 1; null: no limit. The budget that makes runs comparable."""
    max_amount: Count | None = None
    """New data: positions (games) or steps (robots), at least 1; null: no limit."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Wall-clock minutes, above 0; null: no limit. It ends a run and drives no schedule: speed changes no result."""
    checkpoint_every: Count = 500
    """Updates between checkpoints. 500 are a minute or two on two cores: that much work a crash may cost."""
    keep_checkpoints: Count = 3
    """Newest checkpoints that are kept, besides the best and those in evaluation. Three leave two to go back to when
    one is broken."""
    log_every: Count = 20
    """Updates between rows of metrics. 20 average out the noise of single batches and give smooth curves."""
    records_every: CountOrZero = 500
    """Updates between written records of games or episodes; 0: none. As often as checkpoints, so each has a sample."""

    @model_validator(mode="after")
    def _some_budget(self) -> TrainingConfig:
        if self.max_updates is None and self.max_amount is None and self.max_minutes is None:
            raise ValueError("the run would never end; set at least one of max_updates, max_amount, max_minutes")
        return self


class EvaluationConfig(ConfigModel):
    """Matches against fixed opponents, or episodes of a task beside baselines, during training and at its end."""

    every: CountOrZero = 0
    """Updates between evaluations; 0: only at the end. Evaluations take cores from training, so they are asked for."""
    against: tuple[str, ...] = ("random",)
    """Opponents, such as `random` or `mcts:1000` (search by random rollouts with that many simulations a move). Of a
    task, baselines that make the same episodes: `random`, `zero`, and `expert` where there is one."""
    num_games: Count = 100
    """Games against each opponent in an evaluation during training; even, as each opening is played from both sides.
    100 tell scores apart that differ by about 0.1."""
    num_simulations: CountOrZero | None = None
    """Simulations a move of the agent; 0: the network alone; null: as in self-play."""
    opening_plies: CountOrZero = 2
    """Random moves before each game, at least 0. Two make the games differ and seldom decide them."""
    final_num_games: CountOrZero = 400
    """Games against each opponent at the end, even; 0: no evaluation. 400 give intervals of about +-0.05."""
    splits: dict[str, dict[str, Any]] = {}
    """Of a task: other conditions in which agent and baselines are evaluated too, at the end and by `rlplat evaluate`.
    By name: what each changes of `env.parameters`, as in `{crowded: {randomisation: {num_distractors: 4}}}`."""
    num_videos: CountOrZero = 0
    """Of a task: episodes at the end that are filmed, so many that succeeded and as many that failed; 0: none."""
    num_episodes: Count = 20
    """Episodes of a task in an evaluation during training, always the same ones. 20 tell a policy that fails now and
    then from one that does not."""
    final_num_episodes: CountOrZero = 100
    """Episodes at the end; 0: no evaluation. 100 give intervals of about +-0.1 of a share of successes."""
    rival_num_games: CountOrZero = 10
    """Games against the best checkpoint so far in an evaluation during training, even; 0: none. They count for the
    rating alone, and link checkpoints where all opponents are beaten. 10 take about 1 % of the time of a run of
    `connect_four_quick` (1.5 s of processor time an evaluation, beside 5.6 s for the 120 games against opponents)."""
    anchor: str | None = None
    """The opponent whose rating is 0; null: the last of `against`. Lists of opponents go from weak to strong, and the
    differences to one who always loses, as `random` soon does, are known least."""

    @field_validator("num_games", "final_num_games", "rival_num_games")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("it must be even, as each opening is played from both sides")
        return value

    @field_validator("splits")
    @classmethod
    def _named(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name in value:
            if name == TRAINING_SPLIT or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(
                    f"the name {name!r} must be of lower-case letters, digits and _, and not '{TRAINING_SPLIT}', which "
                    "is env.parameters as they are"
                )
        return value

    @model_validator(mode="after")
    def _anchor_plays(self) -> EvaluationConfig:
        if self.anchor is not None and self.anchor not in self.against:
            raise ValueError(f"anchor is '{self.anchor}'; it must be one of against: {', '.join(self.against)}")
        return self


class PlacementConfig(ConfigModel):
    """Where the parts of a run live. It changes the speed of a run, not what is computed."""

    mode: Literal["ray", "inline"] = "ray"
    """`ray`: processes of their own; `inline`: everything in one process, step by step, repeatable bit by bit."""
    num_actors: Count | None = None
    """Actors that make data, at least 1; null: one per core that this process may use."""
    threads_per_actor: Count = 1
    """Threads of one actor. One, as more actors use more cores just as well and wait less for each other."""
    num_learners: Count = 1
    """Processes that train one network together, at least 1; each takes its share of every batch. More than one pay on
    as many GPUs; on the CPU one process uses all cores as well."""
    learner_threads: Count | None = None
    """Threads of each process of the learner on the CPU, at least 1; null: the library's choice."""
    learner_gpu: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The learner's share where it and the actors have one GPU together, between 0 and 1. Ray counts it; the GPU itself
    serves whoever asks. With more GPUs the learner has its own."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks run; `auto`: a GPU where there is one that works. `cuda` fails where there is none."""
    address: str | None = None
    """Address of a running Ray cluster; null: start Ray on this machine and stop it at the end."""
    object_store_mib: Annotated[int, Field(ge=80)] = 256
    """Shared memory of a locally started Ray, in MiB, at least 80 (Ray's minimum is 75 MB). Batches of games and
    weights on their way take some tens."""
    most_silence_s: Annotated[float, Field(ge=5)] = 3600.0
    """Seconds, at least 5, after which a process on Ray that says nothing counts as hung and is replaced, whatever its
    calls took before. Ten times its longest call, and half a minute at least (a learner: five minutes), is enough once
    calls were measured; this is the limit of the first ones (a learner's: a quarter of an hour). An hour, as an
    evaluation may take that long."""

    @model_validator(mode="after")
    def _one_process_has_one_learner(self) -> PlacementConfig:
        if self.mode == "inline" and self.num_learners > 1:
            raise ValueError(
                f"num_learners is {self.num_learners} and mode is 'inline', which is one process: set num_learners to "
                "1, or mode to ray"
            )
        return self

    def resolve_num_actors(self) -> int:
        """Return the number of actors: as configured, or one per core."""
        return self.num_actors if self.num_actors is not None else max(1, num_cores())


class RunConfig(ConfigModel):
    """All that defines a run."""

    name: str
    """Name of the run and of its folder; by default the file's name without its ending."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Start of every random generator, 0 to 2147483647. Fixed, so that a run can be repeated."""
    env: EnvConfig
    """The environment."""
    agent: SerializeAsAny[AgentConfig]
    """The agent: its own subclass of `AgentConfig`."""
    training: TrainingConfig
    """Budgets and intervals."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Matches against baselines."""
    placement: PlacementConfig = PlacementConfig()
    """Processes, threads, devices."""

    @field_validator("name")
    @classmethod
    def _name_is_a_folder(cls, value: str) -> str:
        if (
            not value
            or len(value) > 100
            or value.startswith(".")
            or any(c in "/\\" or not c.isprintable() for c in value)
        ):
            raise ValueError("it names a folder: 1 to 100 characters without / and \\, not beginning with a dot")
        return value


def load_config(path: str | Path, overrides: Sequence[str] = (), *, trust: Sequence[str] = ()) -> RunConfig:
    """Read a configuration, apply overrides such as `agent.search.c_init=1.5`, and check all of it.

    Imports the agent (only from the checkout, or from a package that is trusted: see `rlplat.registry`), not the
    environment. Raises ConfigError, which names every problem in a line of its own.
    """
    path = Path(path)
    data = {"name": path.stem, **read_yaml(path)}
    made = _apply(data, parse_overrides(*overrides))
    config, problems = _validate(data, trust)
    if config is None or problems:
        raise ConfigError("\n".join(f"{_origin(place, path, made)}: {text}" for place, text in problems))
    return config


def parse_overrides(*texts: str) -> dict[str, Any]:
    """Return dotted key -> value for texts such as `training.max_updates=500`; values are YAML. The last one wins."""
    changes: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise ConfigError(f"-o {text}: an override must look like agent.search.c_init=1.5")
        try:
            changes[key.strip()] = parse_yaml(value)
        except ConfigError as error:
            raise ConfigError(f"-o {text}: {error}") from error
    return changes


def config_text(config: RunConfig) -> str:
    """Return the whole configuration, defaults included, as YAML that `load_config` reads back equal."""
    return yaml_text(config.model_dump(mode="json"))


def config_hash(config: RunConfig) -> str:
    """Return 16 hexadecimal digits that change with every value but the run's name."""
    canonical = json.dumps(config.model_dump(mode="json", exclude={"name"}), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _apply(data: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, str]:
    """Change `data`; returns what is there because of an override only: dotted place -> key of that override."""
    made: dict[str, str] = {}
    for dotted, value in changes.items():
        *parents, last = dotted.split(".")
        here = data
        for depth, part in enumerate(parents):
            place = ".".join(parents[: depth + 1])
            inner = here.get(part)
            if inner is None:
                inner = here[part] = {}
                made[place] = dotted
            if not isinstance(inner, dict):
                raise ConfigError(f"-o {dotted}=...: {place} is {found(inner)}, which has no keys to override")
            here = inner
        here[last] = value
        made[dotted] = dotted
    return made


def _origin(place: str, path: Path, made: Mapping[str, str]) -> str:
    """Return where the value at `place` came from: the file, or the override that set it or what it lies in."""
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        if override := made.get(".".join(parts[:length])):
            return f"-o {override}"
    return str(path)


def _validate(data: dict[str, Any], trust: Sequence[str]) -> tuple[RunConfig | None, list[tuple[str, str]]]:
    """Return the configuration (None if wrong) and all problems as (dotted place, sentence)."""
    agent, problems = _validate_agent(data.get("agent"), trust)
    config = None
    try:
        config = RunConfig.model_validate({**data, "agent": agent} if agent is not None else data)
    except ValidationError as error:
        # Here an agent is judged by the base class alone: of its part only a missing or wrong id is news.
        ours = () if problems else ("agent", "agent.id")
        problems += [(at, text) for at, text in describe(error, RunConfig) if at.split(".")[0] != "agent" or at in ours]
    return config, problems + _problems_of_env(data.get("env"), trust)


def _problems_of_env(part: Any, trust: Sequence[str]) -> list[tuple[str, str]]:
    if not isinstance(part, dict) or not isinstance(part.get("id"), str):
        return []  # RunConfig says what is wrong
    kind = registry.env_kind(part["id"])
    try:
        registry.locate(part["id"], kind=kind, trust=trust)
    except RegistryError as error:
        return [("env.id", f"env.id: {error}")]
    parameters = part.get("parameters")
    if kind == "task" or not isinstance(parameters, dict):
        return []
    places = {f"env.parameters.{name}": value for name, value in parameters.items()}
    return [
        (place, f"{place} is {found(value)}; it must be a number")
        for place, value in places.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ]


def _validate_agent(part: Any, trust: Sequence[str]) -> tuple[AgentConfig | None, list[tuple[str, str]]]:
    if not isinstance(part, dict) or not isinstance(part.get("id"), str):
        return None, []  # RunConfig says what is wrong
    try:
        agent = registry.resolve(part["id"], kind="agent", trust=trust)
    except RegistryError as error:
        return None, [("agent.id", f"agent.id: {error}")]
    model: type[AgentConfig] = agent.Config
    try:
        return model.model_validate(part), []
    except ValidationError as error:
        return None, describe(error, model, at=("agent",))
