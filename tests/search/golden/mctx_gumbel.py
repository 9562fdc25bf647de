"""Writes mctx_gumbel.json: what mctx's `gumbel_muzero_policy` finds in random trees.

    python -m venv mctx && mctx/bin/pip install mctx "jax[cpu]" && mctx/bin/python tests/search/golden/mctx_gumbel.py

Written by mctx 0.0.71 on jax 0.10.2, in float32. A tree is a game of `length` plies (tests/csrc/games/ladder.hpp) in
which each of `width` actions adds its number to a sum; ply and sum are the state, which a seed gives logits and a value
from the view of the player to move. A player has `turns` plies in a row; the end is worth sum % 3 - 1 to player 0.
"""

from __future__ import annotations

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import mctx
import numpy as np

SHAPES = (  # width, length, turns, simulations, considered
    *((2, 12, 1, 50, 16), (3, 3, 1, 16, 16), (5, 5, 2, 50, 4), (7, 12, 1, 120, 16), (7, 5, 1, 16, 4)),
    *((8, 12, 2, 50, 16), (9, 3, 1, 120, 16), (9, 12, 1, 7, 4), (16, 12, 1, 50, 16), (17, 12, 2, 120, 16)),
    *((24, 5, 1, 2, 16), (24, 12, 1, 120, 8)),
)
SEEDS = 20
"""Trees of each shape."""


def evaluations(seed: int, width: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits `[length, sums, width]` and values `[length, sums]`."""
    random = np.random.RandomState(seed)
    sums = (width - 1) * length + 1
    return random.normal(0, 1.5, (length, sums, width)).astype("f4"), random.uniform(-1, 1, (length, sums)).astype("f4")


def search(width: int, length: int, turns: int, simulations: int, considered: int) -> mctx.PolicyOutput:
    """Of the trees of all seeds at once."""
    tables = [evaluations(seed, width, length) for seed in range(SEEDS)]
    logits, values = (jnp.asarray(np.stack(each)) for each in zip(*tables, strict=True))

    def step(_, __, action, state):
        tree, ply, total = state[:, 0], state[:, 1] + 1, state[:, 2] + action
        mover, player = state[:, 1] // turns % 2, ply // turns % 2
        over, row = ply >= length, jnp.minimum(ply, length - 1)
        result = (total % 3 - 1) * jnp.where(mover == 0, 1, -1)
        output = mctx.RecurrentFnOutput(
            reward=jnp.where(over, result, 0).astype(jnp.float32),
            discount=jnp.where(over, 0.0, jnp.where(mover == player, 1.0, -1.0)),
            prior_logits=logits[tree, row, total],
            value=values[tree, row, total],
        )
        return output, jnp.stack([tree, ply, total], 1)

    start = jnp.stack([jnp.arange(SEEDS), jnp.zeros(SEEDS, int), jnp.zeros(SEEDS, int)], 1)
    root = mctx.RootFnOutput(prior_logits=logits[:, 0, 0], value=values[:, 0, 0], embedding=start)
    key = jax.random.PRNGKey(0)
    return mctx.gumbel_muzero_policy(
        None, key, root, step, simulations, max_num_considered_actions=considered, gumbel_scale=0.0
    )


def main() -> None:
    trees = []
    for shape in SHAPES:
        found = search(*shape)
        visits = found.search_tree.summary().visit_counts
        for seed in range(SEEDS):
            tree = dict(zip(("width", "length", "turns", "simulations", "considered"), shape, strict=True), seed=seed)
            tree["action"] = int(found.action[seed])
            tree["visits"] = visits[seed].astype(int).tolist()
            tree["policy"] = [round(float(each), 6) for each in found.action_weights[seed]]
            trees.append(tree)
    lines = ",\n".join(json.dumps(tree) for tree in trees)
    Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
