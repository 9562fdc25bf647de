"""The user's own settings: `$RLPLAT_SETTINGS`, or `~/.config/rlplat/settings.yaml`. All of it is optional.

trust: [my_games]                        # packages that configurations may name objects of
programs: {pachi: pachi --playouts 500}  # programs that play against agents: their names, and how they are started
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlplat.errors import ConfigError
from rlplat.problems import found, suggestion

_KEYS = ("programs", "trust")


def path() -> Path:
    """Return where the settings file is, or would be."""
    named = os.environ.get("RLPLAT_SETTINGS")
    return Path(named) if named else Path.home() / ".config" / "rlplat" / "settings.yaml"


def trusted_packages() -> tuple[str, ...]:
    """Return the packages trusted by name; raises ConfigError if the file is wrong, or named but absent."""
    packages = _read().get("trust", [])
    if not isinstance(packages, list) or not all(isinstance(package, str) for package in packages):
        raise ConfigError(f"{path()}: trust is {found(packages)}; it must be a list of package names")
    return tuple(packages)


def programs() -> dict[str, list[str]]:
    """Return the programs that the user has named, with the words of their command lines; raises ConfigError."""
    named = _read().get("programs", {})
    if not isinstance(named, dict) or not all(isinstance(text, str) for pair in named.items() for text in pair):
        raise ConfigError(f"{path()}: programs is {found(named)}; it must name command lines, as in pachi: pachi -t 1")
    commands = {}
    for name, line in named.items():
        try:
            commands[name] = shlex.split(line)
        except ValueError as error:
            raise ConfigError(f"{path()}: programs.{name} is {line!r}: {error}") from error
        if not commands[name]:
            raise ConfigError(f"{path()}: programs.{name} is empty; it must be a command line")
    return commands


def _read() -> Mapping[str, Any]:
    file = path()
    if not file.exists() and not os.environ.get("RLPLAT_SETTINGS"):
        return {}
    from rlplat.yaml_files import read_yaml

    settings = read_yaml(file)
    for key in settings:
        if key not in _KEYS:
            raise ConfigError(f"{file}: unknown key {key}{suggestion(key, _KEYS)}")
    return settings
