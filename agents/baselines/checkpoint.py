"""A trained agent as opponent: `checkpoint:runs/first@best:100` plays the best checkpoint of that run, with 100
simulations a move.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rlplat.errors import RegistryError
from rlplat.evaluation.trained import CheckpointName, load_trained
from rlplat.interfaces import Policy

if TYPE_CHECKING:
    from rlplat.search.game import Game


class CheckpointBaseline:
    """Makes the policies named `checkpoint:RUN@STEP[:N]`: any agent's."""

    usage = (
        "checkpoint:RUN@STEP[:N]: the agent of another run, at latest, best or a step, with N simulations a move; "
        "0: its network alone; without N as in its self-play (checkpoint:runs/first@best:100)"
    )

    def __call__(self, argument: str | None, game: Game, seed: int) -> Policy:
        """Build the policy; RegistryError if the run was trained on another game or other parameters."""
        name = CheckpointName.parse(argument or "")
        if name is None or not name.run:
            raise RegistryError(
                f"opponent 'checkpoint{'' if argument is None else f':{argument}'}': checkpoint needs a run and one of "
                "latest, best or a step, as in checkpoint:runs/first@best; a number of simulations a move may follow, "
                "as in checkpoint:runs/first@best:100"
            )
        trained = load_trained(Path(name.run), name.checkpoint)
        if (trained.game.name, trained.game.parameters) != (game.name, game.parameters):
            raise RegistryError(
                f"opponent 'checkpoint:{argument}': it plays {_described(trained.game)}, this match is of "
                f"{_described(game)}; name a run of the same game and parameters"
            )
        return trained.make_policy(num_simulations=name.num_simulations, seed=seed)


def _described(game: Game) -> str:
    parameters = ", ".join(f"{name}={value:g}" for name, value in game.parameters.items())
    return f"{game.name} with {parameters}" if parameters else game.name


BASELINE = CheckpointBaseline()
