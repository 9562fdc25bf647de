"""Robots in MuJoCo, seen by cameras. Every task below `tasks/` is a Gymnasium environment `rlplat/<Name>-v0`."""

from gymnasium.envs.registration import register

from envs.robots.names import class_name, task_names

for _name in task_names():
    register(
        id=f"rlplat/{class_name(_name)}-v0",
        entry_point="envs.robots.single:RobotEnv",
        vector_entry_point="envs.robots.vector:RobotVectorEnv",
        kwargs={"task": _name},
    )
