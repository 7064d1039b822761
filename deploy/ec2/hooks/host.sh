# shellcheck shell=sh disable=SC2034
# What the hooks agree on: where things are on an instance, and what this revision is. Sourced, not run.
# An instance may say otherwise in /etc/slipway/host.env (the template writes region, log group and the prefix of secrets there).

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
CONFIG_DIR=${SLIPWAY_CONFIG_DIR:-/etc/slipway}
STATE_DIR=${SLIPWAY_STATE_DIR:-/var/lib/slipway}
SECRETS_DIR=${SLIPWAY_SECRETS_DIR:-/run/slipway/secrets} # memory: secrets do not survive the instance
KEYS_DIR=${SLIPWAY_KEYS_DIR:-/run/slipway/keys} # what signs tokens: not for the agent
UNIT_DIR=${SLIPWAY_UNIT_DIR:-/etc/systemd/system}
OWNER=10034 # the image's user

SECRETS_PREFIX=/slipway/production
AWS_REGION=
LOG_GROUP=
DRAIN_SECONDS=10
API_PORT=8000
IMAGE=

if [ -f "$CONFIG_DIR/host.env" ]; then
  # shellcheck source=/dev/null
  . "$CONFIG_DIR/host.env"
fi
if [ -n "$AWS_REGION" ]; then
  export AWS_DEFAULT_REGION="$AWS_REGION"
fi
# shellcheck source=../release.env
. "$HERE/release.env"

say() { echo "slipway: $*"; }

die() {
  echo "slipway: $*" >&2
  exit 1
}

case $IMAGE in
  *@sha256:*) ;;
  *) die "release.env names no image by digest: a tag may be another image tomorrow" ;;
esac
