#!/bin/sh
# The product with reload: Vite at 5173, which passes calls on to `serve`, and `serve`, started
# again after each change of its Python. Ctrl-C ends both.
set -eu
cd "$(dirname "$0")/.."
# Vite's pages are of another origin than the API, and change things there.
FRONTEND_URL=${FRONTEND_URL:-http://localhost:5173}
export FRONTEND_URL
.venv/bin/watchfiles --filter python ".venv/bin/leadpulse serve $*" src/leadpulse &
api=$!
trap 'kill "$api" 2>/dev/null; wait "$api" || true' EXIT
trap 'exit 130' INT TERM
sh scripts/node.sh npm --prefix web run dev
