"""Stops jobs, and follows what they print."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from rlplat.errors import JobError, RunError
from rlplat.jobs.client import Cluster, Job
from rlplat.jobs.local import down, find_cluster, local_cluster
from rlplat.jobs.overview import log_of
from rlplat.reports import Result
from rlplat.runs.folder import RunFolder, describe_run
from rlplat.runs.lock import is_locked

DOWN_S = 300.0
"""How long `down` waits for jobs to write their checkpoints."""

LOOK_S = 0.5
"""Time between two looks at a job or a file."""


def stop(run: Path, cluster: Cluster, *, timeout_s: float) -> list[Result]:
    """Tell the job of a run to stop, wait until it has, and say where the run stands.

    The run ends after its present turn and writes a checkpoint first. Raises RunError if no job trains it now, JobError
    if it has not ended after `timeout_s`; it goes on ending then.
    """
    job = _active_job(run, cluster)
    cluster.stop(job.job)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        now = cluster.job(job.job)
        if now is None or not now.is_active:
            return _stopped(run, now)
        time.sleep(LOOK_S)
    raise JobError(
        f"job {job.job} has not ended within {timeout_s:.0f} s, though it was told to; see `rlplat logs {run.name}`"
    )


def _stopped(run: Path, job: Job | None) -> list[Result]:
    name = None if job is None else job.job
    if not (run / "run.json").exists():
        return [Result(f"stop.{run.name}.state", "stopped", job=name, updates=None)]
    found = describe_run(run)
    return [Result(f"stop.{run.name}.state", found.state, job=name, updates=found.progress.get("updates", 0))]


def take_down(*, now: bool) -> list[Result]:
    """End the cluster on this machine, after its jobs have stopped with a checkpoint unless `now`."""
    there = local_cluster()
    stopped = []
    if there is not None and there.is_alive and not now:
        stopped = stop_all(there.cluster(), timeout_s=DOWN_S)
    killed = down()
    address = None if there is None else there.address
    return [Result("down.address", address, stopped_jobs=stopped, killed_processes=killed)]


def stop_all(cluster: Cluster, *, timeout_s: float) -> list[str]:
    """Stop every job of rlplat on a cluster and wait for all; returns their names."""
    active = [job.job for job in cluster.jobs() if job.is_active]
    for job in active:
        cluster.stop(job)
    deadline = time.monotonic() + timeout_s
    while left := [job.job for job in cluster.jobs() if job.is_active]:
        if time.monotonic() > deadline:
            raise JobError(
                f"{', '.join(left)}: not ended within {timeout_s:.0f} s; end the cluster with --now all the same"
            )
        time.sleep(LOOK_S)
    return active


def follow(run: Path, address: str | None, *, forever: bool) -> Iterator[str]:
    """Yield what a run has printed, and with `forever` what it prints until it ends."""
    if not (run / "run.json").exists():
        yield from _cluster_logs(run, _cluster_that_may_know(run, address), forever=forever)
    if not (run / "run.json").exists():
        return
    path, position = log_of(run), 0
    while True:
        # Asked first, so that nothing is missed that is printed meanwhile.
        ended = not forever or not (is_locked(run) or _has_active_job(run, address))
        if path.exists():
            with path.open("rb") as file:
                file.seek(position)
                new = file.read()
            position += len(new)
            if new:
                yield new.decode(errors="replace")
        if ended:
            return
        time.sleep(LOOK_S)


def _has_active_job(run: Path, address: str | None) -> bool:
    """Whether a job is about to take the run over; False where no cluster can be asked."""
    try:
        job = _last_job(run, find_cluster(address))
    except JobError:
        return False
    return job is not None and job.is_active


def _cluster_that_may_know(run: Path, address: str | None) -> Cluster:
    """The cluster to ask for a run whose folder is not there; RunError, with the runs that are, if there is none."""
    try:
        return find_cluster(address)
    except JobError as error:
        try:
            RunFolder.open(run)
        except RunError as missing:
            raise RunError(f"{missing}; and {error}") from error
        raise


def _cluster_logs(run: Path, cluster: Cluster, *, forever: bool) -> Iterator[str]:
    """What a job prints before its run's folder is there: why it cannot begin, if it cannot."""
    told = 0
    while True:
        job = _last_job(run, cluster)
        if job is None:
            RunFolder.open(run)  # says which runs there are
            return
        text = cluster.logs(job.job)
        yield text[told:]
        told = len(text)
        if not forever or not job.is_active or (run / "run.json").exists():
            return
        time.sleep(LOOK_S)


def _active_job(run: Path, cluster: Cluster) -> Job:
    job = _last_job(run, cluster)
    if job is not None and job.is_active:
        return job
    folder = RunFolder.open(run)
    if is_locked(run):
        with folder.lock():  # says which process holds it
            pass
    raise RunError(f"{run} is {describe_run(run).state}: no job trains it on {cluster.address}")


def _last_job(run: Path, cluster: Cluster) -> Job | None:
    return next((job for job in reversed(cluster.jobs()) if job.run == run), None)
