"""The one place where a name becomes an object, and where it is decided which names may.

A name is `module:Attribute`, or a bare one: the game `connect_four` is `envs.games.connect_four:connect_four`, the
agents `alphazero` and `ppo` are `agents.alphazero:AGENT` and `agents.visuomotor.ppo:AGENT`, the baseline `random` is
`agents.baselines.random:BASELINE`. A name with a version is a task, a Gymnasium environment, with or without the module
that registers it: `CartPole-v1`, `envs.farm:rlplat/LettuceClimate-v0` (see `rlplat.environments.resolve`).

A game that is one C++ header may go without a module: `my_games/hex.hpp` is a file in the folder of a package.

A name may lead below the packages `envs` and `agents` of the checkout, or below a package that the user trusts: by
`--trust NAME`, or by a line in the settings file. That is decided before anything is imported.
"""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, Literal

from rlplat import settings
from rlplat.errors import RegistryError
from rlplat.problems import suggestion

Kind = Literal["game", "task", "agent", "baseline"]

HEADER = ".hpp"
"""How the names of headers end."""

CONTENT = ("envs", "agents")
"""The checkout's packages, which are trusted."""


@dataclass(frozen=True)
class _Shelf:
    """Where bare names of a kind lie: a module each, in one of a few packages."""

    packages: tuple[str, ...]
    attribute: str | None
    """Name of the object in its module; None: the module's own last name."""
    excluded: tuple[str, ...] = ()

    def modules(self) -> dict[str, str]:
        """The module of each bare name, none of them imported; {} where there is no checkout.

        A module counts if its text mentions the object it should hold, so modules that serve others are left out.
        """
        found = {}
        for package in self.packages:
            top, *inner = package.split(".")
            spec = PathFinder.find_spec(top)
            for location in (spec.submodule_search_locations or []) if spec else []:
                for entry in sorted(Path(location, *inner).glob("[!_.]*")):
                    source = entry / "__init__.py" if entry.is_dir() else entry
                    if source.suffix != ".py" or not source.is_file() or entry.stem in self.excluded:
                        continue
                    word = self.attribute or entry.stem
                    if re.search(rf"\b{re.escape(word)}\b", source.read_text(encoding="utf-8", errors="replace")):
                        found[entry.stem] = f"{package}.{entry.stem}"
        return found


_SHELVES: dict[str, _Shelf] = {
    "game": _Shelf(("envs.games",), None),
    "agent": _Shelf(("agents", "agents.visuomotor"), "AGENT", excluded=("baselines",)),
    "baseline": _Shelf(("agents.baselines",), "BASELINE"),
}

_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of installed distributions. rlplat's own installs neither `envs` nor `agents`."""

_TASK = re.compile(r"(?:([\w.]+):)?((?:[\w-]+/)?[\w.-]+-v[0-9]+)", re.ASCII)
"""Module that registers it, and Gymnasium's own id."""

GYMNASIUM = "gymnasium"
"""Its environments may be named as well: who installs Gymnasium trusts them."""

_trusted: list[str] = []


def trust(*packages: str) -> None:
    """Trust packages by name for the rest of this process: what `--trust NAME` does."""
    for package in packages:
        if not all(part.isidentifier() for part in package.split(".")):
            raise RegistryError(f"--trust {package}: this is not the name of a package, such as my_games")
        if package not in _trusted:
            _trusted.append(package)


def trusted() -> tuple[str, ...]:
    """Return what this process trusts besides the checkout, for other processes to `trust` as well."""
    return tuple(dict.fromkeys([*_trusted, *settings.trusted_packages()]))


def names(kind: Kind) -> list[str]:
    """Return the bare names of a kind, sorted, without importing any of them; [] where there is no checkout."""
    return sorted(_SHELVES[kind].modules())


def env_kind(name: str) -> Literal["game", "task"]:
    """What the `env.id` of a configuration names: a task if it ends in a version, as Gymnasium's ids do."""
    return "task" if _TASK.fullmatch(name) else "game"


def locate(name: str, *, kind: Kind, trust: Sequence[str] = ()) -> tuple[str, str]:
    """Return (module, attribute) of a name that may be loaded, or (package, path) of a header. Imports nothing of it.

    Of a task: the module that registers it, empty if none is named, and its id. Raises RegistryError for a malformed
    name, an unknown bare name, and a package that is not trusted.
    """
    if kind == "task":
        parts = _TASK.fullmatch(name)
        if parts is None:
            raise RegistryError(f"{name!r} names no task; it must look like CartPole-v1 or my_robots:Lift-v0")
        if parts[1]:
            _check_trust(parts[1], kind, name, [*trust, *trusted()])
        return parts[1] or "", parts[2]
    if kind == "game" and name.endswith(HEADER):
        return _locate_header(name, [*trust, *trusted()])
    module, colon, attribute = name.partition(":")
    if not colon:
        shelf = _SHELVES[kind]
        known = shelf.modules()
        if name not in known:
            raise RegistryError(f"no {kind} is named {name!r}{suggestion(name, known)}")
        module, attribute = known[name], shelf.attribute or name
    if not all(part.isidentifier() for part in [*module.split("."), attribute]):
        raise RegistryError(f"{name!r} names no {kind}; it must look like connect_four or my_games.hex:hex_game")
    _check_trust(module, kind, name, [*trust, *trusted()])
    return module, attribute


