#!/bin/sh
# Creates .venv and installs the locked versions into it. Doing nothing when
# nothing changed is the point: every other target calls this first.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
venv=.venv

command -v "$python" >/dev/null 2>&1 || {
  echo "LeadPulse needs Python 3.11 or newer, and '$python' was not found." >&2
  echo "Install it, or name another one: make setup PYTHON=/path/to/python3" >&2
  exit 1
}

# The path belongs to the key, because a virtual environment does not survive
# being moved or copied together with the checkout.
key=$( (pwd; echo "$python"; cat pyproject.toml requirements/*.lock) | cksum | tr ' ' '-')
stamp=$venv/.installed-$key
[ -f "$stamp" ] && [ -x "$venv/bin/python" ] && exit 0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "LeadPulse needs Python 3.11 or newer; '$python' is $("$python" -V 2>&1)." >&2
  echo "Name another one: make setup PYTHON=/path/to/python3" >&2
  exit 1
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || {
  echo "'$python' cannot make virtual environments." >&2
  echo "On Debian or Ubuntu: apt-get install python3-venv" >&2
  exit 1
}

echo "Installing into $venv (once; later runs skip this)"
# A .venv of another place or interpreter has launchers that point elsewhere.
if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  ! grep -q "^VIRTUAL_ENV=.*$(pwd)/$venv" "$venv/bin/activate" 2>/dev/null; then
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi
rm -f "$venv"/.installed-*

pip() { "$venv/bin/python" -m pip --disable-pip-version-check -qq "$@"; }
# --no-deps: the locks are complete, and the data package must not bring its own.
pip install --require-hashes --no-deps -r requirements/dev.lock -r requirements/data.lock
pip install --no-deps --no-build-isolation --editable .
touch "$stamp"
