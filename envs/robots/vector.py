"""Robot tasks as Gymnasium environments: N simulations that are stepped together, and start anew each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs.robots import task as robot_tasks
from envs.robots.decisions import Decisions, Outcome
from envs.robots.episodes import Episodes
from envs.robots.lookahead import Lookahead
from envs.robots.observing import Observations, Observer
from envs.robots.physics import Flags, Ids, Physics
from envs.robots.pictures import drawing
from envs.robots.settings import read_settings
from rlplat.errors import ConfigError, EnvError
from rlplat.interfaces import Arrays

Actions = NDArray[np.floating[Any]]
Step = tuple[Observations, NDArray[np.float64], Flags, Flags, dict[str, Any]]


class RobotVectorEnv(VectorEnv[Observations, Actions, NDArray[Any]]):
    """`num_envs` simulations of a task.

    Simulation i of a vector seeded with s lives through the same as a single one seeded with s + i. Actions are
    clipped to [-1, 1]. `infos` hold arrays [N]: `reward_terms` (their sum is the reward), `measures`, `success`,
    `unstable` (the physics left the finite numbers: that control step is taken back without a reward, the episode is
    truncated), and where an episode begins `randomisation`, what was drawn for it.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012  (Gymnasium's)

    def __init__(
        self,
        num_envs: int = 1,
        *,
        task: str | type[robot_tasks.Task],
        num_threads: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        """Take the task's `Settings` by name. Raises ConfigError, SceneError: what cannot be used or drawn.

        `task` is the name of a file below `tasks/`, or a class.
        """
        kind = robot_tasks.load(task) if isinstance(task, str) else task
        self.settings = read_settings(kind.__name__, kind.Settings, settings)
        self.num_envs, self.render_mode = num_envs, render_mode
        if render_mode not in (None, "rgb_array"):
            raise ConfigError(f"{kind.__name__}: render_mode is {render_mode!r}; it must be 'rgb_array' or none")
        model = robot_tasks.compile_scene(kind, self.settings)
        self.physics = Physics(model, num_envs, num_threads, self.settings.unstable_folder)
        self.task = kind(self.physics.batch, self.settings)
        self._episodes = Episodes(self.physics, self.task, self.settings)
        self._decisions = Decisions(self.physics, self.task, self._episodes, self.settings)
        self._lookahead = Lookahead(self.physics, self.task, self._episodes, self._decisions)
        self._observer = Observer(self.task, self.settings, num_threads)
        self._show: drawing.Renderer | None = None
        if render_mode:
            self._show = drawing.shown(self.physics.batch, self.settings, num_threads)
        self.decision_s = kind.substeps * model.opt.timestep * self.settings.action_repeat
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = self.metadata | {
            "autoreset_mode": self.autoreset_mode,
            "render_fps": max(1, round(1 / self.decision_s)),
            "frame_stack": self.settings.frame_stack,
        }

        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (self.task.num_actions,), np.float32)
        self.single_observation_space = self._observer.space()
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

        self._everyone, self._nobody = np.arange(num_envs), np.zeros(0, dtype=np.intp)

    @property
    def num_unstable(self) -> int:
        """Steps so far in which a simulation left the finite numbers."""
        return self.physics.num_unstable

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Start episodes: of all, or of those in `options["reset_mask"]`, bool [N].

        A seed (or one for each) determines all that follows; without, the generators go on.
        """
        ids = np.flatnonzero(self._mask((options or {}).get("reset_mask")))
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
        if seeds is not None and len(seeds) != self.num_envs:
            raise EnvError(f"{self._name}: {len(seeds)} seeds are given; it has {self.num_envs} simulations")
        generators = self._episodes.generators or [np_random(None)[0] for _ in range(self.num_envs)]
        for i in ids:
            if seeds is not None and seeds[i] is not None:
                generators[i] = np_random(seeds[i])[0]
        self._episodes.generators = generators
        return self.restart(ids)

    def use_generators(self, generators: Sequence[np.random.Generator]) -> None:
        """Draw from these from now on, one for each simulation."""
        self._episodes.generators = list(generators)

    def restart(self, ids: Ids) -> tuple[Observations, dict[str, Any]]:
        """Start episodes of these simulations; the others stay as they are."""
        infos = self._episodes.begin(ids)
        self._look(ids, ids)
        return self._observe(), infos

    def step(self, actions: Actions) -> Step:
        """Make one decision. Raises EnvError: no reset yet, actions of another shape or that are no numbers."""
        actions = self._checked(actions)
        fresh = np.flatnonzero(self._episodes.over) if self.autoreset_mode == AutoresetMode.NEXT_STEP else self._nobody
        if self._episodes.generators is None or (self._episodes.over.any() and not len(fresh)):
            raise EnvError(f"{self._name}: step() was called before reset(), or after the end of an episode")
        infos = self._episodes.begin(fresh) if len(fresh) else {}
        moving = ~self._episodes.over
        if len(fresh):
            moving[fresh] = False
            actions = np.where(moving[:, None], actions, 0.0)  # what a new episode begins with is no order in it
        outcome = self._decisions.make(actions, moving)
        infos |= self._report(outcome, moving)
        rewards, terminated = outcome.rewards, outcome.terminated
        truncated = (self._episodes.num_steps >= self.task.num_steps) & moving & ~terminated | outcome.unstable
        self._look(self._everyone, fresh)
        observations = self._observe()
        self._episodes.over = terminated | truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and self._episodes.over.any():
            observations, infos = self._begin_in_the_same_step(observations, infos)
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[NDArray[np.uint8], ...]:  # type: ignore[override]
        """Return a picture uint8[256, 256, 3] of each simulation, in full quality."""
        if self._show is None:
            raise EnvError(f"{self._name}: render() needs render_mode='rgb_array'")
        return tuple(self._show.render(self.settings.shown_camera))

    def expert_actions(self) -> NDArray[np.float32]:
        """Return what somebody would do now who sees the whole state, [N, A]."""
        return self.task.expert().astype(np.float32)

    def snapshot(self) -> Arrays:
        """Return all that is needed to go on from here in another vector, generators included."""
        if self._episodes.generators is None:
            raise EnvError(f"{self._name}: snapshot() was called before reset()")
        parts = {"physics": self.physics, "episodes": self._episodes, "seen": self._observer}
        return {f"{part}/{name}": array for part, kept in parts.items() for name, array in kept.snapshot().items()}

    def restore(self, snapshot: Arrays) -> None:
        """Go on from the snapshot of a vector of as many simulations with the same settings."""
        for part, kept in {"episodes": self._episodes, "physics": self.physics, "seen": self._observer}.items():
            begin = f"{part}/"
            kept.restore({name.removeprefix(begin): a for name, a in snapshot.items() if name.startswith(begin)})
        self.task.restored()
        self.physics.refresh(self._everyone)

    def rollout(self, actions: Actions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return costs [N, T], negative rewards, and states [N, T + 1, S] of decisions [N, T, A] from here.

        The simulations stay where they are. After the end of an episode nothing moves and nothing costs.
        """
        actions = np.asarray(actions)
        if actions.ndim != 3:
            raise EnvError(f"{self._name}: rollout takes actions [N, T, A]; these have the shape {list(actions.shape)}")
        each = [self._checked(actions[:, number]) for number in range(actions.shape[1])]
        return self._lookahead.rollout(np.stack(each, axis=1))

    def linearise(self, states: Actions, actions: Actions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the derivatives [N, S, S] and [N, S, A] of one decision from `states` [N, S] by `actions` [N, A].

        In simulation i's world, with whatever else is there as it is; without delays. A quaternion is four numbers
        like others.
        """
        return self._lookahead.linearise(np.asarray(states), self._checked(actions), self.settings.action_repeat)

    @property
    def _name(self) -> str:
        return type(self.task).__name__

    def _report(self, outcome: Outcome, moving: Flags) -> dict[str, Any]:
        """Return what Gymnasium's `infos` say about a decision."""
        reports = {
            "reward_terms": outcome.terms,
            "measures": self.task.measures(),
            "success": self.task.success() & moving & ~outcome.unstable,
            "unstable": outcome.unstable,
        }
        return reports | {f"_{name}": moving for name in reports}

    def _begin_in_the_same_step(
        self, observations: Observations, infos: dict[str, Any]
    ) -> tuple[Observations, dict[str, Any]]:
        """Start anew what is over; return what is seen then, with the end of the episode in `infos`."""
        over = self._episodes.over.copy()
        ends = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(over):
            ends[i] = pick(observations, i)
        begun, drawn = self.restart(np.flatnonzero(over))
        kept = {"final_obs": ends, "_final_obs": over, "final_info": infos, "_final_info": over}
        return begun, infos | drawn | kept

    def _look(self, ids: Ids, fresh: Ids) -> None:
        assert self._episodes.generators is not None
        self._observer.look(ids, fresh, self._episodes.generators)

    def _observe(self) -> Observations:
        return self._observer.observe(self._episodes.delays["observation"])

    def _mask(self, mask: Any) -> Flags:
        if mask is None:
            return np.ones(self.num_envs, dtype=bool)
        if not isinstance(mask, np.ndarray) or mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise EnvError(f"{self._name}: options.reset_mask is {mask!r}; it must be a bool array [{self.num_envs}]")
        return mask

    def _checked(self, actions: Actions) -> Actions:
        shape = (self.num_envs, self.task.num_actions)
        actions = np.asarray(actions, np.float64)
        if actions.shape != shape:
            raise EnvError(f"{self._name}: actions have the shape {list(actions.shape)}; it must be {list(shape)}")
        if not np.isfinite(actions).all():
            i, number = np.argwhere(~np.isfinite(actions))[0]
            raise EnvError(
                f"{self._name}: action {number} of simulation {i} is {actions[i, number]}; it must be a number from "
                "-1 to 1; nothing was moved"
            )
        return actions.clip(-1.0, 1.0)


def pick(values: Any, i: int) -> Any:
    """Return one simulation's part of arrays [N, ...] in nested dictionaries."""
    if isinstance(values, dict):
        return {name: pick(value, i) for name, value in values.items()}
    return values[i]
