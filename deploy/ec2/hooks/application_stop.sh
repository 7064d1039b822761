#!/bin/sh
# Ends the running revision, which the load balancer has left already: readiness first, so that connections are told to close, then the
# service, then the agent, which ships what is left of the prediction log. The units say how.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

systemctl stop slipway.service
systemctl stop slipway-agent.service
say "stopped"
