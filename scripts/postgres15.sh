#!/bin/sh
# Installs PostgreSQL 15 for the tests when that needs nobody's permission.
# Elsewhere the tests say that this leg was not run.
set -eu
[ -x "${LEADPULSE_TEST_POSTGRES15:-/usr/lib/postgresql/15/bin}/postgres" ] && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "Installing PostgreSQL 15 for the tests"
# The package would start a cluster of its own at once; only the programs are wanted.
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/leadpulse.conf
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15; } >/dev/null 2>&1; then
  echo "PostgreSQL 15 could not be installed; its tests will be reported as not run" >&2
fi
