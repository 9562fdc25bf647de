"""What goes on: from the folders of the runs, and from the cluster where it answers. Imports nothing slow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlplat.errors import JobError, RunError
from rlplat.jobs.client import Cluster, Job
from rlplat.jobs.local import find_cluster, local_cluster
from rlplat.jobs.submission import JOB_LOG, Submission, last_submission
from rlplat.placement import room
from rlplat.runs.folder import RunFolder, RunInfo, describe_run, list_runs

LOG_LINES = 5
"""Last lines of the log that `status` shows of a run that failed."""


PREPARING = "the cluster to prepare the job"


@dataclass(frozen=True)
class JobInfo:
    """One row of the list of jobs: a run, and the last job that trained it."""

    name: str
    run: Path
    state: str
    """As of a run (see `RunInfo`), or `pending` (the cluster prepares the job) or `lost` (its folder is not here)."""
    job: str | None
    """Identity of the job on its cluster; None for a run that was never submitted."""
    waits_for: str | None
    progress: Mapping[str, float]
    metrics: Mapping[str, Any] | None
    updated: str | None
    """UTC, ISO 8601."""
    message: str
    """What the cluster says of a job that failed."""


@dataclass(frozen=True)
class Overview:
    """All jobs, newest first."""

    jobs: list[JobInfo]
    runs: Path
    cluster: str
    """Address, and how much of it is taken; or why it cannot be asked."""
    tensorboard: str | None


@dataclass(frozen=True)
class Status:
    """All about one run."""

    info: JobInfo
    submission: Submission | None
    budgets: Mapping[str, float]
    """Name of a count -> at how much the run ends."""
    evaluations: list[Mapping[str, Any]]
    """The last ones, against each opponent."""
    checkpoint: int | None
    """The newest one's step."""
    git: Mapping[str, Any]
    advice: str
    """What limits the run and what to change; empty while nothing is known."""
    log: Path
    log_end: list[str]
    """Last lines of the log of a run that failed."""


def runs_folder(runs: Path | None) -> Path:
    """Where the runs are: as given, or where the cluster on this machine puts them, or `runs`."""
    local = local_cluster() if runs is None else None
    return Path(local.runs) if local is not None else (runs or Path("runs")).absolute()


def overview(runs: Path | None, address: str | None) -> Overview:
    """Return what is known of all jobs and runs; an unreachable cluster is no error."""
    runs = runs_folder(runs)
    local = local_cluster()
    alive = local is not None and local.is_alive
    jobs: list[Job] = []
    try:
        cluster = find_cluster(address)
        jobs = cluster.jobs()
        said = f"{cluster.address}: {_taken(cluster)}"
    except JobError as error:
        said = str(error)
    return Overview(_merge(list_runs(runs), jobs, runs), runs, said, local.tensorboard if alive and local else None)


def find_run(name: str, runs: Path | None) -> Path:
    """Return the folder of the run that a user means: a path, or the name of one among the runs."""
    path = Path(name)
    is_path = len(path.parts) > 1 or (path / "run.json").exists()
    return path.absolute() if is_path else runs_folder(runs) / name


def status(run: Path, address: str | None) -> Status:
    """Return what is known of a run; raises RunError if neither its folder nor a job of it is there."""
    jobs = [job for job in _jobs_or_none(address) if job.run == run]
    if not (run / "run.json").exists() and jobs:
        info = _merge([], jobs, run.parent)[0]
        return Status(info, None, {}, [], None, {}, "", run / "logs" / JOB_LOG, [])
    folder = RunFolder.open(run)
    info = _merge([describe_run(run)], jobs, run.parent)[0]
    log = log_of(run)
    checkpoints = [int(path.name) for path in folder.checkpoints_path.glob("[0-9]*")]
    return Status(
        info=info,
        submission=last_submission(run),
        budgets=_budgets(folder),
        evaluations=_evaluations(folder),
        checkpoint=max(checkpoints, default=None),
        git=folder.info.get("git") or {},
        advice=folder.info.get("advice") or "",
        log=log,
        log_end=_last_lines(log) if info.state in ("failed", "interrupted") else [],
    )


def log_of(run: Path) -> Path:
    """Return the file that holds what a run printed: its jobs' output, or the log of a run without jobs."""
    job_log = run / "logs" / JOB_LOG
    return job_log if job_log.exists() else run / "logs" / "train.log"


def _jobs_or_none(address: str | None) -> list[Job]:
    try:
        return find_cluster(address).jobs()
    except JobError:
        return []


def _merge(runs: Iterable[RunInfo], jobs: Iterable[Job], root: Path) -> list[JobInfo]:
    newest = {job.run: job for job in jobs}  # jobs come oldest first
    rows = [_row(run, newest.pop(run.path.absolute(), None)) for run in runs]
    without_folder = [job for job in newest.values() if job.run.parent == root]
    return [*(_row_without_folder(job) for job in reversed(without_folder)), *rows]


def _row(run: RunInfo, job: Job | None) -> JobInfo:
    begun = _job_name(run.path)
    pending = job is not None and job.is_active and job.job != begun  # its driver has not opened the folder yet
    return JobInfo(
        name=run.name,
        run=run.path,
        state="pending" if pending else run.state,
        job=begun if job is None else job.job,
        waits_for=PREPARING if pending else run.waits_for,
        progress=run.progress,
        metrics=run.metrics,
        updated=run.updated,
        message=_last_line(job.message) if job is not None and job.status == "FAILED" else "",
    )


def _row_without_folder(job: Job) -> JobInfo:
    state = {"PENDING": "pending", "RUNNING": "pending", "FAILED": "failed", "STOPPED": "stopped"}.get(
        job.status, "lost"
    )
    waits_for = PREPARING if state == "pending" else None
    return JobInfo(job.run.name, job.run, state, job.job, waits_for, {}, None, None, _last_line(job.message))


def _job_name(run: Path) -> str | None:
    try:
        found = last_submission(run)
    except JobError:
        return None
    return None if found is None else found.job


def _taken(cluster: Cluster) -> str:
    nodes = cluster.nodes()
    total, free = (room.total(parts) for parts in ([n.total for n in nodes], [n.free for n in nodes]))
    parts = [f"{total[name] - free.get(name, 0):g} of {total[name]:g} {name}s taken" for name in total]
    return ", ".join(parts) + (f" on {len(nodes)} machines" if len(nodes) != 1 else "")


def _budgets(folder: RunFolder) -> dict[str, float]:
    from rlplat.yaml_files import read_yaml  # not for the list of jobs, which has no need of it

    training = read_yaml(folder.config_path).get("training", {})
    limits = {"updates": "max_updates", "amount": "max_amount", "minutes": "max_minutes"}
    return {count: training[key] for count, key in limits.items() if training.get(key) is not None}


def _evaluations(folder: RunFolder) -> list[Mapping[str, Any]]:
    for path in sorted(folder.evaluations_path.glob("*.json"), reverse=True):
        try:
            content: Mapping[str, list[Mapping[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error!r}; remove it") from error
        for kind in ("evaluations", "episodes"):  # others are judgements of positions, and matches of checkpoints
            if content.get(kind):
                return content[kind]
    return []


def _last_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        return []


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
