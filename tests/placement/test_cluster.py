"""What is said when Ray does not come up, or this machine is too small for a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplat.config import PlacementConfig, load_config
from rlplat.errors import ConfigError, WorkerError
from rlplat.training.build import build
from rlplat.training.session import make_pool

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


@pytest.mark.parametrize(
    ("device", "num_learners", "gpus", "asked"),
    [("auto", 2, {"GPU": 1.0}, "5 CPUs and 2 GPUs"), ("cuda", 1, {}, "4 CPUs and 1 GPU")],
)
def test_a_ray_of_the_runs_own_refuses_what_never_fits(
    tiny_config: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    num_learners: int,
    gpus: dict[str, float],
    asked: str,
) -> None:
    overrides = ["placement.mode=ray", f"placement.device={device}", f"placement.num_learners={num_learners}"]
    built = build(load_config(tiny_config, overrides))
    monkeypatch.setattr(ray, "init", lambda **_: None)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 5.0} | gpus)
    pool = make_pool(built)
    with pytest.raises(ConfigError, match=f"asks for {asked}, and this machine has 5 CPUs.* placement.num_learners"):
        pool.start(None, None)
    pool.close()
