import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rlplat import doctor, hardware
from rlplat.cli import app
from rlplat.doctor import Row
from rlplat.errors import RegistryError

GPU = {"name": "NVIDIA H100", "memory_bytes": 85 * 10**9, "driver": "550.1"}


@pytest.fixture
def checks(monkeypatch):
    """Check nothing but what the test registers."""
    monkeypatch.setattr(doctor, "_checks", [])
    monkeypatch.setattr("rlplat.registry.import_content", lambda: None)


def hide(monkeypatch, *libraries: str):
    version = importlib.metadata.version

    def hidden(name: str) -> str:
        if name in libraries:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", hidden)


def test_this_machine_can_train(tmp_path):
    rows = doctor.examine(tmp_path)
    assert [row for row in rows if row.state == "fail"] == []
    assert {"compiler", "python_headers", "torch", "gpu", "tensorboard", "ray"} < {row.name for row in rows}
    assert {"disk", "memory", "ports"} < {row.name for row in rows}


def test_ray_is_looked_for_and_neither_imported_nor_started(tmp_path):
    code = "import sys; from rlplat import doctor; doctor.check_libraries(None); print('ray' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout == "False\n"


def test_no_compiler_fails_with_the_package_that_brings_one(monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    (row,) = doctor.check_compiler(tmp_path)
    assert (row.state, row.found) == ("fail", "no C++ compiler")
    assert row.mend.startswith("sudo apt-get install g++")


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            "echo 'x.cpp:2: fatal error: concepts: no such file' >&2; exit 1",
            "does not compile C++20: x.cpp:2: fatal error",
        ),
        (None, "does not run"),
    ],
)
def test_a_compiler_that_does_not_do_fails(monkeypatch, tmp_path, script, found):
    compiler = tmp_path / "cxx"
    if script is not None:
        compiler.write_text(f"#!/bin/sh\n{script}\n")
        compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    (row,) = doctor.check_compiler(tmp_path)
    assert row.state == "fail"
    assert found in row.found


def test_missing_headers_warn_with_their_package(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    (row,) = doctor.check_python_headers(tmp_path)
    assert row.state == "warn"
    assert row.mend == f"sudo apt-get install python{sys.version_info.major}.{sys.version_info.minor}-dev"


@pytest.mark.parametrize(
    ("cuda", "reason"), [(None, "built without CUDA"), ("12.8", "has CUDA 12.8 and cannot start it")]
)
def test_a_gpu_that_torch_cannot_use_is_told_loudly(monkeypatch, cuda, reason):
    monkeypatch.setattr(doctor, "gpus", lambda: [GPU])
    monkeypatch.setattr(doctor, "torch_cuda", lambda: (cuda, []))
    row = doctor.check_torch(Path())[1]
    assert (row.name, row.state) == ("gpu", "warn")
    assert row.found.startswith("A GPU IS THERE AND UNUSED: NVIDIA H100 (driver 550.1); ")
    assert reason in row.found
    assert row.mend


def test_a_gpu_that_torch_uses_is_well(monkeypatch):
    monkeypatch.setattr(doctor, "gpus", lambda: [GPU])
    monkeypatch.setattr(doctor, "torch_cuda", lambda: ("12.8", ["NVIDIA H100"]))
    assert doctor.check_torch(Path())[1] == Row("gpu", "ok", "NVIDIA H100")


def test_missing_libraries_fail_or_warn_with_the_command_that_brings_them(monkeypatch):
    hide(monkeypatch, "torch", "ray")
    assert [(row.name, row.state) for row in doctor.check_torch(Path())] == [("torch", "fail")]
    states = {row.name: (row.state, row.mend) for row in doctor.check_libraries(Path())}
    assert states["ray"] == ("warn", "pip install 'ray[default]'")
    assert states["tensorboard"] == ("ok", "")


def test_little_space_warns_with_what_is_advised(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 2**28})())
    monkeypatch.setattr(doctor, "memory_bytes", lambda: 2**30)
    states = {row.name: row for row in doctor.check_space(tmp_path / "runs")}
    assert states["disk"].state == states["memory"].state == "warn"
    assert states["disk"].found == f"0.2 GiB in {tmp_path}; 2.0 GiB are advised"


def test_a_loopback_that_is_shut_fails(monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("socket.create_server", refuse)
    (row,) = doctor.check_ports(Path())
    assert (row.state, row.found) == ("fail", "127.0.0.1 cannot be bound or reached: Operation not permitted")


def test_content_can_register_checks(checks, tmp_path):
    doctor.register(lambda runs: [Row("camera", "ok", str(runs))])
    assert doctor.examine(tmp_path) == [Row("camera", "ok", str(tmp_path))]


def test_content_that_cannot_be_imported_fails_and_stops_no_other_check(checks, monkeypatch, tmp_path):
    def broken():
        raise RegistryError("'envs' cannot be imported: envs/__init__.py, line 1: ZeroDivisionError")

    monkeypatch.setattr("rlplat.registry.import_content", broken)
    doctor.register(lambda _: [Row("camera", "ok", "")])
    assert [(row.name, row.state) for row in doctor.examine(tmp_path)] == [("content", "fail"), ("camera", "ok")]


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_the_command_fails_where_a_check_fails(checks, state, code):
    doctor.register(lambda _: [Row("thing", state, "[half] found", "make thing")])
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == code
    assert [line.split() for line in done.stdout.splitlines()] == [
        [state, "thing", "[half]", "found"],
        ["->", "make", "thing"],
    ]
    done = CliRunner().invoke(app, ["doctor", "--json", "-"])
    assert done.exit_code == code
    assert json.loads(done.stdout)["results"] == [
        {"name": "doctor.thing", "value": state, "unit": "", "found": "[half] found", "mend": "make thing"}
    ]


def test_gpus_are_those_that_the_driver_lists(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559, 550.54.15'\necho 'NVIDIA GB10, [N/A], 580.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert hardware.gpus() == [
        {"name": "NVIDIA H100 80GB HBM3", "memory_bytes": 81559 * 2**20, "driver": "550.54.15"},
        {"name": "NVIDIA GB10", "memory_bytes": None, "driver": "580.1"},
    ]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert hardware.gpus() == []


def test_a_commit_is_named_with_whether_files_differ_from_it(tmp_path):
    assert hardware.git_commit(tmp_path) == {"commit": None, "dirty": None}

    def git(*arguments: str):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "file").write_text("1")
    git("init")
    git("add", "file")
    git("commit", "-m", "first")
    (tmp_path / "untracked").touch()
    found = hardware.git_commit(tmp_path)
    assert len(found["commit"]) == 40
    assert found["dirty"] is False
    (tmp_path / "file").write_text("2")
    assert hardware.git_commit(tmp_path)["dirty"] is True
