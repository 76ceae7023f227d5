#!/usr/bin/env bash
# A browser and a database server for the tests of the board: Debian's packages, installed where this may.
# Without them those tests skip, and say so.
set -euo pipefail

has() {
  for file in "$@"; do
    if command -v "$file" > /dev/null || compgen -G "$file" > /dev/null; then return 0; fi
  done
  return 1
}

missing=()
has chromium chromium-browser google-chrome || missing+=(chromium)
has postgres '/usr/lib/postgresql/*/bin/postgres' || missing+=(postgresql)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if [ "$(id -u)" -eq 0 ] && has apt-get; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}" > /dev/null || true
else
  echo "tests of the board that need them are skipped; for all: sudo apt-get install ${missing[*]}" >&2
fi
