"""Pictures of a bench under a policy, a day each: `python -m envs.farm.spacing.pictures three_stages --out bench`.

Writes `bench/day-001.png`, ... and all of them as `bench/days.gif`, ten days a second.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacingVector
from envs.farm.spacing.overhead_view import OverheadView, Pictures
from envs.farm.spacing.policies import Policy, shipped

_DAY_MS = 100


def days(policy: Policy, *, num_days: int, seed: int, pixels_per_pitch: int) -> Iterator[Pictures]:
    """Yield pictures `[H, W, 3]` of the evenings of an episode."""
    env = GreenhouseSpacingVector(1, action=policy.action, observation="classes", num_days=num_days)
    view = OverheadView(env.bench.lattice, pixels_per_pitch)
    observations, _ = env.reset(seed=seed)
    for _ in range(num_days):
        observations, *_ = env.step(policy.act(env, observations))
        yield view.draw(env.bench)[0]


def main(words: Sequence[str] | None = None) -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(prog="python -m envs.farm.spacing.pictures", description="Pictures of a bench.")
    parser.add_argument("policy", choices=list(shipped()))
    parser.add_argument("--out", type=Path, required=True, help="a folder for them")
    parser.add_argument("--days", type=int, default=120, help="of the episode (default 120)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pixels", type=int, default=41, help="to 0.1 m, odd (default 41: 820 x 410)")
    arguments = parser.parse_args(words)
    if arguments.pixels < 1 or arguments.pixels % 2 == 0:
        parser.error(f"--pixels is {arguments.pixels}; it must be odd, so that every slot is in the middle of a pixel")
    arguments.out.mkdir(parents=True, exist_ok=True)
    policy, pictures = shipped()[arguments.policy], []
    for picture in days(policy, num_days=arguments.days, seed=arguments.seed, pixels_per_pitch=arguments.pixels):
        pictures.append(Image.fromarray(picture))
        pictures[-1].save(arguments.out / f"day-{len(pictures):03}.png")
    first, *others = pictures
    first.save(arguments.out / "days.gif", save_all=True, append_images=others, duration=_DAY_MS, loop=0)
    print(f"{len(pictures)} days: {arguments.out}")


if __name__ == "__main__":
    main()
