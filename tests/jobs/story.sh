#!/bin/bash
# A user's story: two jobs, of which one is stopped and resumed. What this prints is in README.md; test_story.py runs it.
# In a checkout, with `rlplat` on the path.
set -euo pipefail

say() { printf '$ %s\n' "$*"; "$@"; echo; }
until_trained() { until rlplat status "$1" | grep -Eq '^updates +[1-9]'; do sleep 1; done; }

say rlplat up
say rlplat submit configs/tictactoe.yaml --name first -o placement.num_actors=1 -o training.max_updates=1200
say rlplat submit configs/tictactoe.yaml --name second -o placement.num_actors=1 -o training.max_updates=800 -o seed=2
until_trained first
until_trained second
say rlplat status
say rlplat stop second
say rlplat resume second
rlplat logs -f first > /dev/null  # until it ends
until rlplat status second | grep -Eq '^state +finished'; do sleep 1; done
say rlplat status second
say rlplat evaluate runs/first --against mcts:100 --games 100
say rlplat evaluate runs/second --against mcts:100 --games 100
say rlplat down
