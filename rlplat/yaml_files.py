"""YAML as configurations and settings use it: plain data only, each key once, and errors that name the line.

Scalars follow YAML 1.2 (`1e-3` is a number, `no` is a text), unlike PyYAML's defaults.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from rlplat.errors import ConfigError
from rlplat.problems import found, suggestion

_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9_]*)", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+0123456789."),
    ),
}


class _Loader(yaml.SafeLoader):
    """`yaml.SafeLoader` (no Python objects) that refuses repeated keys and keys that are no texts."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (the base class's own name)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag != "tag:yaml.org,2002:str":
                raise ConfigError(f"line {line}: the key {_source(key_node)} is no text; put it in quotes")
            if key_node.value in seen:
                raise ConfigError(f"line {line}: the key {key_node.value} stands twice; remove one of them")
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes exactly the texts that `_Loader` would read as something else."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, (_pattern, _first) in _SCALARS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def parse_yaml(text: str) -> Any:
    """Return the value that `text` holds; raises ConfigError with the line, not knowing the file."""
    try:
        return yaml.load(text, Loader=_Loader)  # _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{line}this is not YAML: {problem}") from error
    except ValueError as error:
        raise ConfigError(f"this is not YAML: {error}") from error
    except RecursionError as error:
        raise ConfigError("this is not YAML that we read: it is nested too deeply") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that the file holds (an empty file: `{}`). Raises ConfigError, which starts with the path."""
    try:
        value = parse_yaml(path.read_text(encoding="utf-8"))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file{_close_files(path)}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not text in UTF-8 (byte {error.start}); name a YAML file") from error
    except OSError as error:
        raise ConfigError(f"{path}: it cannot be read: {error.strerror}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: it holds {found(value)}; it must hold a mapping (`key: value` lines)")
    return value


def yaml_text(value: Any) -> str:
    """Return plain data as YAML that `parse_yaml` reads back equal, keys in their given order."""
    # Not allow_unicode: with it PyYAML writes U+0085 in a way that it reads back as a space.
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=100)


def _source(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "(a list or mapping)"


def _close_files(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; there is no folder {folder} either"
    names = [entry.name for entry in folder.iterdir() if entry.suffix in (".yaml", ".yml")]
    if not names:
        return f"; {folder} holds no .yaml file"
    return suggestion(path.name, names, prefix="" if folder == Path() else f"{folder}/")
