"""Who may import whom: the import lines of every Python file, read from its source."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rlplat", "envs", "agents")
SLOW_TO_IMPORT = ("numpy", "pydantic", "torch", "onnx", "onnxruntime", "ray", "scipy", "tensorboard")
TORCH_PLACES = (
    "agents/",
    "rlplat/runs/checkpoint",  # files of weights and optimiser
    "rlplat/training/",  # the learner's side
    "rlplat/placement/",
    "rlplat/hardware.py",  # says which GPUs torch can use
    "rlplat/devices.py",
)


@dataclass(frozen=True)
class Import:
    """One imported module: `file:line imports module`."""

    file: str
    line: int
    module: str
    at_import: bool
    """True: runs when the file is imported; False: inside a function or under TYPE_CHECKING."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"

    def is_of(self, *packages: str) -> bool:
        return self.module.split(".")[0] in packages


def imports_in(source: str, file: str) -> Iterator[Import]:
    """Every import of a source text, wherever it stands; relative ones with their package written out."""

    def visit(node: ast.AST, at_import: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, at_import)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = Path(file).parent.parts
                module = ".".join((*package[: len(package) - node.level + 1], *filter(None, [module])))
            for alias in node.names:
                yield Import(file, node.lineno, f"{module}.{alias.name}", at_import)
        elif is_import_by_name(node):
            yield Import(file, node.lineno, node.args[0].value, at_import)
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, at_import and not deferred)

    yield from visit(ast.parse(source, file), at_import=True)


def is_import_by_name(node: ast.AST) -> bool:
    """`importlib.import_module("name")` or `__import__("name")`."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


@cache
def all_imports(*packages: str) -> list[Import]:
    files = [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]
    return [found for file in files for found in imports_in(file.read_text("utf-8"), file.relative_to(ROOT).as_posix())]


def architecture() -> list[str]:
    """The files of docs/architecture.md in their order, `a.{hpp,cpp}` as two."""
    names = re.findall(r"^- `([^`]+)`:", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.MULTILINE)
    files = []
    for name in names:
        stem, _, endings = name.partition("{")
        files += [stem + ending for ending in endings.rstrip("}").split(",")]
    return files


def file_of(module: str, files: list[str]) -> str | None:
    """The file among `files` that an imported name leads to."""
    parts = module.split(".")
    paths = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((file for path in paths for file in (f"{path}.py", f"{path}/__init__.py") if file in files), None)


def listed(offenders: Iterator[Import]) -> list[str]:
    return [str(offender) for offender in offenders]


def test_every_form_of_import_is_seen():
    source = (
        "import ray.util\n"
        "from .. import data\n"
        "from .pool import Pool\n"
        "if TYPE_CHECKING:\n    import torch\n"
        "def f():\n    from envs import games\n    importlib.import_module('agents.alphazero')\n"
    )
    found = [(i.module, i.at_import) for i in imports_in(source, "rlplat/placement/cluster.py")]
    assert found == [
        ("ray.util", True),
        ("rlplat.data", True),
        ("rlplat.placement.pool.Pool", True),
        ("torch", False),
        ("envs.games", False),
        ("agents.alphazero", False),
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_are_read(package):
    assert (ROOT / package / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("package", "others"), [("rlplat", ("envs", "agents")), ("envs", ("agents",)), ("agents", ("envs",))]
)
def test_a_package_imports_only_what_lies_below_it(package, others):
    assert listed(found for found in all_imports(package) if found.is_of(*others)) == []


def test_nothing_imports_deployment_files_and_no_package_imports_tests():
    assert listed(found for found in all_imports(*PACKAGES, "tests") if found.is_of("cluster")) == []
    assert listed(found for found in all_imports(*PACKAGES) if found.is_of("tests")) == []


def test_ray_is_imported_in_placement_and_jobs_only():
    allowed = ("rlplat/placement/", "rlplat/jobs/")
    assert listed(i for i in all_imports(*PACKAGES) if i.is_of("ray") and not i.file.startswith(allowed)) == []


def test_mujoco_is_imported_in_envs_only():
    assert listed(i for i in all_imports("rlplat", "agents") if i.is_of("mujoco")) == []


def test_torch_is_imported_in_agents_checkpoints_and_the_learners_side_only():
    assert listed(i for i in all_imports(*PACKAGES) if i.is_of("torch") and not i.file.startswith(TORCH_PLACES)) == []


def test_the_engine_imports_torch_only_where_it_is_used():
    assert listed(i for i in all_imports("rlplat") if i.is_of("torch") and i.at_import) == []


def test_the_parts_of_ray_that_pin_gymnasium_are_not_imported():
    assert listed(i for i in all_imports(*PACKAGES) if i.module.startswith(("ray.rllib", "ray.tune"))) == []


def test_the_wheel_ships_only_the_engine():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["scikit-build"]
    assert build["wheel"]["packages"] == ["rlplat"]


def test_the_architecture_lists_every_source_file_once():
    sources = [
        file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.suffix in (".py", ".hpp", ".cpp")
    ]
    written = {file.relative_to(ROOT).as_posix() for file in sources if file.stat().st_size > 0}
    assert written - set(architecture()) == set(), "docs/architecture.md lacks a line for these files"
    assert set(architecture()) - written == set(), "docs/architecture.md lists files that are not there"
    assert len(architecture()) == len(written)


def test_the_architecture_lists_a_file_below_those_that_it_imports():
    files = architecture()
    upward = [
        f"{found}, listed below it"
        for found in all_imports(*PACKAGES)
        if found.at_import and found.file in files and (target := file_of(found.module, files))
        if files.index(target) > files.index(found.file)
    ]
    assert upward == []


def test_deployment_files_are_no_package():
    assert list((ROOT / "cluster").rglob("__init__.py")) == []


def test_the_command_line_starts_without_the_slow_libraries():
    code = f"import sys, rlplat.cli; print(*sorted(set({SLOW_TO_IMPORT}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_engine_is_importable_without_ray():
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in sorted((ROOT / "rlplat").rglob("*.py"))
        if not file.relative_to(ROOT).as_posix().startswith(("rlplat/placement/", "rlplat/jobs/"))
        and file.name != "__main__.py"
    ]
    code = f"import importlib, sys; sys.modules['ray'] = None; [importlib.import_module(m) for m in {modules!r}]"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
