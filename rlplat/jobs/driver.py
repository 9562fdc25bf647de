"""What a job runs on its cluster, in the working directory that it carried there: `python -m rlplat.jobs.driver`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import rlplat
from rlplat import registry
from rlplat.config import load_config
from rlplat.errors import JobError, RlplatError
from rlplat.jobs.package import CARRIED_FOLDER
from rlplat.jobs.submission import CONFIG_FILE, DIFF_FILE, JOB_LOG, SUBMISSIONS_FOLDER, Submission
from rlplat.runs.folder import RunFolder


def main() -> int:
    """Train as the submission says; returns the exit code."""
    carried = Path(CARRIED_FOLDER).absolute()
    clusters_log = os.dup(2)
    try:
        _train(Submission.read(carried), carried)
    except RlplatError as error:
        # To both: a run that comes to nothing takes its folder along, and `status` shows the cluster's log then.
        print(error, file=sys.stderr, flush=True)
        if not os.path.sameopenfile(2, clusters_log):
            os.write(clusters_log, f"{error}\n".encode())
        return 1
    except KeyboardInterrupt:
        print("stopped on request; `rlplat resume RUN` goes on", flush=True)
    return 0


def _train(submission: Submission, carried: Path) -> None:
    _check_origin()
    registry.trust(*submission.trust)
    config = load_config(carried / CONFIG_FILE)

    def on_open(folder: RunFolder) -> None:
        config_text, diff = ((carried / name).read_text(encoding="utf-8") for name in (CONFIG_FILE, DIFF_FILE))
        submission.write(folder.path / SUBMISSIONS_FOLDER / submission.job, config_text, diff)
        _redirect_output(folder.logs_path / JOB_LOG)

    from rlplat.training.session import train  # slow: a wrong submission is told before

    train(
        config,
        run_dir=Path(submission.run),
        resume=submission.resume,
        named=submission.named,
        facts={"git": dict(submission.git)},
        on_open=on_open,
    )


def _check_origin() -> None:
    """A job that carries rlplat must not run another one that happens to be installed on the cluster."""
    ours, running = Path("rlplat", "__init__.py").absolute(), Path(str(rlplat.__file__))
    if ours.exists() and not running.samefile(ours):
        raise JobError(
            f"the job carries its own rlplat, but {running} was imported: an installation on the cluster comes before "
            "the job's working directory; uninstall it there"
        )


def _redirect_output(path: Path) -> None:
    """Print into the run's folder from here on: it outlives the cluster, whose own log of the job ends with this."""
    print(f"what follows is printed to {path}", flush=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
