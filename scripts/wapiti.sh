#!/bin/sh
# Installs the scanner of `make soak` into .wapiti, once.
set -eu
cd "$(dirname "$0")/.."
venv=.wapiti
stamp=$venv/.installed-$(cksum <requirements/wapiti.lock | tr ' ' '-')
[ -f "$stamp" ] && exit 0
echo "Installing the scanner into $venv (once)"
rm -rf "$venv"
.venv/bin/python -m venv "$venv"
"$venv/bin/python" -m pip --disable-pip-version-check -qq install \
  --require-hashes --no-deps -r requirements/wapiti.lock
touch "$stamp"
