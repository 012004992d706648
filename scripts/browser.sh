#!/bin/sh
# Prints the Chromium of this machine, for the tests in tests/browser. With `install` it first
# sees to it that there is one, where that needs nobody's permission: as root, on Debian.
# Elsewhere the tests say that this leg was not run.
set -eu

find_one() {
  for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome \
    google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    command -v "$name" 2>/dev/null && return 0
  done
  # The newest that Playwright has downloaded for somebody.
  for folder in "${PLAYWRIGHT_BROWSERS_PATH:-}" "$HOME/.cache/ms-playwright" \
    "$HOME/Library/Caches/ms-playwright"; do
    [ -d "$folder" ] || continue
    found=$(find "$folder" -path '*chromium-*' -type f \
      \( -name chrome -o -name Chromium -o -name 'Google Chrome for Testing' \) | sort | tail -n 1)
    [ -n "$found" ] && echo "$found" && return 0
  done
  return 1
}

find_one && exit 0
[ "${1:-}" = install ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 1
echo "Installing Chromium for the tests" >&2
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
  chromium fonts-liberation; } >/dev/null 2>&1; then
  echo "Chromium could not be installed; its tests will be reported as not run" >&2
  exit 1
fi
find_one
