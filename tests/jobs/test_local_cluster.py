"""Jobs on a cluster of this machine: real processes, real end point."""

from __future__ import annotations

import json
import os
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, rlplat
from local_cluster import TestCluster, alive, cluster_in, python, write_config

from rlplat.hardware import git_commit

pytest.importorskip("ray", reason="Ray is not installed: there are no jobs")

pytestmark = pytest.mark.drills


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    with cluster_in(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster("up", "--runs", cluster.runs, "--cpus", "4", "--object-store-mib", "100")
        yield cluster


@pytest.fixture(scope="module")
def start_s(cluster: TestCluster) -> float:
    """Seconds from the submission of `first`, a run without end, to its first update."""
    config = write_config(cluster.folder / "first.yaml", max_updates=1_000_000, log_every=1)
    begun = time.monotonic()
    cluster("submit", config)
    cluster.is_training("first")
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def running(cluster: TestCluster, start_s: float) -> Path:
    """The folder of the run `first`, in the hands of a job."""
    return cluster.runs / "first"


def test_a_submitted_run_makes_its_first_update_within_40_seconds(start_s: float) -> None:
    print(f"{start_s:.1f} s")
    assert start_s < 40


def test_the_token_is_for_its_owner_alone_and_a_second_up_says_that_the_cluster_is_there(cluster: TestCluster) -> None:
    before = cluster.record
    said = cluster("up")
    assert "is up already" in said
    assert before["address"] in said
    assert cluster.record == before
    mode = stat.S_IMODE(Path(before["token_path"]).stat().st_mode)
    assert mode == 0o600
    assert len(Path(before["token_path"]).read_text()) == 64


def test_every_process_listens_on_loopback_only(cluster: TestCluster) -> None:
    addresses = set()
    for each in [*cluster.record["roots"], *cluster.record["others"]]:
        try:
            connections = psutil.Process(each["pid"]).net_connections(kind="inet")
        except psutil.NoSuchProcess:
            continue
        addresses |= {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_a_submission_without_the_token_is_refused(cluster: TestCluster) -> None:
    address = cluster.record["address"]
    job = json.dumps({"entrypoint": f"touch {cluster.folder / 'intruder'}", "submission_id": "intruder"}).encode()
    for token, code in ((None, 401), ("0" * 64, 403)):
        headers = {"Content-Type": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"{address}/api/jobs/", job, headers), timeout=10)
        assert refused.value.code == code
    assert "intruder" not in cluster("jobs")
    assert not (cluster.folder / "intruder").exists()


def test_a_wrong_token_is_named_with_what_to_do(cluster: TestCluster, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("0" * 64)
    stranger = {"XDG_STATE_HOME": str(tmp_path), "RAY_AUTH_TOKEN_PATH": str(wrong)}
    config = write_config(tmp_path / "stranger.yaml")
    said = cluster("submit", config, "--cluster", cluster.record["address"], code=1, **stranger)
    assert "the token given is not the cluster's" in said
    assert "RAY_AUTH_TOKEN_PATH" in said


def test_a_job_trains_in_the_run_folder_and_records_what_it_is_made_of(cluster: TestCluster, running: Path) -> None:
    record = json.loads((running / "run.json").read_text())
    assert record["git"]["commit"] == git_commit(ROOT)["commit"]
    submission = json.loads((running / "submissions" / "first-1" / "submission.json").read_text())
    assert submission["wants"] == {"CPU": 2.0}
    assert submission["versions"]["ray"] == record["versions"]["ray"]
    assert (running / "submissions" / "first-1" / "config.yaml").read_text() == (running / "config.yaml").read_text()
    assert (running / "submissions" / "first-1" / "uncommitted.diff").exists()
    assert "watch it with" in cluster("logs", "first")


def test_the_job_runs_the_code_that_it_carried(cluster: TestCluster, running: Path) -> None:
    drivers = [p for p in psutil.process_iter(["cmdline"]) if "rlplat.jobs.driver" in (p.info["cmdline"] or [])]
    ours = [p for p in drivers if p.cwd().startswith(cluster.record["temporary"])]
    assert len(ours) == 1
    maps = Path(f"/proc/{ours[0].pid}/maps").read_text()
    assert f"{ours[0].cwd()}/rlplat/_core" in maps
    assert str(ROOT / "rlplat") not in maps


def test_a_job_that_can_never_fit_is_refused_with_the_numbers(cluster: TestCluster) -> None:
    config = write_config(cluster.folder / "large.yaml")
    said = cluster("submit", config, "-o", "placement.num_actors=20", code=1)
    assert "asks for 21 CPUs in 21 processes" in said
    assert "a machine of 4 CPUs" in said
    assert not (cluster.runs / "large").exists()
    said = cluster("submit", config, "-o", "placement.device=cuda", code=1)
    assert "2 CPUs and 1 GPU" in said


def test_a_name_is_taken_once(cluster: TestCluster, running: Path) -> None:
    said = cluster("submit", cluster.folder / "first.yaml", code=1)
    assert "already holds a run (running)" in said
    assert "--name" in said


def test_a_run_in_training_is_not_resumed_a_second_time(cluster: TestCluster, running: Path) -> None:
    said = cluster("resume", "first", code=1)
    assert "is being trained by process" in said
    said = rlplat("train", running / "config.yaml", "--run-dir", running, "--resume", "--inline")
    assert said.returncode == 1
    assert "is being trained by process" in said.stderr


def test_a_job_without_room_waits_and_says_for_what_and_can_be_stopped(cluster: TestCluster, running: Path) -> None:
    config = write_config(cluster.folder / "second.yaml", max_updates=1_000_000)
    said = cluster("submit", config, "-o", "placement.num_actors=3")
    assert "it waits for 4 CPUs; 2 of 4 CPUs are free" in said
    state = cluster.wait("second", lambda state: state["value"] == "waiting")
    assert state["waits_for"] == "4 CPUs; 2 of 4 CPUs are free"
    assert "waits for 4 CPUs" in cluster("jobs").replace("\n", " ")
    assert "stopped" in cluster("stop", "second")
    assert cluster.state("second")["value"] == "stopped"


def test_jobs_and_status_answer_within_a_second_and_do_not_import_ray(cluster: TestCluster, running: Path) -> None:
    for arguments in (["jobs"], ["status"], ["status", "first"]):
        code = f"import sys; sys.argv[1:] = {arguments!r}\nfrom rlplat.cli import app\n"
        code += "app(standalone_mode=False)\nassert not {'ray', 'torch', 'numpy'} & set(sys.modules)\n"
        code += "import time; print('cpu', time.process_time())"
        done = [python("-c", code, environment=cluster.environment) for _ in range(2)]
        assert all(each.returncode == 0 for each in done), done[0].stderr
        assert min(float(each.stdout.split()[-1]) for each in done) < 1.0
        assert "first" in done[0].stdout


def test_a_stopped_job_has_written_a_checkpoint_and_goes_on_from_it(cluster: TestCluster, running: Path) -> None:
    said = cluster("stop", "first")
    state = cluster.state("first")
    stopped_at = state["progress"]["updates"]
    assert state["value"] == "stopped"
    assert state["checkpoint"] == stopped_at
    assert f"at update {stopped_at:,}" in said

    other = write_config(cluster.folder / "other.yaml", max_updates=1_000_000)
    other.write_text(other.read_text().replace("batch_size: 16", "batch_size: 32"))
    refused = cluster("resume", "first", "--config", other, code=1)
    assert "agent.training.batch_size: 16 -> 32" in refused
    assert "-o agent.training.batch_size=32" in refused
    assert cluster.state("first")["value"] == "stopped"

    more = stopped_at + 60
    named = ["-o", "agent.training.batch_size=32", "-o", f"training.max_updates={more}"]
    assert "changed: agent.training.batch_size: 16 -> 32" in cluster("resume", "first", *named)
    assert "in the hands of job first-2" in cluster("resume", "first", code=1)
    state = cluster.wait("first", lambda state: state["value"] == "finished")
    assert state["progress"]["updates"] == more
    assert [each["opponent"] for each in state["evaluations"]] == ["random"]
    record = json.loads((running / "run.json").read_text())
    assert record["changes"][0]["step"] == stopped_at
    assert "batch_size: 32" in (running / "config.yaml").read_text()
    assert "batch_size: 16" in (running / "config.0.yaml").read_text()
    steps = [json.loads(line)["step"] for line in (running / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert "has reached its budget" in cluster("resume", "first", code=1)


def test_down_stops_jobs_with_a_checkpoint_and_ends_exactly_what_up_started(cluster: TestCluster) -> None:
    cluster("submit", write_config(cluster.folder / "last.yaml", max_updates=1_000_000))
    cluster.is_training("last")
    bystander = psutil.Process(os.getpid())
    record = cluster.record
    processes = [*record["roots"], *record["others"]]
    temporary = [
        p for p in psutil.process_iter(["cmdline"]) if record["temporary"] in " ".join(p.info["cmdline"] or [])
    ]
    assert len(alive(processes)) > 5
    assert "stopped, each with a checkpoint: last-1" in cluster("down")
    assert alive(processes) == []
    end = time.monotonic() + 10
    while any(process.is_running() for process in temporary) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(process.is_running() for process in temporary)
    assert bystander.is_running()
    assert not Path(record["token_path"]).exists()
    assert not Path(record["temporary"]).exists()
    # With the cluster down, the folders say all that is to be known.
    state = cluster.state("last")
    assert state["value"] == "stopped"
    assert state["checkpoint"] == state["progress"]["updates"] > 0
    said = cluster("jobs", "--runs", cluster.runs)
    assert "no cluster is up" in said
    assert "last-1" in said
    assert "stopping after this turn" in cluster("logs", "last", "--runs", cluster.runs)
    assert "no cluster is up" in cluster("stop", "last", "--runs", cluster.runs, code=1)
    assert "nothing to end" in cluster("down", code=1)
