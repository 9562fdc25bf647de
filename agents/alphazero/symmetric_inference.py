"""Inference averaged over symmetries of the game: the network's errors differ from one to the other and cancel in part.

Axes: B batch, C planes, H rows, W columns, A actions. Values are in [-1, 1] from the view of the player to move.
"""

from __future__ import annotations

import numpy as np

from agents.alphazero.inference import Evaluation, Finished, FloatArray, NetworkEvaluator
from rlplat.interfaces import Arrays
from rlplat.search.game import Game


class SymmetricEvaluator:
    """Fulfils `NetworkEvaluator`: mean logits and values of a position in `num_symmetries` of its symmetric images.

    Where all symmetries of the game are taken, images of one position get the same evaluation up to rounding. Costs
    that many times the network's work.
    """

    def __init__(self, game: Game, evaluator: NetworkEvaluator, *, num_symmetries: int) -> None:
        if not 1 <= num_symmetries <= game.num_symmetries:
            raise ValueError(f"num_symmetries is {num_symmetries}, {game.name} has 1 to {game.num_symmetries}")
        self.batch_size = evaluator.batch_size
        self._evaluator = evaluator
        self._num_actions = game.num_actions
        self._symmetries = [game.symmetry(index) for index in range(num_symmetries)]

    def evaluate(self, observations: FloatArray) -> Evaluation:
        """Evaluate `[B, C, H, W]`: logits float32 `[B, A]` (illegal actions included), values float32 `[B]`."""
        planes = observations.reshape(*observations.shape[:2], -1)
        mean_logits = np.zeros((len(observations), self._num_actions), np.float32)
        mean_values = np.zeros(len(observations), np.float32)
        share = np.float32(1 / len(self._symmetries))
        for cells, actions in self._symmetries:
            logits, values = self._evaluator.evaluate(planes[:, :, cells].reshape(observations.shape))
            mean_logits[:, actions] += share * logits  # the image's action a is our actions[a]
            mean_values += share * values
        return mean_logits, mean_values

    def submit(self, observations: FloatArray) -> Finished:
        """Evaluate at once."""
        return Finished(self.evaluate(observations))

    def set_weights(self, weights: Arrays) -> None:
        """Use these published weights from the next batch on; CheckpointError if they are of another network."""
        self._evaluator.set_weights(weights)
