#!/bin/sh
# Ends the running revision, which the load balancer has left already: readiness first, so that connections are told to close, then the
# service, then the agent, which ships what is left of the prediction log. The units say how.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

for unit in slipway.service slipway-agent.service; do
  # A revision that failed before it installed its units must not keep the next one from being deployed.
  systemctl stop "$unit" || say "$unit was not there to be stopped"
done
say "stopped"
