"""Sentences about wrong input: what was found, what is allowed, and what was probably meant."""

from __future__ import annotations

import difflib
import reprlib
import types
import typing
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_NAMES = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false", "NoneType": "null"}
_RANGES = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def suggestion(word: str, allowed: Iterable[str], *, prefix: str = "") -> str:
    """Return `; did you mean NAME?`, or the allowed names (each after `prefix`) where none is close."""
    names = sorted(allowed)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {prefix}{close[0]}?"
    return f"; there are: {', '.join(prefix + name for name in names)}" if names else "; there are none"


def found(value: object) -> str:
    """Describe a value with its type, shortened: `the text 'many'`, `the list [1, 2]`, `-1.0`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    words: dict[type, str] = {str: "text", dict: "mapping", list: "list", tuple: "list"}
    kind = words.get(type(value), type(value).__name__)
    # Shortened: a stranger's file may hold values that are huge when written out.
    return f"the {kind} {reprlib.repr(list(value) if isinstance(value, tuple) else value)}"


def describe(error: ValidationError, model: type[BaseModel], *, at: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return `(dotted place, sentence)` for every problem that pydantic found in `model`, whose own place is `at`."""
    sentences = []
    for detail in error.errors(include_url=False):
        place = ".".join([*at, *map(str, detail["loc"])])
        sentences.append((place, _sentence(place, detail, model)))
    return sentences


def _sentence(place: str, detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        *parent, key = place.rsplit(".", 1)
        prefix = f"{parent[0]}." if parent else ""
        return f"unknown key {place}{suggestion(key, _keys(model, detail['loc'][:-1]), prefix=prefix)}"
    if kind == "missing":
        return f"{place} is missing; it must be {_allowed(_annotation(model, detail['loc']))}"
    if kind in _RANGES:
        limit = context[_LIMITS[kind]]
        limit = int(limit) if float(limit).is_integer() else limit
        return f"{place} is {found(value)}; it must be {_RANGES[kind]} {limit}"
    if kind == "literal_error":
        choices = _choices(_annotation(model, detail["loc"]))
        close = difflib.get_close_matches(str(value), choices, n=1, cutoff=0.7)  # so that gpu is not cpu
        meant = f"; did you mean {close[0]}?" if close else ""
        return f"{place} is {found(value)}; it must be {context['expected']}{meant}"
    if kind == "finite_number":
        return f"{place} is {found(value)}; it must be finite"
    if kind == "value_error":
        if not place:  # of a whole model
            return str(context["error"])
        return f"{place} is {found(value)}; {context['error']}" if _is_plain(value) else f"{place}: {context['error']}"
    if kind.endswith("_type"):
        return f"{place} is {found(value)}; it must be {_allowed(_annotation(model, detail['loc']))}"
    return f"{place} is {found(value)}; {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) or value is None


def _annotation(model: type[BaseModel], loc: Sequence[int | str]) -> Any:
    """Return the type that stands at `loc`: a path of field names, keys and positions."""
    here: Any = model
    for part in loc:
        inner = _without_none(here)
        fields = getattr(inner, "model_fields", {})
        if part in fields:
            here = fields[part].annotation
        elif typing.get_origin(inner) in (dict, tuple, list):
            arguments = [argument for argument in typing.get_args(inner) if argument is not Ellipsis]
            here = arguments[-1] if typing.get_origin(inner) is dict else arguments[0]
        else:
            return Any
    return here


def _keys(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    return list(getattr(_without_none(_annotation(model, loc)), "model_fields", {}))


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        return members[0] if len(members) == 1 else annotation
    return annotation


def _choices(annotation: Any) -> list[str]:
    return [str(choice) for choice in typing.get_args(_without_none(annotation))]


def _allowed(annotation: Any) -> str:
    """Say in words what a type allows."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_allowed(member) for member in arguments)
    if origin is typing.Literal:
        return " or ".join(repr(choice) for choice in arguments)
    if origin in (tuple, list):
        return f"a list, each item {_allowed(arguments[0])}"
    if origin is dict:
        return f"a mapping from names, each value {_allowed(arguments[-1])}"
    if origin is typing.Annotated:
        return _allowed(arguments[0])
    if hasattr(annotation, "model_fields"):
        required = [name for name, field in annotation.model_fields.items() if field.is_required()]
        return f"a mapping with {', '.join(required)}" if required else "a mapping"
    name = getattr(annotation, "__name__", str(annotation))
    return _NAMES.get(name, name)
