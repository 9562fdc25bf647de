"""What the commands on jobs found: for people, and as results for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlplat.reports import Result
from rlplat.runs.progress import percent
from rlplat.tables import headline, local_time, print_table, shown

if TYPE_CHECKING:
    from rlplat.jobs.local import LocalCluster
    from rlplat.jobs.overview import JobInfo, Overview, Status
    from rlplat.jobs.submit import Submitted

_RATES = ("speed/", "self_play/positions_per_s", "self_play/games_per_s")
"""Beginnings of the metrics that `status` shows as rates."""


def print_up(found: tuple[LocalCluster, bool]) -> None:
    """Print where the cluster is, and what one does with it."""
    cluster, is_new = found
    if not is_new:
        print(f"a cluster is up already, since {local_time(cluster.started)}; `rlplat down` ends it")
    print(f"cluster      {cluster.address} (loopback only; token in {cluster.token_path})")
    print(f"TensorBoard  {cluster.tensorboard}")
    print(f"runs         {cluster.runs}")


def up_results(found: tuple[LocalCluster, bool]) -> list[Result]:
    """Return `up.address`, with the other addresses and paths."""
    cluster, is_new = found
    fields = {"token_path": cluster.token_path, "runs": cluster.runs, "tensorboard": cluster.tensorboard}
    return [Result("up.address", cluster.address, is_new=is_new, started=cluster.started, **fields)]


def print_down(results: list[Result]) -> None:
    """Print what was ended."""
    fields = results[0].fields
    if fields["stopped_jobs"]:
        print(f"stopped, each with a checkpoint: {', '.join(fields['stopped_jobs'])}")
    forced = f"; {fields['killed_processes']} processes had to be killed" if fields["killed_processes"] else ""
    print(f"{results[0].value} and TensorBoard have ended{forced}")


def print_stopped(results: list[Result]) -> None:
    """Print where the run stands."""
    fields = results[0].fields
    at = f" at update {fields['updates']:,}" if fields["updates"] is not None else ""
    print(f"job {fields['job']}: {results[0].value}{at}")


def log_results(found: tuple[str, str]) -> list[Result]:
    """Return `logs.<run>.text`, from the name of a run and what it printed."""
    name, text = found
    return [Result(f"logs.{name}.text", text)]


def print_submitted(found: Submitted) -> None:
    """Print which job trains which run, what it carries, and what it waits for."""
    submission = found.submission
    for key, (old, new) in found.changes.items():
        print(f"changed: {key}: {old!r} -> {new!r}")
    commit = str(submission.git["commit"] or "no commit")[:12] + (" with changes" if submission.git["dirty"] else "")
    does = "goes on with" if submission.resume else "trains"
    print(f"job {submission.job} on {submission.cluster} {does} {submission.run}")
    size = f"{found.num_bytes / 1e6:.2f} MB"
    print(f"it carries {found.num_files} files of commit {commit} and the compiled parts: {size}")
    if found.untracked:
        names = ", ".join(found.untracked[:5]) + (", ..." if len(found.untracked) > 5 else "")
        print(f"left behind, as git does not track them: {names}; `git add` them if the run needs them")
    if found.waits_for:
        print(f"it waits for {found.waits_for}")
    name = Path(submission.run).name
    print(f"watch it: rlplat status {name}; rlplat logs -f {name}")


def submitted_results(found: Submitted) -> list[Result]:
    """Return `submit.job`, with the run, the size of what it carries, and what it waits for."""
    submission = found.submission
    return [
        Result(
            "submit.job",
            submission.job,
            run=submission.run,
            cluster=submission.cluster,
            package_bytes=found.num_bytes,
            num_files=found.num_files,
            untracked=list(found.untracked),
            wants=dict(submission.wants),
            waits_for=found.waits_for,
            changes={key: list(pair) for key, pair in found.changes.items()},
        )
    ]


def print_jobs(found: Overview) -> None:
    """Print the cluster and a row for each job or run."""
    print(f"cluster      {found.cluster}")
    if found.tensorboard:
        print(f"TensorBoard  {found.tensorboard}")
    print(f"runs         {found.runs}\n")
    if not found.jobs:
        print("no jobs yet; submit one with `rlplat submit CONFIG`")
        return
    rows = [
        [job.name, job.state, job.job or "", _progress(job), _remark(job), local_time(job.updated)]
        for job in found.jobs
    ]
    columns = ["run", "state", "job", "progress", "remark", "updated"]
    print_table(columns, rows, folds=["run", "job", "remark"])


def job_results(found: Overview) -> list[Result]:
    """Return `jobs.<run>.state` for each row."""
    return [Result(f"jobs.{job.name}.state", job.state, **_job_fields(job)) for job in found.jobs]


def print_status(found: Status) -> None:
    """Print all about one run, a line for each thing."""
    info = found.info
    lines = [("run", str(info.run)), ("state", info.state)]
    if info.waits_for:
        lines.append(("waits for", info.waits_for))
    if found.submission is not None:
        lines.append(
            ("job", f"{info.job} on {found.submission.cluster}, submitted {local_time(found.submission.submitted)}")
        )
    elif info.job:
        lines.append(("job", info.job))
    lines += [(name, _of(info.progress.get(name), found.budgets.get(name))) for name in info.progress]
    metrics = info.metrics or {}
    lines += [(name, shown(value)) for name, value in metrics.items() if name.startswith(_RATES) and value is not None]
    lines += [(name, shown(value)) for name, value in metrics.items() if name.startswith("loss/")]
    lines += map(_evaluation_line, found.evaluations)
    if found.advice:
        lines.append(("advice", found.advice))
    if found.checkpoint is not None:
        lines.append(("checkpoint", f"update {found.checkpoint:,}"))
    if found.git.get("commit"):
        lines.append(("code", f"{found.git['commit'][:12]}{', with changes' if found.git['dirty'] else ''}"))
    lines.append(("updated", local_time(info.updated)))
    lines.append(("log", str(found.log)))
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        print(f"{name:{width}}  {text}")
    for line in [info.message, *found.log_end] if info.message or found.log_end else []:
        print(f"{'':{width}}  | {line}")


def status_results(found: Status) -> list[Result]:
    """Return `status.<run>.state`, with everything else as fields."""
    submission = None if found.submission is None else found.submission.submitted
    return [
        Result(
            f"status.{found.info.name}.state",
            found.info.state,
            **_job_fields(found.info),
            budgets=dict(found.budgets),
            evaluations=[dict(each) for each in found.evaluations],
            checkpoint=found.checkpoint,
            git=dict(found.git),
            advice=found.advice,
            submitted=submission,
            log=str(found.log),
        )
    ]


def _evaluation_line(row: Mapping[str, Any]) -> tuple[str, str]:
    """A match, or the episodes of one player."""
    when = f"at update {shown(row['step'])}"
    if "mean_return" in row:
        interval = f"[{shown(row['return_low'])}, {shown(row['return_high'])}]"
        success = "" if row["success"] is None else f", success {percent(row['success'])}"
        return f"return of {row['player']}", f"{shown(row['mean_return'])} {interval}{success} {when}"
    return f"against {row['opponent']}", f"{row['score']:.3f} [{row['score_low']:.3f}, {row['score_high']:.3f}] {when}"


def _job_fields(job: JobInfo) -> dict[str, Any]:
    return {
        "run": str(job.run),
        "job": job.job,
        "waits_for": job.waits_for,
        "progress": dict(job.progress),
        "metrics": None if job.metrics is None else dict(job.metrics),
        "updated": job.updated,
        "message": job.message,
    }


def _progress(job: JobInfo) -> str:
    """The first count alone: the list has to fit a terminal."""
    return next((f"{shown(value)} {name}" for name, value in job.progress.items()), "")


def _remark(job: JobInfo) -> str:
    if job.waits_for:
        return f"waits for {job.waits_for}"
    return job.message or headline(job.metrics or {}, 2)


def _of(value: float | None, budget: float | None) -> str:
    return shown(value) if budget is None else f"{shown(value)} of {shown(budget)}"
