"""Every agent of the checkout keeps the contract `rlplat.interfaces.Agent`. A new one needs a row in `TINY` alone."""

from __future__ import annotations

import re
from pathlib import Path

import conftest
import numpy as np
import pytest
from pydantic import BaseModel

from rlplat import registry
from rlplat.config import load_config
from rlplat.interfaces import Agent, Arrays, Collector, Continuous, Discrete, EnvSpec, Learner, Policy
from rlplat.runs.arrays import load_arrays, save_arrays
from rlplat.search.game import Game
from rlplat.training.advice import WORK
from rlplat.training.build import Built, build
from rlplat.training.hosts import Report
from rlplat.training.inline import InlinePool

DRIFT = '{id: "toy_tasks:toys/Drift-v0"}'
TINY = {
    "alphazero": conftest.TINY,
    "ppo": f"""\
env: {DRIFT}
agent: {{id: ppo, num_envs: 4, num_steps: 12, network: {{hidden: [16]}}, training: {{num_epochs: 2, batch_size: 16}}}}
training: {{max_updates: 6}}
placement: {{mode: inline, num_actors: 2, learner_threads: 1}}
""",
    "sac": f"""\
env: {DRIFT}
agent:
  id: sac
  num_envs: 4
  collect_steps: 5
  network: {{hidden: [16]}}
  replay: {{capacity: 60, min_steps: 20}}
  training: {{batch_size: 16, updates_per_step: 0.25}}
training: {{max_updates: 60}}
placement: {{mode: inline, num_actors: 2, learner_threads: 1}}
""",
    "guided_policy": f"""\
env: {DRIFT}
agent:
  id: guided_policy
  num_envs: 4
  num_steps: 40
  max_steps: 2000
  network: {{hidden: [16]}}
  training: {{updates_per_round: 10, batch_size: 16}}
training: {{max_updates: 60}}
placement: {{mode: inline, num_actors: 2, learner_threads: 1}}
""",
}
"""By agent: a configuration that makes an update within a second, of two collectors in one process."""
TOYS = ["toy_tasks"]

agents = pytest.mark.parametrize("name", registry.names("agent"))


def make(name: str, folder: Path) -> Built:
    assert name in TINY, f"give the agent {name} a tiny configuration here"
    path = folder / f"{name}.yaml"
    path.write_text(TINY[name])
    return build(load_config(path, trust=TOYS), trust=TOYS)


def make_pool(built: Built) -> InlinePool:
    return InlinePool(built.config, built.env, built.agent)


def train(pool: InlinePool, report: Report, num_turns: int) -> Report:
    for _ in range(num_turns):
        report = pool.advance(pool.collect(report.demand), 20)
    return report


def observations(spec: EnvSpec, count: int) -> Arrays:
    seen = {part: what for part, what in spec.observations.items() if part.partition("/")[0] != "privileged"}
    return {part: np.ones((count, *what.shape), what.dtype) for part, what in seen.items()}


def settings_of(model: type[BaseModel], at: str) -> set[str]:
    """Dotted names of a configuration's settings."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(f"{at}.{name}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= settings_of(field.annotation, f"{at}.{name}")
    return found


@agents
def test_an_agent_makes_parts_that_fulfil_their_contracts(name, tmp_path):
    built = make(name, tmp_path)
    assert isinstance(built.agent, Agent)
    learner = built.agent.make_learner(inline=True)
    assert isinstance(learner, Learner)
    assert isinstance(built.agent.make_collector(0, 2), Collector)
    assert isinstance(built.agent.make_policy(learner.publish(), num_simulations=None, seed=0), Policy)


@agents
def test_a_run_that_goes_on_from_its_checkpoint_learns_what_the_unbroken_one_learns(name, tmp_path):
    built = make(name, tmp_path)
    unbroken = make_pool(built)
    report = train(unbroken, unbroken.start(None, None), 4)
    assert report.progress.updates > 0
    assert report.progress.amount > 0
    (tmp_path / "checkpoint").mkdir()
    unbroken.save(tmp_path / "checkpoint")
    resumed = make_pool(make(name, tmp_path))
    begun = resumed.start(tmp_path / "checkpoint", None)
    assert begun.progress.updates == report.progress.updates
    assert begun.progress.amount == report.progress.amount
    reports = [train(unbroken, report, 3), train(resumed, begun, 3)]
    assert reports[0].progress == reports[1].progress
    assert reports[0].metrics == reports[1].metrics


@agents
def test_published_weights_survive_a_file_begin_another_run_and_act(name, tmp_path):
    built = make(name, tmp_path)
    weights = built.agent.make_learner(inline=True).publish()
    save_arrays(tmp_path / "weights", weights)
    read = load_arrays(tmp_path / "weights")
    other = built.agent.make_learner(inline=True)
    other.initialise(read)
    begun = other.publish()
    assert {key: array.tobytes() for key, array in begun.items()} == {
        k: array.tobytes() for k, array in weights.items()
    }
    policy = built.agent.make_policy(read, num_simulations=None, seed=0)
    if isinstance(built.env, Game):
        chosen = policy.act([built.env.initial_state()] * 3)
    else:
        chosen = policy.act(observations(built.env.spec, 3))
    actions = built.env.spec.actions
    if isinstance(actions, Discrete):
        assert chosen.shape == (3,)
        assert chosen.dtype == np.int64
        assert ((chosen >= 0) & (chosen < actions.num_actions)).all()
    elif isinstance(actions, Continuous):
        assert chosen.shape == (3, *actions.shape)
        assert (chosen.reshape(3, -1) >= actions.low).all()
        assert (chosen.reshape(3, -1) <= actions.high).all()


@agents
def test_remedies_are_of_stages_that_there_are_and_name_settings_of_the_agent(name, tmp_path):
    remedies = make(name, tmp_path).agent.remedies()
    assert set(remedies) <= {*WORK, "calls"}
    named = re.findall(r"\bagent(?:\.[a-z_]+)+", " ".join(remedies.values()))
    assert named
    assert set(named) <= settings_of(registry.resolve(name, kind="agent").Config, "agent")
