"""What is known of runs from their folders alone."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import environment

from rlplat.errors import RunError
from rlplat.jobs.control import follow
from rlplat.jobs.overview import status
from rlplat.runs.folder import RunFolder


def test_status_shows_the_last_matches_against_opponents_whatever_was_found_since(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", config_text="training: {max_updates: 9}\n", info={})
    assert list(status(run.path, None).evaluations) == []
    for name, content in (
        ("20260101T000000000000Z-5.json", '{"evaluations": [{"opponent": "random"}], "positions": [{}]}'),
        ("20260102T000000000000Z-5.json", '{"positions": [{}]}'),
        ("20260103T000000000000Z-9.json", '{"matches": [{"opponent": "checkpoint:@5"}]}'),
    ):
        (run.evaluations_path / name).write_text(content)
    assert [row["opponent"] for row in status(run.path, None).evaluations] == ["random"]


def test_the_log_of_a_run_that_is_not_there_names_those_that_are(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    run = RunFolder.create(tmp_path / "first", config_text="seed: 1\n", info={})
    (run.logs_path / "train.log").write_text("trained\n")
    assert list(follow(run.path, None, forever=False)) == ["trained\n"]
    with pytest.raises(RunError, match=r"fisrt does not exist; did you mean .*first\?; and no cluster is up"):
        list(follow(tmp_path / "fisrt", None, forever=False))


@pytest.mark.parametrize("arguments", [["jobs"], ["status"], ["status", "first"]])
def test_with_the_cluster_down_the_folders_are_read_at_once_and_no_library_is_imported(
    tmp_path: Path, arguments: list[str]
) -> None:
    RunFolder.create(tmp_path / "runs" / "first", config_text="training: {max_updates: 9}\n", info={})
    code = f"import sys, time; sys.argv[1:] = {arguments!r}\nfrom rlplat.cli import app\napp(standalone_mode=False)\n"
    code += "assert not {'ray', 'torch', 'numpy'} & set(sys.modules)\nprint(time.process_time())"
    alone = environment() | {"XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "first" in done.stdout and "created" in done.stdout
    assert float(done.stdout.split()[-1]) < 1.0
