"""A trained agent as opponent: `checkpoint:runs/first@best` plays the best checkpoint of that run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rlplat.errors import RegistryError
from rlplat.evaluation.trained import load_trained
from rlplat.interfaces import Policy

if TYPE_CHECKING:
    from rlplat.search.game import Game


class CheckpointBaseline:
    """Makes the policies named `checkpoint:RUN@STEP`: any agent's, with the simulations of its self-play."""

    usage = "checkpoint:RUN@STEP: the agent of another run, at latest, best or a step (checkpoint:runs/first@best)"

    def __call__(self, argument: str | None, game: Game, seed: int) -> Policy:
        """Build the policy; RegistryError if the run was trained on another game or other parameters."""
        run, _, checkpoint = (argument or "").rpartition("@")
        if not run or not checkpoint:
            raise RegistryError(
                f"opponent 'checkpoint{'' if argument is None else f':{argument}'}': checkpoint needs a run and one of "
                f"latest, best or a step, as in checkpoint:runs/first@best"
            )
        trained = load_trained(Path(run), checkpoint)
        if (trained.game.name, trained.game.parameters) != (game.name, game.parameters):
            raise RegistryError(
                f"opponent 'checkpoint:{argument}': it plays {_described(trained.game)}, this match is of "
                f"{_described(game)}; name a run of the same game and parameters"
            )
        return trained.make_policy(num_simulations=None, seed=seed)


def _described(game: Game) -> str:
    parameters = ", ".join(f"{name}={value:g}" for name, value in game.parameters.items())
    return f"{game.name} with {parameters}" if parameters else game.name


BASELINE = CheckpointBaseline()
