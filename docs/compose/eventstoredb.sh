#!/bin/sh
# Starts EventStoreDB. It takes first passwords from the environment alone, so
# they come there from a file and stand in no setting.
set -eu
EVENTSTORE_DEFAULT_ADMIN_PASSWORD=$(cat /run/eventstoredb/eventstoredb-password)
EVENTSTORE_DEFAULT_OPS_PASSWORD=$EVENTSTORE_DEFAULT_ADMIN_PASSWORD
export EVENTSTORE_DEFAULT_ADMIN_PASSWORD EVENTSTORE_DEFAULT_OPS_PASSWORD

for server in /opt/eventstore/EventStore.ClusterNode /opt/eventstore/eventstored; do
	[ -x "$server" ] && exec "$server"
done
echo "the image has no EventStoreDB in /opt/eventstore" >&2
exit 1
