import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rlplat.errors import RunError
from rlplat.runs import durable
from rlplat.runs.folder import RunFolder, list_runs

HOLD = """
import sys
from rlplat.runs.folder import RunFolder
with RunFolder.open(sys.argv[1]).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def make(path: Path, **info: object) -> RunFolder:
    return RunFolder.create(path, config_text="seed: 7\n", info={"seed": 7, **info})


def holder(path: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_new_run_records_where_it_comes_from(tmp_path: Path) -> None:
    folder = make(tmp_path / "runs" / "first", agent="agents.alphazero:AlphaZero")
    record = json.loads((folder.path / "run.json").read_text())
    assert record["state"] == "created" and record["seed"] == 7 and record["agent"] == "agents.alphazero:AlphaZero"
    assert record["versions"]["python"] == sys.version.split()[0]
    assert {"rlplat", "torch", "numpy", "ray"} <= record["versions"].keys()
    assert {"commit", "dirty"} <= record["git"].keys()
    assert record["hardware"]["num_cores"] >= 1 and record["hardware"]["cpu"]
    assert record["created"].endswith("+00:00")
    assert folder.config_path.read_text() == "seed: 7\n"
    for part in (folder.checkpoints_path, folder.evaluations_path, folder.games_path, folder.logs_path):
        assert part.is_dir()


def test_outside_of_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert make(tmp_path / "run").info["git"] == {"commit": None, "dirty": None}


def test_a_folder_in_use_is_not_taken_over(tmp_path: Path) -> None:
    make(tmp_path / "run")
    with pytest.raises(RunError, match=r"already holds a run.*--resume.*--run-dir"):
        make(tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"is not empty.*--run-dir"):
        make(tmp_path / "other")
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is a file"):
        make(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert make(tmp_path / "empty").state == "created"


def test_a_wrong_name_brings_the_nearest_runs(tmp_path: Path) -> None:
    make(tmp_path / "connect_four")
    with pytest.raises(RunError, match=r"does not exist; did you mean .*connect_four\?"):
        RunFolder.open(tmp_path / "conect_four")
    with pytest.raises(RunError, match="runs there: connect_four"):
        RunFolder.open(tmp_path / "xyz")
    with pytest.raises(RunError, match=r"not a run folder .*did you mean"):
        (tmp_path / "connect_fuor").mkdir()
        RunFolder.open(tmp_path / "connect_fuor")


def test_a_damaged_or_foreign_run_file_is_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "run")
    (folder.path / "run.json").write_text("{")
    with pytest.raises(RunError, match=r"run\.json cannot be read"):
        RunFolder.open(folder.path)
    (folder.path / "run.json").write_text('{"format": 99}')
    with pytest.raises(RunError, match="format 99"):
        RunFolder.open(folder.path)


def test_updates_merge_progress_and_keep_times(tmp_path: Path) -> None:
    folder = make(tmp_path / "run")
    folder.update("running", updates=3)
    started = folder.info["started"]
    folder.update(games=5, loss=float("nan"))
    folder.update("stopped")
    folder.update("running", updates=9)
    record = RunFolder.open(folder.path).info
    assert record["progress"] == {"updates": 9, "games": 5, "loss": None}
    assert (record["state"], record["started"], record["ended"]) == ("running", started, None)
    folder.update("finished")
    assert RunFolder.open(folder.path).info["ended"] is not None
    with pytest.raises(ValueError, match="must be one of created, waiting, running"):
        folder.update("done")


def test_an_update_that_fails_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make(tmp_path / "run")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    folder.update("running", updates=1)
    assert "No space left" in caplog.text
    assert RunFolder.open(folder.path).state == "created"
    assert not list(folder.path.glob(".*.tmp"))


def test_a_run_is_trained_by_one_process_and_the_other_learns_by_whom(tmp_path: Path) -> None:
    folder = make(tmp_path / "run")
    process = holder(folder.path)
    try:
        with pytest.raises(RunError, match=rf"being trained by process {process.pid} on host"), folder.lock():
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with folder.lock():  # the lock of a killed process is free
        assert json.loads((folder.path / "holder.json").read_text())["pid"] == os.getpid()
    with folder.lock():
        pass


def test_the_list_of_runs_tells_the_living_from_the_interrupted(tmp_path: Path) -> None:
    make(tmp_path / "old").update("finished", updates=10)
    killed = make(tmp_path / "killed")
    killed.update("running")
    alive = make(tmp_path / "alive")
    alive.update("running")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("nonsense")
    (tmp_path / "not_a_run").mkdir()
    process = holder(killed.path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with alive.lock():
        states = {run.name: run.state for run in list_runs(tmp_path)}
    assert states == {"old": "finished", "killed": "interrupted", "alive": "running", "broken": "unreadable"}
    assert [run.name for run in list_runs(tmp_path)][:3] == ["alive", "killed", "old"]
    assert list_runs(tmp_path / "nothing") == []


@pytest.mark.parametrize("padding", [0, 10, 20_000, 100_000])
def test_the_list_shows_the_last_whole_line_of_metrics(tmp_path: Path, padding: int) -> None:
    folder = make(tmp_path / "run")
    lines = [json.dumps({"step": step, "note": "x" * padding}) + "\n" for step in range(5)]
    folder.metrics_path.write_text("".join(lines) + '{"step": 5, "torn')
    metrics = list_runs(tmp_path)[0].metrics
    assert metrics is not None and metrics["step"] == 4 and len(metrics["note"]) == padding


def test_game_records_are_appended_by_step_and_dropped_on_resume(tmp_path: Path) -> None:
    folder = make(tmp_path / "run")
    folder.write_records(5, ["4453 1-0", "1234 0-1"])
    folder.write_records(5, ["777 draw"])
    folder.write_records(12, ["1 1-0"])
    folder.write_records(13, [])
    assert (folder.games_path / "00000005.txt").read_text() == "4453 1-0\n1234 0-1\n777 draw\n"
    assert sorted(path.name for path in folder.games_path.iterdir()) == ["00000005.txt", "00000012.txt"]
    folder.drop_records_after(5)
    assert [path.name for path in folder.games_path.iterdir()] == ["00000005.txt"]


def test_records_that_cannot_be_written_cost_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = make(tmp_path / "run")
    folder.games_path.rmdir()
    with caplog.at_level(logging.WARNING):
        folder.write_records(1, ["a"])
        folder.write_records(2, ["b"])
    assert len(caplog.records) == 1


def test_a_record_lands_whole_or_not_at_all(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from rlplat.runs.durable import Appender
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
file = Appender(Path(sys.argv[1]))
file.append(b"a" * 80)
try:
    file.append(b"b" * 80)
except OSError:
    file.append(b"c" * 20)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "file")], check=True)
    assert (tmp_path / "file").read_bytes() == b"a" * 80 + b"c" * 20
