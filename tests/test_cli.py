import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

import rlplat
from rlplat import registry
from rlplat.cli import app
from rlplat.errors import CheckpointError
from rlplat.reports import Result

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("train", "evaluate", "ratings", "positions", "check", "check-game", "doctor", "bench", "runs", "games")
COMMANDS += ("watch", "gtp", "uci")
COMMANDS += ("up", "down", "submit", "jobs", "status", "logs", "stop", "resume")


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RLPLAT_SETTINGS", raising=False)
    monkeypatch.delenv("RLPLAT_TRACEBACK", raising=False)
    monkeypatch.setattr(registry, "_trusted", [])


@pytest.fixture
def replace(monkeypatch):
    """Put a function in the place of a module that a command calls, and record the arguments of its calls."""

    def replace(module: str, name: str, outcome):
        calls = []

        def stand_in(*args, **kwargs):
            calls.append((args, kwargs))
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{name: stand_in}))
        return calls

    return replace


def invoke(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def start(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, "-m", "rlplat", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)


def test_help_names_every_command_and_starts_fast():
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        done = start("--help")
        seconds.append(time.perf_counter() - begin)
    assert done.returncode == 0
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)
    assert min(seconds) < 1.0  # 0.16 s on an idle machine; the bound leaves room for a busy one


