"""What a job carries."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

from rlplat.errors import JobError
from rlplat.jobs import package
from rlplat.jobs.package import make_package, package_name, read_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a changed, a deleted, an added, an ignored and an untracked file."""
    root = tmp_path / "checkout"
    (root / "mine").mkdir(parents=True)
    for name in ("mine/kept.py", "mine/changed.py", "mine/deleted.py"):
        (root / name).write_text(f"# {name}\n")
    (root / ".gitignore").write_text("runs/\n")
    git(root, "init", "-q")
    git(root, "add", "--all")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first")
    (root / "mine/changed.py").write_text("# as it is now\n")
    (root / "mine/deleted.py").unlink()
    (root / "mine/ä ö.py").write_text("# added\n")
    git(root, "add", "mine/ä ö.py")
    (root / "mine/untracked.py").write_text("# not known to git\n")
    (root / "runs").mkdir()
    (root / "runs/large.bin").write_bytes(b"0" * 1000)
    return root


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True)


def contents(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_tracked_files_are_carried_as_they_are_now(checkout: Path) -> None:
    found = read_checkout(checkout / "mine")
    assert found.root.samefile(checkout)
    files = contents(make_package(found, [], {}))
    assert {name for name in files if name.startswith("mine")} == {"mine/kept.py", "mine/changed.py", "mine/ä ö.py"}
    assert files["mine/changed.py"] == b"# as it is now\n"
    assert not any(name.startswith("runs") for name in files)
    assert found.untracked == ("mine/untracked.py",)
    assert "+# as it is now" in found.diff
    assert "-# mine/deleted.py" in found.diff


def test_libraries_and_texts_go_along_and_equal_contents_have_equal_names(checkout: Path, tmp_path: Path) -> None:
    library = tmp_path / "hex-0123.so"
    library.write_bytes(b"compiled")
    first = make_package(read_checkout(checkout), [library], {"submission.json": "{}"})
    files = contents(first)
    assert files[".rlplat/games/hex-0123.so"] == b"compiled"
    assert files[".rlplat/submission.json"] == b"{}"
    assert package_name(first) == package_name(
        make_package(read_checkout(checkout), [library], {"submission.json": "{}"})
    )
    assert package_name(first) != package_name(make_package(read_checkout(checkout), [], {"submission.json": "{}"}))


def test_a_folder_outside_of_git_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"is in no git checkout.*git init"):
        read_checkout(tmp_path)


def test_too_much_is_refused_and_the_largest_files_are_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "mine/data.bin").write_bytes(os.urandom(60_000))
    git(checkout, "add", "mine/data.bin")
    monkeypatch.setattr(package, "MOST_PACKAGE_BYTES", 50_000)
    with pytest.raises(JobError, match=r"too large for a job.*largest are mine/data\.bin \(0\.1 MB\)"):
        make_package(read_checkout(checkout), [], {})


def test_a_job_imports_the_rlplat_that_it_carries_even_beside_an_editable_installation(tmp_path: Path) -> None:
    """An editable installation of scikit-build-core puts a finder of its own before the path."""
    work, environment = tmp_path / "work", tmp_path / "venv"
    with zipfile.ZipFile(io.BytesIO(make_package(read_checkout(ROOT), [], {}))) as archive:
        archive.extractall(work)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next(environment.glob("lib/python*/site-packages"))
    (site / "elsewhere_rlplat.py").write_text(FINDER)
    (site / "editable.pth").write_text("import elsewhere_rlplat\n")

    def imported(path: str) -> str:
        done = subprocess.run(
            [environment / "bin" / "python", "-c", "import rlplat; print(rlplat.__file__)"],
            env={"PYTHONPATH": path},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or done.stderr

    assert imported("") == "elsewhere"
    assert imported(str(work)) == str(work / "rlplat" / "__init__.py")


FINDER = """
import importlib.machinery, sys

class ScikitBuildRedirectingFinder:
    def find_spec(self, name, path=None, target=None):
        if name == "rlplat":
            spec = importlib.machinery.ModuleSpec(name, self, origin="elsewhere")
            spec.has_location = True
            return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass

sys.meta_path.insert(0, ScikitBuildRedirectingFinder())
"""
