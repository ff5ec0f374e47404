#!/bin/sh
# Makes what the nodes of a profile and their databases share, once. Originals
# stay in /made; each side gets copies of what it needs, and nothing else. Run
# again it changes nothing.
#
#   POSTGRES      host name of PostgreSQL
#   EVENTSTOREDB  hosts and ports of EventStoreDB, if the profile has one
set -eu
umask 077

password() { od -A n -N 24 -t x1 /dev/urandom | tr -d ' \n'; }

# once NAME COMMAND…: the command's output, whole or not at all
once() {
	name=$1
	shift
	[ -f "/made/$name" ] || { "$@" >"/made/$name.new" && mv "/made/$name.new" "/made/$name"; }
}

# give USER FOLDER NAME…
give() {
	user=$1 folder=$2
	shift 2
	for name; do
		install -o "$user" -g "$user" -m 600 "/made/$name" "$folder/"
	done
	chown "$user:$user" "$folder" && chmod 700 "$folder"
}

# The key that opens the keyring: both nodes have the same one.
/chirograph config master-key /made/master.key

# A certificate for localhost, and the authority for clients' certificates.
if [ ! -d /made/localhost ]; then
	rm -rf /made/localhost.new
	/chirograph config init /made/localhost.new --localhost
	mv /made/localhost.new /made/localhost
fi

once postgres-password password
if [ ! -f /made/postgres.pem ]; then
	openssl req -batch -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=$POSTGRES" -addext "subjectAltName=DNS:$POSTGRES" \
		-keyout /made/postgres.key -out /made/postgres.new
	mv /made/postgres.new /made/postgres.pem
fi
once postgres.url printf 'postgres://chirograph:%s@%s:5432/chirograph?sslmode=verify-full&sslrootcert=/run/chirograph/postgres.pem\n' \
	"$(cat /made/postgres-password)" "$POSTGRES"

give 65532 /nodes master.key localhost/server.pem localhost/server.key localhost/ca.pem postgres.pem postgres.url
give 999 /postgres postgres-password postgres.pem postgres.key

[ -n "${EVENTSTOREDB:-}" ] || exit 0

once eventstoredb-password password
once eventstoredb.url printf 'esdb://admin:%s@%s?tlsCAFile=/run/chirograph/eventstoredb-ca.crt&nodePreference=leader&maxDiscoverAttempts=100\n' \
	"$(cat /made/eventstoredb-password)" "$EVENTSTOREDB"
once eventstoredb-ca.crt cat /certificates/roots/ca.crt

give 65532 /nodes eventstoredb-ca.crt eventstoredb.url
give 1000 /eventstoredb eventstoredb-password
