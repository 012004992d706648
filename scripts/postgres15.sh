#!/bin/sh
# Installs PostgreSQL 15 for the tests when that needs nobody's permission: as
# root, on Debian. Elsewhere the tests say that this leg was not run.
set -eu
[ -x "${LEADPULSE_TEST_POSTGRES15:-/usr/lib/postgresql/15/bin}/postgres" ] && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "Installing PostgreSQL 15 for the tests"
# The package would make a cluster of its own and start it; only the programs are wanted.
conf=/etc/postgresql-common/createcluster.d/leadpulse.conf
mkdir -p "${conf%/*}"
echo "create_main_cluster = false" >"$conf"
trap 'rm -f "$conf"' EXIT
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15; } >/dev/null 2>&1; then
  echo "PostgreSQL 15 could not be installed; its tests will be reported as not run" >&2
fi
