import math
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from rlplat.config import ConfigModel, RunConfig, config_hash, config_text, load_config, parse_overrides
from rlplat.errors import ConfigError
from rlplat.yaml_files import parse_yaml, yaml_text

AGENT = """
from typing import Literal
from pydantic import Field, model_validator
from rlplat.config import AgentConfig, ConfigModel

class Search(ConfigModel):
    c_init: float = Field(1.25, gt=0)
    num_simulations: int = Field(64, ge=2)
    fpu: Literal["reduction", "constant"] = "reduction"
    steps: tuple[int, ...] = ()

class Config(AgentConfig):
    search: Search = Search()
    schedule: tuple[tuple[int, float], ...] = ()

    @model_validator(mode="after")
    def _agree(self):
        if len(self.schedule) > len(self.search.steps) + 1:
            raise ValueError("schedule is longer than search.steps + 1; shorten it")
        return self

class Agent:
    Config = Config
    def __call__(self, config, env): ...

AGENT = Agent()
"""

GOOD = """
seed: 7
env: {id: "config_content:game", parameters: {rows: 5}}
agent: {id: "config_content:AGENT", search: {c_init: 2}}
training: {max_updates: 100}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write c4.yaml in a fresh current folder that also holds the trusted module `config_content`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RLPLAT_SETTINGS", raising=False)
    (tmp_path / "config_content.py").write_text(AGENT)

    def write(text: str) -> str:
        (tmp_path / "c4.yaml").write_text(text)
        return "c4.yaml"

    yield write
    sys.modules.pop("config_content", None)


def load(path, *overrides):
    return load_config(path, overrides, trust=["config_content"])


def problems(path, *overrides) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, *overrides)
    return str(caught.value).splitlines()


def test_a_configuration_holds_what_the_file_says_and_defaults_elsewhere(write):
    config = load(write(GOOD))
    assert config.name == "c4"
    assert config.seed == 7
    assert config.env.parameters == {"rows": 5.0}
    assert config.agent.search.c_init == 2.0
    assert type(config.agent).__module__ == "config_content"
    assert config.evaluation.against == ("random",)
    assert config.placement.mode == "ray"


def test_overrides_reach_every_depth_with_the_models_types(write):
    config = load(
        write(GOOD),
        "name=other",
        "agent.search.num_simulations=10",
        "agent.search.c_init=1e-3",
        "agent.search.steps=[1, 2]",
        "agent.schedule=[[1, 0.5]]",
        "evaluation.against=[random, mcts:1000]",
        "evaluation.num_simulations=null",
        "env.parameters.rows=4",
    )
    assert config.name == "other"
    assert config.agent.search.num_simulations == 10
    assert config.agent.search.c_init == 0.001
    assert config.agent.search.steps == (1, 2)
    assert config.agent.schedule == ((1, 0.5),)
    assert config.evaluation.against == ("random", "mcts:1000")
    assert config.evaluation.num_simulations is None
    assert config.env.parameters == {"rows": 4.0}


def test_the_last_of_two_overrides_of_a_key_wins(write):
    assert load(write(GOOD), "seed=1", "seed=2").seed == 2


def test_overrides_that_are_none_are_refused(write):
    path = write(GOOD)
    assert problems(path, "seed") == ["-o seed: an override must look like agent.search.c_init=1.5"]
    assert problems(path, "agent..x=1") == ["-o agent..x=1: an override must look like agent.search.c_init=1.5"]
    assert problems(path, "seed.x=1") == ["-o seed.x=...: seed is 7, which has no keys to override"]
    assert problems(path, "seed=[1")[0].startswith("-o seed=[1: line 1, column 3: this is not YAML: ")


def test_parsed_overrides_are_yaml_values():
    found = parse_overrides("a.b=1.5", "c=true", "d=no", "e=[1, x]", "f=a=b", "g=null")
    assert found == {"a.b": 1.5, "c": True, "d": "no", "e": [1, "x"], "f": "a=b", "g": None}


def test_a_value_out_of_range_is_named_with_its_range(write):
    path = write(GOOD.replace("c_init: 2", "c_init: -1.0"))
    assert problems(path) == ["c4.yaml: agent.search.c_init is -1.0; it must be > 0"]


def test_a_problem_of_an_override_names_the_override(write):
    expected = ["-o agent.search.c_init: agent.search.c_init is -1; it must be > 0"]
    assert problems(write(GOOD), "agent.search.c_init=-1") == expected
    expected = ["-o agent.serach.c_init: unknown key agent.serach; did you mean agent.search?"]
    assert problems(write(GOOD), "agent.serach.c_init=1") == expected


def test_an_unknown_key_brings_the_nearest_or_all_names(write):
    assert problems(write(GOOD.replace("search:", "serach:"))) == [
        "c4.yaml: unknown key agent.serach; did you mean agent.search?"
    ]
    assert problems(write(GOOD.replace("c_init:", "zzz:"))) == [
        "c4.yaml: unknown key agent.search.zzz; there are: agent.search.c_init, agent.search.fpu, "
        "agent.search.num_simulations, agent.search.steps"
    ]
    assert problems(write(GOOD + "evalution: {}")) == ["c4.yaml: unknown key evalution; did you mean evaluation?"]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.max_updates=many", "training.max_updates is the text 'many'; it must be a whole number or null"),
        ("training.max_updates=1.5", "training.max_updates is 1.5; it must be a whole number or null"),
        ("training.max_updates=true", "training.max_updates is true; it must be a whole number or null"),
        ("training.max_updates='5'", "training.max_updates is the text '5'; it must be a whole number or null"),
        ("training.max_updates=0", "training.max_updates is 0; it must be >= 1"),
        ("training.max_minutes=.nan", "training.max_minutes is nan; it must be finite"),
        ("seed=2147483648", "seed is 2147483648; it must be <= 2147483647"),
        ("seed=null", "seed is null; it must be a whole number"),
        ("evaluation.against=random", "evaluation.against is the text 'random'; it must be a list, each item a text"),
        ("evaluation.against=[1]", "evaluation.against.0 is 1; it must be a text"),
        ("evaluation.num_games=3", "evaluation.num_games is 3; it must be even, as each opening is played from both"),
        ("env.parameters.rows=six", "env.parameters.rows is the text 'six'; it must be a number"),
        ("placement=3", "placement is 3; it must be a mapping"),
        ("env=3", "env is 3; it must be a mapping with id"),
        ("placement.device=gpu", "placement.device is the text 'gpu'; it must be 'auto', 'cpu' or 'cuda'"),
        ("placement.mode=rays", "placement.mode is the text 'rays'; it must be 'ray' or 'inline'; did you mean ray?"),
        ("name=a/b", "name is the text 'a/b'; it names a folder: 1 to 100 characters without / and \\"),
        ("agent=null", "agent is null; it must be a mapping with id"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(write, override, sentence):
    (problem,) = problems(write(GOOD), override)
    assert problem.startswith(f"-o {override.split('=')[0]}: {sentence}")


def test_all_problems_are_told_at_once_one_a_line(write):
    text = "seed: -1\nenv: {}\nagent: {id: 'config_content:AGENT', search: {fpu: none}}\ntraining: {max_updates: x}\n"
    assert sorted(problems(write(text))) == [
        "c4.yaml: agent.search.fpu is the text 'none'; it must be 'reduction' or 'constant'",
        "c4.yaml: env.id is missing; it must be a text",
        "c4.yaml: seed is -1; it must be >= 0",
        "c4.yaml: training.max_updates is the text 'x'; it must be a whole number or null",
    ]


def test_an_empty_file_misses_its_required_parts(write):
    assert [line.split(";")[0] for line in problems(write(""))] == [
        "c4.yaml: env is missing",
        "c4.yaml: agent is missing",
        "c4.yaml: training is missing",
    ]


def test_a_rule_over_several_values_is_told_with_its_part(write):
    assert problems(write(GOOD), "agent.schedule=[[1, 1], [2, 2]]") == [
        "c4.yaml: agent: schedule is longer than search.steps + 1; shorten it"
    ]


def test_a_run_without_a_budget_is_refused(write):
    (problem,) = problems(write(GOOD.replace("max_updates: 100", "")))
    assert "set at least one of max_updates, max_amount, max_minutes" in problem
    assert load(write(GOOD.replace("max_updates: 100", "max_minutes: 0.5"))).training.max_minutes == 0.5


def test_a_syntax_error_is_told_with_its_line(write):
    (problem,) = problems(write("seed: 1\nenv: {id: x\nagent: {}\n"))
    assert problem.startswith("c4.yaml: line 3, column 6: this is not YAML: ")


def test_a_repeated_key_is_told_with_its_line(write):
    assert problems(write("seed: 1\nseed: 2\n")) == ["c4.yaml: line 2: the key seed stands twice; remove one of them"]


def test_python_objects_in_yaml_are_refused_and_not_made(write, tmp_path):
    (problem,) = problems(write(f"seed: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n"))
    assert "this is not YAML: could not determine a constructor" in problem
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_no_mapping_is_refused(write):
    assert problems(write("[1, 2]")) == [
        "c4.yaml: it holds the list [1, 2]; it must hold a mapping (`key: value` lines)"
    ]


def test_a_missing_file_brings_the_nearest_names(write):
    write(GOOD)
    assert problems("c5.yaml") == ["c5.yaml: there is no such file; did you mean c4.yaml?"]
    assert problems("zzzzzz.yaml") == ["zzzzzz.yaml: there is no such file; there are: c4.yaml"]
    assert problems("nowhere/c4.yaml") == ["nowhere/c4.yaml: there is no such file; there is no folder nowhere either"]


def test_a_file_that_is_no_text_is_refused(write, tmp_path):
    (tmp_path / "c4.yaml").write_bytes(b"\x80\x02}q\x00.")
    assert problems("c4.yaml") == ["c4.yaml: this is not text in UTF-8 (byte 0); name a YAML file"]


def test_values_that_are_huge_when_written_out_are_told_briefly(write):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    assert all(len(line) < 300 for line in problems(write(bomb)))


def test_untrusted_content_is_a_problem_of_the_configuration_and_not_imported(write, tmp_path):
    (tmp_path / "stranger.py").write_text("import pathlib; pathlib.Path('imported').touch()\n")
    for place in ("agent", "env"):
        (problem,) = problems(write(GOOD), f"{place}.id=stranger:X")
        assert problem.startswith(
            f"-o {place}.id: {place}.id: 'stranger:X' lies in the package stranger, which is not trusted"
        )
    assert not (tmp_path / "imported").exists()
    assert "stranger" not in sys.modules


def test_an_unknown_agent_is_told_once_without_judging_its_keys(write):
    (problem,) = problems(write(GOOD), "agent.id=zzz")
    assert problem.startswith("-o agent.id: agent.id: no agent is named 'zzz'; ")


def test_the_saved_text_loads_back_equal(write):
    config = load(write(GOOD), "name=run 1e3", "agent.search.c_init=1e-7", "agent.schedule=[[3, 0.1]]")
    again = load(write(config_text(config)))
    assert again == config
    assert config_text(again) == config_text(config)
    assert yaml.safe_load(config_text(config))["evaluation"]["final_num_games"] == config.evaluation.final_num_games


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_plain_data_survives_writing_and_reading(value):
    assert parse_yaml(yaml_text(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.", 1.0),
        ("-.5", -0.5),
        ("007", 7.0),
        ("1:30", "1:30"),
        ("no", "no"),
        ("2020-01-01", "2020-01-01"),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    assert parse_yaml(text) == value


def test_infinity_and_nan_are_read_as_numbers():
    assert parse_yaml("-.inf") == -math.inf
    assert math.isnan(parse_yaml(".nan"))


def test_the_hash_changes_with_every_value_but_the_name(write):
    first = config_hash(load(write(GOOD)))
    assert len(first) == 16
    assert config_hash(load(write(GOOD), "name=other")) == first
    assert config_hash(load(write(GOOD), "agent.search.c_init=2.0")) == first
    assert config_hash(load(write(GOOD), "agent.search.c_init=2.1")) != first
    assert config_hash(load(write(GOOD), "seed=8")) != first


def test_a_configuration_cannot_be_changed(write):
    with pytest.raises(ValueError, match="frozen"):
        load(write(GOOD)).seed = 3


def test_actors_are_one_per_core_unless_configured(write, monkeypatch):
    monkeypatch.setattr("rlplat.config.num_cores", lambda: 6)
    assert load(write(GOOD)).placement.resolve_num_actors() == 6
    assert load(write(GOOD), "placement.num_actors=2").placement.resolve_num_actors() == 2


def test_every_field_is_described():
    def undescribed(model: type[BaseModel]) -> list[str]:
        missing = [f"{model.__name__}.{name}" for name, field in model.model_fields.items() if not field.description]
        parts = [field.annotation for field in model.model_fields.values()]
        inner = [part for part in parts if isinstance(part, type) and issubclass(part, ConfigModel)]
        return missing + [name for part in inner for name in undescribed(part)]

    assert undescribed(RunConfig) == []
