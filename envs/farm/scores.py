"""Scores of what a policy is measured against: `python -m envs.farm.scores --help`.

python -m envs.farm.scores climate                    # LettuceClimate, on 20 seeds of test weather
python -m envs.farm.scores climate --search           # its best set-points of the grid on 20 training seeds
python -m envs.farm.scores spacing                    # GreenhouseSpacing, on 20 seeds
python -m envs.farm.scores spacing --search           # its best schedules, written to schedules.yaml
python -m envs.farm.scores seedling --runs runs/NAME  # SeedlingTransplant, on 200 trays, with the policy of a run
python -m envs.farm.scores farm_day                   # FarmDay: arms, the gap of the model, and who wins
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from envs.farm.climate import scores as climate_scores
from envs.farm.day import scores as farm_day_scores
from envs.farm.seedlings import scores as seedling_scores
from envs.farm.spacing import scores as spacing_scores
from rlplat.errors import RlplatError


def main(words: Sequence[str] | None = None) -> None:
    """Print the scores of an environment's baselines as a table."""
    parser = argparse.ArgumentParser(prog="python -m envs.farm.scores", description="Scores of baselines.")
    environments = parser.add_subparsers(required=True, metavar="ENVIRONMENT")
    for name, environment, title in (
        ("climate", climate_scores, "LettuceClimate"),
        ("spacing", spacing_scores, "GreenhouseSpacing"),
        ("seedling", seedling_scores, "SeedlingTransplant"),
        ("farm_day", farm_day_scores, "FarmDay"),
    ):
        options = environments.add_parser(
            name,
            help=title,
            description=f"Scores of {title}.",
            allow_abbrev=False,  # --seed is not --seeds
        )
        environment.add_options(options)
        options.set_defaults(run=environment.run)
    arguments = parser.parse_args(words)
    try:
        arguments.run(arguments)
    except RlplatError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
