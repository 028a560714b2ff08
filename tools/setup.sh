#!/usr/bin/env bash
# Installs everything pinned and locked into this folder: .venv (Python) and node_modules (compiler, local chain).
# Runs again only when a lock file changed. Usage: tools/setup.sh [python|node|slither]
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { printf 'error: %s\n' "$*" >&2; exit 2; }

find_python() {
  local name
  for name in "${PYTHON:-}" python3.12 python3.11 python3; do
    [ -n "$name" ] || continue
    if "$name" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  stop "Python 3.11 or 3.12 is needed, found $(python3 --version 2>&1 || echo none); install one of them or run make with PYTHON=/path/to/python3.12"
}

fresh() { [ -f "$1/.installed" ] && [ "$(cat "$1/.installed")" = "$2" ]; }

# environment DIR LOCK: a virtual environment that holds exactly what LOCK pins, checked by hash
environment() {
  local dir=$1 lock=$2 python want
  python=$(find_python)
  want=$(cksum < "$lock")
  fresh "$dir" "$want" && return
  say "installing $lock into $dir (about a minute, once)"
  rm -rf "$dir"
  "$python" -m venv "$dir"
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  if [ "$lock" = requirements.lock ]; then
    "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
  fi
  printf '%s' "$want" > "$dir/.installed"
}

node_packages() {
  local want
  command -v node > /dev/null || stop "Node 20 or newer is needed, found none"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || stop "Node 20 or newer is needed, found $(node --version)"
  want=$(cat package-lock.json .npmrc | cksum)
  fresh node_modules "$want" && return
  say "installing package-lock.json into node_modules"
  npm ci --silent --no-update-notifier || stop "npm ci failed; run it by hand to see why"
  if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then other_platform; fi
  printf '%s' "$want" > node_modules/.installed
}

# The lock carries Linux on x86-64; elsewhere the same version of the matching platform package is put beside it.
other_platform() {
  local system machine tool version
  case "$(uname -s)" in Darwin) system=darwin ;; Linux) system=linux ;; *) stop "no prebuilt anvil for $(uname -s): use Linux or macOS" ;; esac
  case "$(uname -m)" in arm64 | aarch64) machine=arm64 ;; x86_64) machine=amd64 ;; *) stop "no prebuilt anvil for $(uname -m)" ;; esac
  version=$(node -p 'require("./package.json").devDependencies["@foundry-rs/anvil-linux-amd64"]')
  for tool in anvil forge cast; do
    npm install --silent --no-save --force "@foundry-rs/$tool-$system-$machine@$version"
    ln -sf "../@foundry-rs/$tool-$system-$machine/bin/$tool" "node_modules/.bin/$tool"
  done
}

case "${1:-all}" in
  python) environment .venv requirements.lock ;;
  slither) environment .venv-slither requirements-slither.lock ;;
  node) node_packages ;;
  all) environment .venv requirements.lock; node_packages ;;
  *) stop "usage: tools/setup.sh [python|node|slither]" ;;
esac