def resolve(name: str, *, kind: Kind, trust: Sequence[str] = ()) -> Any:
    """Return the object with that name, once it is known to be trusted and to fulfil the contract of its kind.

    Raises RegistryError: see `locate`; also if it cannot be imported (with the file and line), is not in its module, or
    lacks something of its contract (with the file that it came from).
    """
    module_name, attribute = locate(name, kind=kind, trust=trust)
    if attribute.endswith(HEADER):
        from rlplat.search.game import GameDefinition  # it loads the compiled core

        return GameDefinition(Path(attribute).stem, header=Path(attribute))
    module = _import(module_name, name)
    if not hasattr(module, attribute):
        public = [word for word in vars(module) if not word.startswith("_")]
        raise RegistryError(f"{name}: {_file(module)} has no {attribute}{suggestion(attribute, public)}")
    target = getattr(module, attribute)
    missing = _missing(target, kind)
    if missing:
        raise RegistryError(
            f"{name}: {attribute} in {_file(module)} is no {kind}: it must have {' and '.join(missing)}"
        )
    return target


def check_code(module: str, name: str, trust: Sequence[str] = ()) -> None:
    """Raise RegistryError if the code of the task `name` lies in a module that is not trusted. Imports nothing."""
    if module.partition(".")[0] != GYMNASIUM:
        _check_trust(module, "task", name, [*trust, *trusted()])


def import_module(module: str, name: str) -> ModuleType:
    """Import a module that `locate` found trusted for `name`; RegistryError with the place if it fails."""
    return _import(module, name)


def import_content() -> None:
    """Import the checkout's packages themselves: their `__init__` registers the content's checks and benchmarks."""
    for package in CONTENT:
        spec = PathFinder.find_spec(package)
        if spec is not None:
            _check_origin(package, spec)
            _import(package, package)


def _missing(target: Any, kind: Kind) -> list[str]:
    """Return what `target` lacks of its contract (see `rlplat.interfaces`), without calling it."""
    lacks = []
    if kind == "game":
        lacks += [] if callable(getattr(target, "load", None)) else ["a method load(**parameters)"]
        lacks += [] if isinstance(getattr(target, "name", None), str) else ["a text name"]
        return lacks
    if kind == "agent":
        from rlplat.config import AgentConfig  # it imports this module

        model = getattr(target, "Config", None)
        if not (isinstance(model, type) and issubclass(model, AgentConfig)):
            lacks.append("a class Config derived from rlplat.config.AgentConfig")
    elif not isinstance(getattr(target, "usage", None), str):
        lacks.append("a text usage")
    if not callable(target):
        lacks.append("a way to be called")
    return lacks


def _locate_header(name: str, packages: Sequence[str]) -> tuple[str, str]:
    package, *inner = PurePosixPath(name).parts
    if not package.isidentifier() or not inner or ".." in inner:
        raise RegistryError(f"{name!r} names no header; it must look like my_games/hex.hpp, from a package's folder on")
    _check_trust(package, "game", name, packages)
    spec = PathFinder.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (path := Path(folder, *inner)).is_file():
            return package, str(path)
    raise RegistryError(f"{name!r}: there is no such file in {', '.join(folders) or 'a package that is no folder'}")


def _check_trust(module: str, kind: Kind, name: str, packages: Sequence[str]) -> None:
    top = module.partition(".")[0]
    by_name = any(module == package or module.startswith(f"{package}.") for package in packages)
    if top not in CONTENT and not by_name:
        raise RegistryError(
            f"{name!r} lies in the package {top}, which is not trusted, and was not imported. A {kind} runs code: if "
            f"you know where it comes from, allow it with --trust {top}, or add {top} to `trust:` in {settings.path()}"
        )
    if by_name:
        _reach_current_folder(top)
    spec = PathFinder.find_spec(top)
    if spec is None:
        where = "install the checkout with `pip install -e .`" if top in CONTENT else "install it, or go to its folder"
        raise RegistryError(f"{name!r}: there is no package {top} to import; {where}")
    if top in CONTENT and not by_name:
        _check_origin(top, spec)


def _check_origin(top: str, spec: ModuleSpec) -> None:
    """Refuse a package that only shares the name with the checkout's: some distributions install an `agents`."""
    found = Path(next(iter(spec.submodule_search_locations or []), str(spec.origin))).resolve()
    checkout = Path(__file__).resolve().parents[1]
    foreign = (checkout / top).is_dir() and found != checkout / top
    if foreign or not _INSTALLED.isdisjoint(found.parts):
        raise RegistryError(
            f"the package {top} comes from {found}, not from a checkout of rlplat; uninstall that one, or put the "
            f"checkout first on PYTHONPATH"
        )


def _reach_current_folder(top: str) -> None:
    """Make a trusted package in the current folder importable; last on the path, so it can hide no other."""
    if PathFinder.find_spec(top) is None and PathFinder.find_spec(top, [str(Path.cwd())]) is not None:
        sys.path.append(str(Path.cwd()))


def _import(module: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise RegistryError(f"{name!r}: there is no module {error.name} in {_parent_file(module)}") from error
        raise _import_error(name, error) from error
    except Exception as error:  # the module's own code runs here and may raise anything
        raise _import_error(name, error) from error


def _import_error(name: str, error: Exception) -> RegistryError:
    if isinstance(error, SyntaxError):
        place = f"{error.filename}, line {error.lineno}"
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
        user = [frame for frame in frames if frame.filename != __file__]
        place = f"{user[-1].filename}, line {user[-1].lineno}" if user else "its import"
    return RegistryError(f"{name!r} cannot be imported: {place}: {type(error).__name__}: {error}")


def _parent_file(module: str) -> str:
    parent = sys.modules.get(module.rpartition(".")[0] or module)
    return _file(parent) if parent else "the places that Python searches"


def _file(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or module.__name__)
