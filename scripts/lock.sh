#!/bin/sh
# Resolves the ranges of pyproject.toml into the hashed lock files.
# Every flag that keeps addresses out of the files matters: a lock must install
# from whatever index a machine is set up with.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null 2>&1 || {
  echo "uv is needed to resolve the lock files: pip install uv" >&2
  exit 1
}
compile() {
  uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-header --no-emit-index-url --no-emit-find-links "$@"
}
compile pyproject.toml -o requirements/runtime.lock "$@"
compile pyproject.toml --group dev -c requirements/runtime.lock -o requirements/dev.lock "$@"
compile requirements/data.in --no-deps -o requirements/data.lock "$@"
compile requirements/wapiti.in -o requirements/wapiti.lock "$@"
compile requirements/node.in -o requirements/node.lock "$@"
if grep -l '://' requirements/*.lock; then
  echo "the files above contain an address; they must not" >&2
  exit 1
fi
