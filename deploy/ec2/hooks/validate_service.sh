#!/bin/sh
# The deployment succeeds only if this does: the service runs this revision's image, is ready, and answers a real prediction of every
# model as its declaration promises. The smoke test is the one that runs in a cluster.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

systemctl is-active --quiet slipway.service || die "slipway.service is not active"
systemctl is-active --quiet slipway-agent.service || die "slipway-agent.service is not active"
running=$(docker inspect --format '{{.Config.Image}}' slipway) || die "there is no container named slipway"
[ "$running" = "$IMAGE" ] || die "$running runs, not $IMAGE"
sh "$HERE/hooks/container.sh" smoke --requests 5 --timeout "${VALIDATE_SECONDS:-120}" || die "the service does not answer as it should"
say "answers as it should"
