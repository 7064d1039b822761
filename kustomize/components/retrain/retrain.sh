#!/bin/sh
# Retrains the named models, or all, in a writable copy of the project. Exit codes: 0 candidates are ready or there was nothing new,
# 3 a new version failed its gates, 1 something else failed. A model that another retraining is busy with is left to that one.
set -eu

dvc config --local core.no_scm true # the image has no Git repository
if [ -n "${DVC_REMOTE_URL:-}" ]; then
  python -m training remote
  dvc pull --run-cache --allow-missing --quiet || echo "the DVC remote cannot be read: every stage runs here" >&2
fi

models=${RETRAIN_MODELS:-}
if [ -z "$models" ]; then
  for definition in catalog/*/definition.py; do
    models="$models $(basename "$(dirname "$definition")" | tr _ -)"
  done
fi

status=0
for model in $models; do
  code=0
  python -m training retrain "$model" --actor cronjob/retrain --reason scheduled || code=$?
  case $code in
    0) ;;
    75) echo "$model: another retraining is at work" >&2 ;;
    3) if [ "$status" -eq 0 ]; then status=3; fi ;;
    *) status=1 ;;
  esac
done

if [ -n "${DVC_REMOTE_URL:-}" ]; then
  dvc push --run-cache --quiet || echo "the DVC remote cannot be written: the next run computes this again" >&2
fi
exit "$status"