def test_on_a_terminal_of_80_columns_the_list_of_commands_cuts_no_sentence(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = invoke("--help").stdout.split("Commands:\n")[1].splitlines()
    assert len(lines) == len(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_help_imports_none_of_the_slow_libraries():
    done = start("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {
        "numpy",
        "pydantic",
        "torch",
        "onnxruntime",
        "ray",
        "scipy",
        "yaml",
        "markdown_it",
        "pygments",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_json(command):
    done = invoke(command, "--help")
    assert done.exit_code == 0
    assert ("--json FILE|-" in done.output) == (command not in ("gtp", "uci"))  # these have text alone to give


def test_the_version_is_that_of_the_package():
    assert invoke("--version").output == f"rlplat {rlplat.__version__}\n"


def test_the_include_folder_holds_the_contract_of_games():
    assert (rlplat.get_include() / "rlplat" / "game.hpp").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ["tarin"],
        ["train"],
        ["train", "a", "b"],
        ["evaluate", "run"],
        ["positions", "connect_four"],
        ["check-game", "hex", "-p", "rows=six"],
        ["bench"],
    ],
)
def test_bad_usage_leaves_with_2(arguments):
    assert invoke(*arguments).exit_code == 2


def test_an_error_that_a_user_can_mend_is_its_text_alone_and_1(tmp_path):
    done = start("check", "c4.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "c4.yaml: there is no such file; . holds no .yaml file\n"


def test_the_traceback_is_shown_on_request(tmp_path):
    done = start("check", "c4.yaml", cwd=tmp_path, env={"RLPLAT_TRACEBACK": "1"})
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "ConfigError: c4.yaml: there is no such file" in done.stderr


def test_ctrl_c_leaves_with_130(replace):
    replace("rlplat.bench", "run", KeyboardInterrupt())
    done = invoke("bench", "search")
    assert done.exit_code == 130
    assert done.stderr == "stopped by Ctrl-C\n"


def write_config(folder: Path) -> Path:
    (folder / "cli_content.py").write_text(
        "from rlplat.config import AgentConfig\n"
        "class Agent:\n    class Config(AgentConfig):\n        depth: int = 1\n"
        "    def __call__(self, config, env): ...\nAGENT = Agent()\n"
        "class Game:\n    name = 'toy'\n"
        "    def load(self, **parameters):\n        return self.name, parameters\ngame = Game()\n"
    )
    config = folder / "toy.yaml"
    config.write_text("env: {id: 'cli_content:game'}\nagent: {id: 'cli_content:AGENT'}\ntraining: {max_updates: 9}\n")
    return config


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield write_config(tmp_path)
    sys.modules.pop("cli_content", None)


def test_train_passes_the_checked_configuration_on(config, replace):
    calls = replace("rlplat.training.session", "train", [Result("training.updates", 9, "updates")])
    options = ["--run-dir", "there", "--resume", "--init-from", "old", "--inline", "--trust", "cli_content"]
    done = invoke("train", str(config), "-o", "agent.depth=3", "-o", "seed=5", *options, "--json", "-")
    assert done.exit_code == 0, done.output
    ((found,), named) = calls[0]
    assert (found.name, found.agent.depth, found.seed, found.placement.mode) == ("toy", 3, 5, "inline")
    assert named == {"run_dir": Path("there"), "resume": True, "init_from": Path("old")}
    assert "training.updates" in done.stdout


def test_train_refuses_untrusted_content_without_importing_it(config):
    done = invoke("train", str(config))
    assert done.exit_code == 1
    assert [
        line.split(" lies in the package cli_content, which is not trusted")[0] for line in done.stderr.splitlines()
    ] == [
        f"{config}: agent.id: 'cli_content:AGENT'",
        f"{config}: env.id: 'cli_content:game'",
    ]
    assert "cli_content" not in sys.modules


def test_check_passes_the_configuration_on(config, replace):
    calls = replace("rlplat.training.check", "check", [Result("check.memory", 1.5, "GiB")])
    assert invoke("check", str(config), "--trust", "cli_content").exit_code == 0
    assert calls[0][0][0].training.max_updates == 9


def test_evaluate_splits_opponents_and_prints_intervals(replace):
    from rlplat.evaluation.evaluate import Evaluation

    row = Evaluation(
        "mcts:1000", 10, 6, 2, 2, 0.7, 0.55, 0.85, 147.2, 35.0, 301.0, (4, 1, 0), (2, 1, 2), 30.0, 9, 2, 3, 1.0
    )
    calls = replace("rlplat.evaluation.strength", "strength_of_runs", ([("runs/a", [], [row])], []))
    done = invoke(
        *("evaluate", "runs/a", "--against", "random, mcts:1000", "--checkpoint", "best", "--games", "10"),
        *("--seed", "3", "--record", "games.pgn"),
    )
    assert done.exit_code == 0, done.output
    assert calls[0][0] == ([Path("runs/a")],)
    assert calls[0][1] == {
        "positions": None,
        "checkpoint": "best",
        "against": ["random", "mcts:1000"],
        "num_games": 10,
        "num_episodes": None,
        "num_videos": 0,
        "num_simulations": None,
        "seed": 3,
        "record": Path("games.pgn"),
        "trust": [],
    }
    assert done.stdout.splitlines()[1].split() == (
        ["mcts:1000", "10", "6", "2", "2", "0.700", "[0.550,", "0.850]", "+147", "[+35,", "+301]"]
    )


def test_evaluate_judges_positions(replace):
    from rlplat.evaluation.judge import Judgement

    row = Judgement("hard", 40, 0.125, 0.05, 0.26, 0.25, 0.14, 0.4, 0, 1.5, 7)
    calls = replace("rlplat.evaluation.strength", "strength_of_runs", ([("runs/a", [row], [])], []))
    done = invoke("evaluate", "runs/a", "--positions", "late.txt", "--simulations", "600", "--json", "-")
    assert done.exit_code == 0, done.output
    assert {name: calls[0][1][name] for name in ("positions", "against", "num_simulations")} == {
        "positions": Path("late.txt"),
        "against": [],
        "num_simulations": 600,
    }
    changed, not_best = json.loads(done.stdout)["results"]
    common = {"unit": "share", "num_positions": 40, "simulations": 0, "seconds": 1.5, "step": 7}
    assert changed == {"name": "positions.hard.result_changed", "value": 0.125, "low": 0.05, "high": 0.26, **common}
    assert not_best == {"name": "positions.hard.not_best", "value": 0.25, "low": 0.14, "high": 0.4, **common}
    done = invoke("evaluate", "runs/a", "--positions", "late.txt")
    assert done.stdout.splitlines()[1].split()[:5] == ["0", "hard", "40", "12.5", "%"]


def test_ratings_are_listed_with_intervals_and_those_without_are_named(replace):
    from rlplat.evaluation.ratings import Rating, Ratings

    rated = Rating("a@40:8", 120.4, 30.0, 260.6, 28.0), Rating("random", 0.0, 0.0, 0.0, 28.0)
    calls = replace("rlplat.evaluation.rate", "rate_runs", Ratings("random", rated, ("b@5",)))
    options = ["--play", "20", "--anchor", "random", "--simulations", "8"]
    done = invoke("ratings", "runs/a", "runs/b", *options)
    assert done.exit_code == 0, done.output
    ((paths,), named) = calls[0]
    assert paths == [Path("runs/a"), Path("runs/b")]
    assert named | {"told": None} == {"anchor": "random", "play": 20, "num_simulations": 8, "trust": [], "told": None}
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["a@40:8", "+120", "[+30,", "+261]", "28"]
    assert lines[2].split() == ["random", "0", "the", "anchor", "28"]
    assert lines[3].startswith("no games link these to random: b@5; play some with --play 20")
    first, _, unknown = json.loads(invoke("ratings", "runs/a", "--json", "-").stdout)["results"]
    fields = {"player": "a@40:8", "low": 30.0, "high": 260.6, "num_games": 28.0, "anchor": "random"}
    assert first == {"name": "ratings.a@40:8.elo", "value": 120.4, "unit": "Elo", **fields}
    assert (unknown["name"], unknown["value"]) == ("ratings.b@5.elo", None)


def test_positions_passes_the_range_on(config, replace):
    calls = replace("rlplat.evaluation.make_positions", "make_positions", [Result("positions.written", 5, "positions")])
    common = ["positions", "cli_content:game", "-o", "x.txt", "--trust", "cli_content", "--plies"]
    done = invoke(*common, "3-8", "--count", "5", "-p", "rows=4")
    assert done.exit_code == 0, done.output
    assert calls == [((("toy", {"rows": 4.0}), Path("x.txt")), {"first": 3, "last": 8, "count": 5, "seed": 0})]
    assert invoke(*common, "8").exit_code == 0
    assert (calls[1][1]["first"], calls[1][1]["last"]) == (8, 8)
    for plies in ("a-b", "-3", "3-x", "3-4-5"):
        assert invoke(*common, plies).exit_code == 2


def test_check_game_passes_parameters_on_and_fails_with_the_game(config, replace):
    from rlplat.testing import Check, CheckReport

    good = CheckReport("toy", (Check("legal actions", None),), 5, 50, 1000.0)
    calls = replace("rlplat.testing", "check_game", good)
    done = invoke("check-game", "cli_content:game", "-p", "rows=6", "--trust", "cli_content")
    assert done.exit_code == 0, done.output
    assert calls[0][0] == (("toy", {"rows": 6.0}),)
    assert done.stdout.startswith("toy: 1 of 1 checks passed")
    bad = CheckReport("toy", (Check("legal actions", "4 is missing"),), 5, 50, 1000.0)
    replace("rlplat.testing", "check_game", bad)
    done = invoke("check-game", "cli_content:game", "--trust", "cli_content", "--json", "-")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["results"] == [
        {"name": "check_game.toy.legal_actions", "value": "fail", "unit": "", "failure": "4 is missing"}
    ]


def test_bench_measures_each_part_in_turn(replace):
    calls = replace("rlplat.bench", "run", [Result("tree.toy.null", 4_000_000.0, "simulations/s", seconds=1.5)])
    done = invoke("bench", "search", "learner")
    assert [args for args, _ in calls] == [("search",), ("learner",)]
    assert done.stdout.splitlines()[1].split() == ["tree.toy.null", "4,000,000", "simulations/s", "seconds", "1.5"]


def test_json_to_stdout_is_one_object_and_nothing_else(tmp_path):
    program = (
        "import os, sys, types\n"
        "from rlplat.reports import Result\n"
        "def run(what):\n"
        "    print('talk'); os.system('echo child'); os.write(1, b'raw')\n"
        "    return [Result('a.b', float('inf'), 'x/s', interval=(1, 2))]\n"
        "sys.modules['rlplat.bench'] = types.SimpleNamespace(run=run)\n"
        "from rlplat.cli import app; app()\n"
    )
    command = [sys.executable, "-c", program, "bench", "search", "--json", "-"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=True)
    report = json.loads(done.stdout)
    assert list(report) == ["command", "hardware", "versions", "results"]
    assert report["command"] == "bench"
    assert report["results"] == [{"name": "a.b", "value": None, "unit": "x/s", "interval": [1, 2]}]
    assert report["hardware"]["num_cores"] >= 1
    assert report["versions"]["python"].startswith("3.")
    assert all(word in done.stderr for word in ("talk", "child", "raw"))


def test_json_to_a_file_leaves_the_table_on_stdout(tmp_path, replace):
    replace("rlplat.bench", "run", [Result("a.b", 1, "x")])
    done = invoke("bench", "search", "--json", str(tmp_path / "out.json"))
    assert "a.b" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text())["results"][0]["value"] == 1


def test_a_json_file_that_cannot_be_written_is_told_before_the_work(tmp_path, replace):
    calls = replace("rlplat.bench", "run", [])
    done = invoke("bench", "search", "--json", str(tmp_path / "no" / "out.json"))
    assert done.exit_code == 1
    assert "there is no folder" in done.stderr
    assert calls == []


def test_an_error_in_json_mode_leaves_stdout_empty(replace):
    replace("rlplat.bench", "run", CheckpointError("runs/a/checkpoints/5: broken"))
    done = invoke("bench", "search", "--json", "-")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "runs/a/checkpoints/5: broken\n")


