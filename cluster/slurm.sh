#!/bin/bash
#SBATCH --job-name=rlplat
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --exclusive
# One run on Slurm, from a checkout on a file system that all nodes share, with `make install` done in it:
#
#   sbatch cluster/slurm.sh configs/connect_four.yaml -o placement.num_actors=12
#
# The same command resumes the run if its folder is there. Tested: `ray symmetric-run` with this command line on one
# machine. Not tested: under Slurm, on several nodes. The nodes speak to each other in the clear: use a private network.
# Exclusive nodes, because `ray symmetric-run` ends with `ray stop`, which ends every Ray of the same user on its node.
set -euo pipefail
config=$1; shift
run=runs/$(basename "$config" .yaml)

# A token of this job alone, which only its owner can read.
token=$PWD/.ray-token-$SLURM_JOB_ID
trap 'rm -f "$token"' EXIT
(umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$token")
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$token RAY_USAGE_STATS_ENABLED=0

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
resume=()
if [ -e "$run/run.json" ]; then resume=(--resume); fi
# When the time is up, what came after the last checkpoint is lost (training.checkpoint_every); submit it again to go on.
srun .venv/bin/ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
  .venv/bin/rlplat train "$config" --run-dir "$run" -o placement.address=auto "${resume[@]}" "$@"
