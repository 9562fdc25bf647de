"""What is known of runs from their folders alone."""

from pathlib import Path

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