def test_runs_lists_state_progress_and_last_metrics(tmp_path):
    from rlplat.runs.folder import RunFolder

    assert invoke("runs", str(tmp_path)).stdout.startswith("no runs here; ")
    folder = RunFolder.create(tmp_path / "first", config_text="seed: 1\n", info={})
    folder.update("finished", updates=1200)
    folder.metrics_path.write_text('{"step": 1200, "loss/policy": 1.25, "speed": 3}\n')
    (row,) = invoke("runs", str(tmp_path)).stdout.splitlines()[1:]
    assert row.split()[:2] == ["first", "finished"]
    assert "1,200" in row
    assert "1.25" in row
    (result,) = json.loads(invoke("runs", str(tmp_path), "--json", "-").stdout)["results"]
    assert (result["name"], result["value"]) == ("runs.first.state", "finished")
    assert result["metrics"]["loss/policy"] == 1.25
    end = {"step": 1200, "time": 1.8e9, "final/evaluation/random/score": 0.5, "final/evaluation/random/score_low": 0.4}
    folder.metrics_path.write_text(json.dumps(end) + "\n")
    (row,) = invoke("runs", str(tmp_path)).stdout.splitlines()[1:]
    assert "random/score 0.5" in row
    assert "time" not in row
    assert "low" not in row


