"""Environments that step together, whatever Gymnasium's mode of beginning new episodes.

Gymnasium leaves it to a vector when a new episode begins (https://farama.org/Vector-Autoreset-Mode). Here a step always
shows both what an episode ended with and what the next one begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from rlplat.environments.spaces import read_observations, write_actions
from rlplat.errors import EnvError
from rlplat.interfaces import Arrays, Simulator

if TYPE_CHECKING:
    from rlplat.environments.task import Task

SUCCESS = ("success", "is_success")
"""Names by which environments report it in `info`."""
MEASURES = "measures"
"""Name in `info` of further numbers about an episode, by name, which its last step shows."""

Curves = Mapping[str, Mapping[str, NDArray[Any]]]
"""Numbers to be drawn: panel -> line -> values. Panels are titles with units."""


@dataclass(frozen=True)
class Step:
    """What a step of N environments brought, K of which ended an episode."""

    observations: Arrays
    """To act on next, `[N, ...]`. Where an episode has ended, they are of the new one, unless the vector only begins it
    with the next step, which then does not count."""
    rewards: NDArray[np.float64]
    """`[N]`"""
    terminated: NDArray[np.bool_]
    """`[N]`: the episode is over, nothing would follow."""
    truncated: NDArray[np.bool_]
    """`[N]`: it was broken off, so what would have followed counts."""
    counts: NDArray[np.bool_]
    """`[N]`: False where the environment took no action, but only began an episode."""
    last_observations: Arrays
    """Of the K episodes that ended, `[K, ...]`, in the order of environments."""
    success: NDArray[np.float64]
    """`[N]`: 1 or 0; nan where the environment says nothing."""
    measures: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """Numbers about the episodes that ended, by name, `[N]`; nan where none ended."""

    @property
    def ended(self) -> NDArray[np.bool_]:
        return self.terminated | self.truncated


class TaskVector:
    """N environments of a task. Close it when done."""

    def __init__(self, task: Task, envs: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        self.task, self.envs = task, envs
        self.num_envs = envs.num_envs
        self._mode = AutoresetMode(envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._begin = np.zeros(self.num_envs, np.bool_)
        """Where the next step only begins an episode."""

    def reset(self, seeds: Sequence[int]) -> Arrays:
        """Begin an episode in each environment, one seed each, which determines all that follows."""
        self._begin[:] = False
        observations, _ = self.envs.reset(seed=list(seeds))  # type: ignore[arg-type]  # a list may be given, too
        return self._read(observations)

    def step(self, actions: NDArray[Any]) -> Step:
        """Act: whole numbers `[N]`, or numbers within the task's bounds `[N, ...]`."""
        # Gymnasium may hand out arrays that it writes into again: all that is kept is copied.
        found, reward, end, cut, infos = self.envs.step(write_actions(self.envs.single_action_space, actions))
        rewards, terminated, truncated = np.array(reward, np.float64), np.array(end, bool), np.array(cut, bool)
        ended, counts = terminated | truncated, ~self._begin
        observations = self._read(found)
        told = infos.get("final_info", {}) if self._mode == AutoresetMode.SAME_STEP else infos
        success, measures = _success_in(told, ended), _measures_in(told, ended)
        if self._mode == AutoresetMode.SAME_STEP:
            last = self._last_of_same_step(infos, ended)
        else:
            last = {part: array[ended] for part, array in observations.items()}
        if self._mode == AutoresetMode.NEXT_STEP:
            self._begin = ended
        elif self._mode == AutoresetMode.DISABLED and ended.any():
            observations = self._read(self.envs.reset(options={"reset_mask": ended})[0])
        return Step(observations, rewards, terminated, truncated, counts, last, success, measures)

    def expert_actions(self) -> NDArray[Any]:
        """What the environment's own expert would do now, as `step` takes it."""
        if not self.task.has_expert:
            raise EnvError(f"{self.task.name} offers no expert: its vector has no method expert_actions()")
        actions: NDArray[Any] = np.asarray(self.envs.expert_actions())  # type: ignore[attr-defined]
        return actions

    @property
    def frames_per_s(self) -> float:
        """At which pictures of the environment go by as in life; 30 where it does not say."""
        return float(self.envs.metadata.get("render_fps") or 30)

    @property
    def step_length(self) -> tuple[float, str]:
        """How long a step is, and in which unit; where the environment does not say, it is the unit."""
        length, unit = self.envs.metadata.get("step") or (1.0, "steps")
        return float(length), str(unit)

    def curves(self) -> Curves:
        """What the environment shows of now as numbers, each `[N]`; nothing, if it names no curves."""
        found: Curves = getattr(self.envs, "curves", dict)()
        return found

    def pictures(self) -> list[NDArray[np.uint8]]:
        """A picture `[H, W, 3]` of each environment, of a vector that draws."""
        frames = self.envs.render()
        if frames is None or len(frames) != self.num_envs:
            raise EnvError(f"{self.task.name} draws no pictures of itself: render() gave {type(frames).__name__}")
        return [np.asarray(frame, np.uint8) for frame in frames]

    @property
    def keeps_state(self) -> bool:
        """Whether it can go on later from where it is: its vector has methods `snapshot` and `restore`."""
        return hasattr(self.envs, "snapshot") and hasattr(self.envs, "restore")

    def snapshot(self) -> Arrays:
        """All that is needed to go on from here in another process, generators included."""
        state: Arrays = {f"envs/{name}": array for name, array in self.envs.snapshot().items()}  # type: ignore[attr-defined]
        return state | {"begin": self._begin.copy()}

    def restore(self, state: Arrays) -> None:
        """Go on from a snapshot."""
        self._begin = state["begin"].copy()
        inner = {name.removeprefix("envs/"): array for name, array in state.items() if name.startswith("envs/")}
        self.envs.restore(inner)  # type: ignore[attr-defined]

    @property
    def simulator(self) -> Simulator:
        """The environments as a simulator, for planners. Raises EnvError: they are none."""
        if not isinstance(self.envs, Simulator):
            raise EnvError(
                f"{self.task.name} is no simulator: its vector lacks one of snapshot, restore, rollout, linearise"
            )
        return self.envs

    def close(self) -> None:
        self.envs.close()

    def _read(self, observations: Any) -> Arrays:
        return read_observations(self.envs.single_observation_space, observations)

    def _last_of_same_step(self, infos: dict[str, Any], ended: NDArray[np.bool_]) -> Arrays:
        space = self.envs.single_observation_space
        if not ended.any():
            return {part: np.empty((0, *what.shape), what.dtype) for part, what in self.task.spec.observations.items()}
        final = infos["final_obs"]
        if isinstance(final, np.ndarray) and final.dtype == object:  # one observation for each environment
            one_by_one = [final[index] for index in np.flatnonzero(ended)]
            empty: Any = gym.vector.utils.create_empty_array(space, len(one_by_one))
            return self._read(gym.vector.utils.concatenate(space, one_by_one, empty))
        return {part: array[ended] for part, array in self._read(final).items()}


def _success_in(infos: dict[str, Any], ended: NDArray[np.bool_]) -> NDArray[np.float64]:
    found = np.full(len(ended), np.nan)
    for name in SUCCESS:
        if name in infos:
            said = np.broadcast_to(infos.get(f"_{name}", True), ended.shape)
            found[said] = np.asarray(infos[name], np.float64)[said]
    return found


def _measures_in(infos: dict[str, Any], ended: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    told = infos.get(MEASURES, {}) if ended.any() else {}
    # Gymnasium adds to every name another one, with an underscore, that says who has told it.
    return {
        name: np.where(ended, np.asarray(values, np.float64), np.nan)
        for name, values in told.items()
        if not name.startswith("_")
    }
