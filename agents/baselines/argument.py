"""The number in an opponent's name, such as the 1000 of `mcts:1000`."""

from __future__ import annotations

from rlplat.errors import RegistryError


def whole_number(name: str, argument: str | None, *, what: str, example: int, most: int) -> int:
    """Read the argument of the baseline `name`: a whole number from 1 to `most`, which is `what`.

    Raises RegistryError with an example for anything else.
    """
    found = name if argument is None else f"{name}:{argument}"
    if argument is None or not (argument.isascii() and argument.isdigit()):
        raise RegistryError(f"opponent '{found}': {name} needs {what}, as in {name}:{example}")
    if not 1 <= int(argument) <= most:
        raise RegistryError(f"opponent '{found}': {name} takes {what} from 1 to {most}")
    return int(argument)
