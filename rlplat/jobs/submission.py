"""What is known of one submission: written where a job is submitted, carried by the job, kept in the run's folder.

A run that was submitted and resumed has one folder for each: `RUN/submissions/<job>/{submission.json, config.yaml,
uncommitted.diff}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rlplat.errors import JobError
from rlplat.runs.durable import write_json, write_text

SUBMISSION_FILE = "submission.json"
CONFIG_FILE = "config.yaml"
DIFF_FILE = "uncommitted.diff"
SUBMISSIONS_FOLDER = "submissions"
JOB_LOG = "job.log"
"""In a run's `logs`: all that its jobs have printed."""


@dataclass(frozen=True)
class Submission:
    """One job: which run it trains, on what code, with what configuration."""

    job: str
    """Identity of the job on its cluster: the run's name and a number."""
    cluster: str
    """Address of the cluster, as the submitting machine knows it."""
    run: str
    """Absolute path of the run's folder on the machines of the cluster."""
    resume: bool
    named: tuple[str, ...]
    """Keys of the configuration that a resumed run may change because they were named."""
    trust: tuple[str, ...]
    """Packages that names in the configuration may lead to, besides those of the checkout."""
    git: Mapping[str, Any]
    """`commit` and `dirty` of the checkout that the job carries."""
    versions: Mapping[str, str | None]
    """Python and libraries of the submitting machine."""
    wants: Mapping[str, float]
    """CPUs and GPUs that all processes of the run take together."""
    submitted: str
    """UTC, ISO 8601."""
    host: str
    """Name of the submitting machine."""

    def write(self, folder: Path, config_text: str, diff: str) -> None:
        """Write the three files of a submission into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / CONFIG_FILE, config_text)
        write_text(folder / DIFF_FILE, diff)
        write_json(folder / SUBMISSION_FILE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Submission:
        """Read submission.json; raises JobError if it is missing or is not one."""
        path = folder / SUBMISSION_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {field.name: values[field.name] for field in fields(cls)}
            return cls(**known | {"named": tuple(values["named"]), "trust": tuple(values["trust"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JobError(f"{path} cannot be read as a submission: {error!r}; submit the job again") from error


def last_submission(run: Path) -> Submission | None:
    """Return the newest submission of a run; None for a run that was never submitted."""
    found = [Submission.read(path.parent) for path in run.glob(f"{SUBMISSIONS_FOLDER}/*/{SUBMISSION_FILE}")]
    return max(found, key=lambda each: each.submitted, default=None)
