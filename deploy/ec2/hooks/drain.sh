#!/bin/sh
# Not ready from now on; what is in flight is answered with `Connection: close`. The drain file goes when the service has ended.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

touch "$STATE_DIR/run/drain"
sleep "$DRAIN_SECONDS"
