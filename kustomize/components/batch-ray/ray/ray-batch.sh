#!/bin/sh
# One pod of the Job: index 0 is Ray's head and runs the batch, the others wait for it and lend it their cores until it is done.
set -eu

port=6379
if [ "$JOB_COMPLETION_INDEX" -eq 0 ]; then
  ray start --head --port "$port" --num-cpus "$RAY_CPUS" --include-dashboard=false --disable-usage-stats
  export RAY_ADDRESS=auto
  exec python -m training batch "$BATCH_MODEL" "$BATCH_INPUT" "$BATCH_OUTPUT" --engine ray
fi

head="${BATCH_HEAD:-$JOB_NAME-0.batch}:$port"
until ray health-check --address "$head" >/dev/null 2>&1; do
  echo "waiting for $head"
  sleep 2
done
exec ray start --address "$head" --num-cpus "$RAY_CPUS" --disable-usage-stats --block
