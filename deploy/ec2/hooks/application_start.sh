#!/bin/sh
# Brings the database to the image's schema and starts the agent and the service under systemd.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

cp "$HERE/settings.env" "$CONFIG_DIR/settings.env"
cp "$HERE/units/"*.service "$UNIT_DIR/"
rm -f "$STATE_DIR/run/drain"

sh "$HERE/hooks/container.sh" migrations # what it does may be done twice, and older code runs with it
systemctl daemon-reload
systemctl enable slipway-secrets.service slipway-agent.service slipway.service
systemctl restart slipway-agent.service
systemctl restart slipway.service
say "started $IMAGE"
