"""What is said when Ray does not come up."""

from __future__ import annotations

import pytest

from rlplat.config import PlacementConfig
from rlplat.errors import WorkerError

ray = pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

from rlplat.placement import cluster  # noqa: E402


def test_a_ray_that_does_not_come_up_is_one_message_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", hang)
    with (
        cluster.environment(),
        pytest.raises(WorkerError, match=r"did not start.*timed out.*rlplat doctor.*--resume.*--inline"),
    ):
        cluster.connect(PlacementConfig())
