"""What is known of runs from their folders alone."""

import re
from pathlib import Path

from rlplat.jobs.overview import status
from rlplat.jobs.report import print_status, status_results
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


def test_status_tells_what_limits_the_run_with_the_cluster_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = RunFolder.create(tmp_path / "run", config_text="training: {max_updates: 5}\n", info={})
    assert status(folder.path, None).advice == ""
    folder.update("running", advice="collectors wait; lower agent.x", updates=3)
    folder.update(updates=4)
    found = status(folder.path, None)
    print_status(found)
    assert re.search(r"^advice +collectors wait; lower agent.x$", capsys.readouterr().out, re.MULTILINE)
    assert status_results(found)[0].fields["advice"] == "collectors wait; lower agent.x"
