#!/bin/bash
# Makes an authority for EventStoreDB and a certificate for each of its nodes,
# once. All of them have the common name that the cluster expects.
set -eu
umask 077
cd /certificates

[ -f authority/ca.crt ] || { rm -rf authority && es-gencert-cli create-ca -out authority; }
for node in esdb-1 esdb-2 esdb-3; do
	[ -f "$node/node.crt" ] && continue
	rm -rf "$node"
	es-gencert-cli create-node -ca-certificate authority/ca.crt -ca-key authority/ca.key -out "$node" -dns-names "$node"
done
mkdir -p roots
cp authority/ca.crt roots/ca.crt

chown -R 0:0 authority
chown -R 1000:1000 roots esdb-1 esdb-2 esdb-3
chmod 755 /certificates