def test_logs_prints_what_a_run_printed_and_gives_it_to_programs(tmp_path):
    from rlplat.runs.folder import RunFolder

    folder = RunFolder.create(tmp_path / "first", config_text="seed: 1\n", info={})
    (folder.logs_path / "train.log").write_text("one\ntwo\n")
    assert invoke("logs", str(folder.path)).stdout == "one\ntwo\n"
    done = invoke("logs", "first", "--runs", str(tmp_path), "--json", "-")
    assert json.loads(done.stdout)["results"] == [{"name": "logs.first.text", "value": "one\ntwo\n", "unit": ""}]
    assert done.stderr == "one\ntwo\n"


def test_watch_serves_on_loopback_until_ctrl_c(tmp_path):
    pytest.importorskip("tensorboard")
    command = [sys.executable, "-m", "rlplat", "watch", str(tmp_path)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    with urlopen(address, timeout=30) as page:
        assert b"TensorBoard" in page.read()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    with pytest.raises(OSError):
        urlopen(address, timeout=5)


def test_watch_of_no_folder_is_refused(tmp_path):
    done = invoke("watch", str(tmp_path / "none"))
    assert done.exit_code == 1
    assert "there is no such folder" in done.stderr


def test_watch_of_a_port_in_use_is_refused(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        done = invoke("watch", str(tmp_path), "--port", str(server.getsockname()[1]))
    assert done.exit_code == 1
    assert "is in use" in done.stderr
