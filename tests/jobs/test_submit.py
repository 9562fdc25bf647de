"""What is refused before anything is sent to a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplat.config import config_text, load_config
from rlplat.errors import JobError, RunError
from rlplat.jobs.client import Cluster, Job, Node
from rlplat.jobs.submit import resume, submit
from rlplat.runs.folder import RunFolder


class SmallCluster(Cluster):
    """A machine of 4 CPUs, one of which is free; `busy` is the run of its only job. It takes nothing."""

    def __init__(self, busy: Path) -> None:
        super().__init__("http://127.0.0.1:1", None)
        self._busy = busy

    def check_versions(self) -> None:
        pass

    def jobs(self) -> list[Job]:
        return [Job("busy-1", self._busy, "RUNNING", "", "", 0.0)]

    def nodes(self) -> list[Node]:
        return [Node({"CPU": 4.0}, {"CPU": 1.0})]


@pytest.fixture
def run(tiny_config: Path, tmp_path: Path) -> RunFolder:
    """A run that has been stopped, in the folder of the runs."""
    text = config_text(load_config(tiny_config, ["placement.mode=ray"]))
    folder = RunFolder.create(tmp_path / "runs" / "tiny", config_text=text, info={})
    folder.update("stopped")
    return folder


@pytest.fixture
def cluster(run: RunFolder) -> Cluster:
    return SmallCluster(run.path.parent / "busy")


def test_the_name_of_a_run_that_is_there_is_taken(run: RunFolder, cluster: Cluster) -> None:
    with pytest.raises(RunError, match=r"tiny already holds a run \(stopped\): .*--name, or .* rlplat resume tiny$"):
        submit(run.config_path, [], cluster=cluster, runs=run.path.parent, name=None)
    with pytest.raises(RunError, match=r"busy is in the hands of job busy-1 \(running\) already: .*rlplat stop busy"):
        submit(run.config_path, [], cluster=cluster, runs=run.path.parent, name="busy")


def test_a_job_that_never_fits_is_refused_with_the_numbers(run: RunFolder, cluster: Cluster) -> None:
    large = ["placement.num_actors=20"]
    with pytest.raises(
        JobError, match=r"asks for 22 CPUs in 22 processes.*a machine of 4 CPUs.*num_actors=N.*may-grow"
    ):
        submit(run.config_path, large, cluster=cluster, runs=run.path.parent, name="large")
    with pytest.raises(
        JobError, match=r"placement.mode is inline, and a job runs on Ray: submit with -o placement.mode"
    ):
        submit(run.config_path, ["placement.mode=inline"], cluster=cluster, runs=run.path.parent, name="large")


def test_a_changed_configuration_is_shown_and_refused_unless_named(
    run: RunFolder, cluster: Cluster, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    changes = ["agent.training.batch_size=32"]
    other.write_text(config_text(load_config(run.config_path, [*changes, "placement.num_actors=20"])))
    with pytest.raises(RunError) as refused:
        resume(run.path, [], cluster=cluster, config_path=other)
    assert "  agent.training.batch_size: 16 -> 32\n" in str(refused.value)
    assert str(refused.value).endswith("or name the changes: -o agent.training.batch_size=32")
    with pytest.raises(JobError, match="asks for 22 CPUs"):  # it would go on
        resume(run.path, changes, cluster=cluster, config_path=other)


def test_a_run_in_training_and_one_at_its_end_are_not_resumed(run: RunFolder, cluster: Cluster) -> None:
    with run.lock(), pytest.raises(RunError, match="is being trained by process"):
        resume(run.path, [], cluster=cluster)
    run.update("finished")
    with pytest.raises(RunError, match=r"has reached its budget; to go on, raise it: -o training.max_updates=..."):
        resume(run.path, [], cluster=cluster)
