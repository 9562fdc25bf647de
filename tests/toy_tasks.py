"""Small Gymnasium environments whose every number is known, for tests of what surrounds an environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlplat.interfaces import Arrays

LENGTH = 5


class Count(gym.Env[Any, Any]):
    """Shows how many steps it took; action 1 brings the reward. Over after 5 steps, or broken off if `cut`."""

    def __init__(self, cut: bool = False) -> None:
        self.observation_space = gym.spaces.Dict(
            {
                "policy": gym.spaces.Box(0, LENGTH, (1,), np.float64),
                "privileged": gym.spaces.Box(-1, 1, (2,), np.float32),
                "action_mask": gym.spaces.MultiBinary(3),
            }
        )
        self.action_space = gym.spaces.Discrete(3, start=-1)
        self.cut = cut

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.count = 0
        return self._observe(), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.count += 1
        over = self.count == LENGTH
        info = {"is_success": action == 1, "measures": {"last_action": int(action)}}
        return self._observe(), float(action), over and not self.cut, over and self.cut, info

    def _observe(self) -> dict[str, Any]:
        return {
            "policy": np.array([self.count], np.float64),
            "privileged": self.np_random.uniform(-1, 1, 2).astype(np.float32),
            "action_mask": np.array([0, 1, 1], np.int8),
        }


class Lamp(gym.Env[Any, Any]):
    """A picture of 16x24 whose left half is as bright as the steps that were taken; over after 5."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012  (Gymnasium's)

    def __init__(self, render_mode: str | None = None) -> None:
        self.observation_space = gym.spaces.Box(0, LENGTH, (1,), np.float64)
        self.action_space = gym.spaces.Discrete(2)
        self.render_mode, self.count = render_mode, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.count = 0
        return np.array([0.0]), {}

    def step(self, action: Any) -> Any:
        self.count += 1
        return np.array([float(self.count)]), float(action), self.count == LENGTH, False, {}

    def render(self) -> Any:
        picture = np.zeros((16, 24, 3), np.uint8)
        picture[:, :12] = 10 * self.count
        return picture


class Drift(VectorEnv[Any, Any, Any]):
    """A point that is pushed along a line and should stay at 0; broken off after some 20 steps. It keeps its state."""

    def __init__(self, num_envs: int = 1, mode: str = "NextStep", noise: float = 0.1, **_: Any) -> None:
        self.num_envs, self.noise, self.mode = num_envs, noise, AutoresetMode(mode)
        self.metadata = {"autoreset_mode": self.mode}
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)
        self.single_action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.seeds, self.steps = np.zeros(num_envs, np.int64), np.zeros(num_envs, np.int64)
        self.point, self.over = np.zeros(num_envs), np.zeros(num_envs, bool)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            self.seeds[:] = seed
        where = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        self._begin(where)
        self.over[where] = False
        return self._observe(), {}

    def step(self, actions: Any) -> Any:
        reward, over = np.zeros(self.num_envs), np.zeros(self.num_envs, bool)
        infos: dict[str, Any] = {}
        acts = ~self.over
        assert acts.all() or self.mode == AutoresetMode.NEXT_STEP
        self._begin(self.over)
        self.point[acts] += 0.5 * actions[acts, 0] + self.noise * self._draw(acts)
        self.steps[acts] += 1
        reward[acts] = -(self.point[acts] ** 2)
        over[acts] = self.steps[acts] >= 18 + self.seeds[acts] % 5
        self.over = over.copy()
        if over.any():
            infos = {"measures": {"steps": self.steps.copy()}, "_measures": over}
        if self.mode == AutoresetMode.SAME_STEP and over.any():
            infos = {"final_info": infos, "_final_info": over, "final_obs": self._observe(), "_final_obs": over}
            self._begin(over)
            self.over = np.zeros(self.num_envs, bool)
        return self._observe(), reward, np.zeros(self.num_envs, bool), over, infos

    def expert_actions(self) -> Any:
        return np.clip(-2 * self.point, -1, 1)[:, None].astype(np.float32)

    def snapshot(self) -> Arrays:
        return {name: getattr(self, name).copy() for name in ("seeds", "steps", "point", "over")}

    def restore(self, state: Arrays) -> None:
        for name, array in state.items():
            setattr(self, name, array.copy())

    def _begin(self, where: Any) -> None:
        self.seeds[where] = (self.seeds[where] * 16807 + 1) % (2**31 - 1)
        self.steps[where] = 0
        self.point[where] = self._draw(where)

    def _draw(self, where: Any) -> Any:
        self.seeds[where] = (self.seeds[where] * 16807 + 1) % (2**31 - 1)
        return self.seeds[where] / 2**30 - 1

    def _observe(self) -> Any:
        return self.point[:, None].astype(np.float32)


gym.register("toys/Count-v0", entry_point="toy_tasks:Count")
gym.register("toys/Drift-v0", entry_point=None, vector_entry_point="toy_tasks:Drift")
gym.register("toys/Lamp-v0", entry_point="toy_tasks:Lamp")
