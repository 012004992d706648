#!/bin/sh
# Builds what browsers load: the dashboard and the script for websites. Does nothing when nothing
# changed; `make run` waits for it, so looking must cost milliseconds.
set -eu
cd "$(dirname "$0")/.."
LC_ALL=C
export LC_ALL
out=src/leadpulse/http

# checksum PATH…: of all files there, by name and content.
checksum() {
  find "$@" -name node_modules -prune -o -type f -exec cksum {} + | sort | cksum | tr ' ' '-'
}

# build FOLDER TARGET FILE: runs the build of FOLDER, which writes FILE into TARGET.
build() {
  built=$1/node_modules/.built-$(checksum "$1" scripts/compress.mjs)
  [ -f "$built" ] && [ -f "$out/$2/$3" ] && return 0

  installed=$1/node_modules/.installed-$(checksum "$1/package.json" "$1/package-lock.json")
  if [ ! -f "$installed" ]; then
    echo "Installing what $1 is built with (once)"
    sh scripts/node.sh npm --prefix "$1" ci --no-audit --no-fund --loglevel=error
    touch "$installed"
  fi
  echo "Building $1 into $out/$2"
  rm -rf "$1"/node_modules/.built-* "${out:?}/$2"
  sh scripts/node.sh npm --prefix "$1" run --silent build
  [ -f "$out/$2/$3" ] || {
    echo "The build of $1 left no $out/$2/$3." >&2
    exit 1
  }
  sh scripts/node.sh node scripts/compress.mjs "$out/$2"
  touch "$built"
}

build web web index.html
build sdk/browser sdk ls.js
