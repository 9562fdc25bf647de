"""A cluster, spoken to through Ray's REST end point. Needs no Ray on this machine, and answers in milliseconds."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import os
import platform
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from rlplat.errors import JobError

RUN_KEY = "rlplat_run"
"""Key of a job's metadata: the run's folder. Jobs without it are other people's."""
WANTS_KEY = "rlplat_wants"
"""Key of a job's metadata: what all processes of the run ask for, in words."""

ACTIVE = ("PENDING", "RUNNING")
MOST_PACKAGE_BYTES = 100 << 20
"""Ray's end point takes no larger request (`DASHBOARD_CLIENT_MAX_SIZE` of Ray 2.60)."""

_QUICK_S = 5.0
_UPLOAD_S = 300.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Job:
    """One job as the cluster knows it."""

    job: str
    run: Path
    status: str
    """PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED."""
    message: str
    wants: str
    started_s: float
    """Seconds since 1970."""

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


@dataclass(frozen=True)
class Node:
    """One machine of a cluster: CPUs and GPUs, all of them and those that nobody has taken."""

    total: Mapping[str, float]
    free: Mapping[str, float]


class Cluster:
    """The end point at `address`. Every call raises JobError with what to do about it."""

    def __init__(self, address: str, token: str | None) -> None:
        self.address = normal_address(address)
        self._token = token
        local = urlsplit(self.address).hostname in _LOOPBACK
        proxies = urllib.request.ProxyHandler({} if local else None)
        self._opener = urllib.request.build_opener(proxies, _NoRedirect())

    def check_versions(self) -> None:
        """Raise JobError if the cluster's Ray or Python is not this machine's (major and minor)."""
        ray, python = self.versions()
        here = platform.python_version()
        if _minor(python) != _minor(here):
            raise JobError(
                f"{self.address} runs Python {python}, this machine {here}: the compiled parts of a job would not load "
                f"there. Submit with Python {_minor(python)}, or start the cluster with Python {_minor(here)}"
            )
        try:
            ours = importlib.metadata.version("ray")
        except importlib.metadata.PackageNotFoundError:
            return
        if _minor(ray) != _minor(ours):
            raise JobError(
                f"{self.address} runs Ray {ray}, this machine has {ours}: pip install 'ray[default]=={ray}' here, or "
                f"start the cluster with Ray {ours}"
            )

    def versions(self) -> tuple[str, str]:
        """Return the cluster's versions of Ray and Python."""
        found = self._get("/api/v0/cluster_metadata")["data"]
        return str(found["rayVersion"]), str(found["pythonVersion"])

    def nodes(self) -> list[Node]:
        """Return the machines that are alive."""
        found = self._get("/api/v0/nodes?detail=1")["data"]["result"]["result"]
        status = self._get("/api/cluster_status")["data"].get("clusterStatus") or {}
        used = (status.get("loadMetricsReport") or {}).get("usageByNode") or {}
        return [
            _node(each["resources_total"], used.get(each["node_id"], {})) for each in found if each["state"] == "ALIVE"
        ]

    def jobs(self) -> list[Job]:
        """Return the jobs that rlplat submitted, oldest first."""
        found = [_job(each) for each in self._get("/api/jobs/") if RUN_KEY in (each.get("metadata") or {})]
        return sorted(found, key=lambda job: job.started_s)

    def job(self, job: str) -> Job | None:
        """Return a job; None if the cluster does not know it (any more)."""
        return next((each for each in self.jobs() if each.job == job), None)

    def logs(self, job: str) -> str:
        """Return all that a job has printed before its run's folder was there."""
        return str(self._get(f"/api/jobs/{quote(job, safe='')}/logs")["logs"])

    def upload(self, name: str, content: bytes) -> str:
        """Store a package of files; returns the address by which jobs name it."""
        path = f"/api/packages/gcs/{name}"
        try:
            self._request("GET", path)  # also tells Ray to keep a package of that name until a job has begun with it
        except _NotFound:
            self._request("PUT", path, content, timeout_s=_UPLOAD_S)
        return f"gcs://{name}"

    def submit(self, request: Mapping[str, Any]) -> None:
        """Start a job; see Ray's `JobSubmitRequest` for what the request holds."""
        self._request("POST", "/api/jobs/", json.dumps(request).encode(), timeout_s=60)

    def stop(self, job: str) -> None:
        """Ask a job to stop; returns at once."""
        self._request("POST", f"/api/jobs/{quote(job, safe='')}/stop", b"")

    def _get(self, path: str) -> Any:
        content = self._request("GET", path)
        try:
            return json.loads(content)
        except ValueError as error:
            raise JobError(
                f"{self.address} is no Ray cluster: it answers {path} with {content[:60]!r}; "
                "name the address of a cluster's dashboard, such as http://127.0.0.1:8265"
            ) from error

    def _request(self, method: str, path: str, content: bytes | None = None, timeout_s: float = _QUICK_S) -> bytes:
        request = urllib.request.Request(self.address + path, content, method=method)
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        if content is not None:
            request.add_header("Content-Type", "application/json" if method == "POST" else "application/octet-stream")
        try:
            with self._opener.open(request, timeout=timeout_s) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            raise self._refused(error, path) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise JobError(
                f"{self.address} does not answer ({reason}): start a cluster on this machine with `rlplat up`, or name "
                "the address of a cluster's dashboard with --cluster http://HOST:8265"
            ) from error

    def _refused(self, error: urllib.error.HTTPError, path: str) -> JobError:
        text = error.read().decode(errors="replace").strip()
        if error.code in (401, 403):
            found = "no token was given" if self._token is None else "the token given is not the cluster's"
            return JobError(
                f"{self.address} refuses access ({error.code} {error.reason}): {found}. Put the cluster's token into a "
                "file that only you can read, and its path into RAY_AUTH_TOKEN_PATH"
            )
        if error.code == 404:
            return _NotFound(
                f"{self.address}{path} is not there (404); is this the address of a Ray cluster's dashboard?"
            )
        last = text.splitlines()[-1] if text else ""
        return JobError(f"{self.address} refuses {path} ({error.code} {error.reason}): {last}")


