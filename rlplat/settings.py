"""The user's own settings: `$RLPLAT_SETTINGS`, or `~/.config/rlplat/settings.yaml`. All of it is optional.

trust: [my_games]     # packages that configurations may name objects of
"""

from __future__ import annotations

import os
from pathlib import Path

from rlplat.errors import ConfigError
from rlplat.problems import found, suggestion

_KEYS = ("trust",)


def path() -> Path:
    """Return where the settings file is, or would be."""
    named = os.environ.get("RLPLAT_SETTINGS")
    return Path(named) if named else Path.home() / ".config" / "rlplat" / "settings.yaml"


def trusted_packages() -> tuple[str, ...]:
    """Return the packages trusted by name; raises ConfigError if the file is wrong, or named but absent."""
    file = path()
    if not file.exists() and not os.environ.get("RLPLAT_SETTINGS"):
        return ()
    from rlplat.yaml_files import read_yaml

    settings = read_yaml(file)
    for key in settings:
        if key not in _KEYS:
            raise ConfigError(f"{file}: unknown key {key}{suggestion(key, _KEYS)}")
    packages = settings.get("trust", [])
    if not isinstance(packages, list) or not all(isinstance(package, str) for package in packages):
        raise ConfigError(f"{file}: trust is {found(packages)}; it must be a list of package names")
    return tuple(packages)
