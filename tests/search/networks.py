"""A network for tests: its evaluation depends on the planes alone, and on every cell of them."""

import numpy as np


class HashNetwork:
    """Evaluator whose logits and values are hashes of each row; counts what it was asked."""

    def __init__(self, num_actions, batch_size=8):
        self.num_actions = num_actions
        self.batch_size = batch_size
        self.num_calls = 0

    def evaluate(self, observations):
        self.num_calls += 1
        flat = observations.reshape(len(observations), -1).astype(np.float64)
        weights = np.sin(np.arange(1, flat.shape[1] + 1) * 12.9898)
        sums = (flat * weights).sum(axis=1)[:, None]
        mixed = np.sin(sums * 78.233 + np.arange(self.num_actions + 1)) * 43758.5453
        shares = mixed - np.floor(mixed)
        return (3 * shares[:, 1:]).astype(np.float32), (2 * shares[:, 0] - 1).astype(np.float32)