class _NotFound(JobError):
    """The end point knows no such thing."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token is for this address alone, so no other is followed."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def normal_address(text: str) -> str:
    """Return `http://HOST:PORT` for `HOST:PORT` and the like; JobError for what is no address of that kind."""
    address = (text if "://" in text else f"http://{text}").rstrip("/")
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise JobError(
            f"{text!r} is no address of a cluster; it must look like http://HOST:8265 (the dashboard's port; "
            "neither ray:// nor the port that Ray's own processes use)"
        )
    return address


def user_token() -> str | None:
    """Return the token that Ray's own commands would use: environment, file named there, file in the home folder."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named) if named else Path.home() / ".ray" / "auth_token"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        if named is None:
            return None
        raise JobError(f"RAY_AUTH_TOKEN_PATH is {named}, which cannot be read: {error.strerror}") from error


def _node(total: Mapping[str, float], used: Mapping[str, tuple[float, float]]) -> Node:
    counted = {name: float(total[name]) for name in ("CPU", "GPU") if name in total}
    free = {name: round(amount - used.get(name, (0.0, 0.0))[0], 4) for name, amount in counted.items()}
    return Node(counted, free)


def _job(found: Mapping[str, Any]) -> Job:
    metadata = found["metadata"]
    return Job(
        job=str(found["submission_id"]),
        run=Path(metadata[RUN_KEY]),
        status=str(found["status"]),
        message=str(found.get("message") or ""),
        wants=str(metadata.get(WANTS_KEY, "")),
        started_s=float(found.get("start_time") or 0) / 1000,
    )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
