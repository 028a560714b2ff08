#!/usr/bin/env bash
# Installs everything pinned and locked into this folder: .venv (Python) and node_modules (compiler, local chain).
# Runs again only when a lock file changed. Usage: tools/setup.sh [python|node|slither]
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { printf 'error: %s\n' "$*" >&2; exit 2; }

# The Makefile puts our own environment first, and a Python cannot replace the environment that it stands in.
PATH=":$PATH:"
PATH=${PATH//":$PWD/.venv/bin:"/:}
PATH=${PATH#:}
PATH=${PATH%:}

suits() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2> /dev/null; }

# found NAME...: the first of these programs that runs, with its version; or none
found() {
  local name version
  for name in "$@"; do
    if version=$("$name" --version 2> /dev/null); then
      printf '%s' "$version"
      return
    fi
  done
  printf 'none'
}

find_python() {
  local name
  if [ -n "${PYTHON:-}" ]; then
    suits "$PYTHON" || stop "Python 3.11 or 3.12 is needed, found $(found "$PYTHON") at PYTHON=$PYTHON; name one of them there, or leave PYTHON out"
    command -v "$PYTHON"
    return
  fi
  for name in python3.12 python3.11 python3 python; do
    if suits "$name"; then
      command -v "$name"
      return
    fi
  done
  stop "Python 3.11 or 3.12 is needed, found $(found python3 python3.14 python3.13 python3.10 python); install one of them, or run make with PYTHON=/path/to/python3.12"
}

find_node() {
  local version
  version=$(found node)
  case "$version" in
    v1[0-9].* | v[0-9].* | none) stop "Node 20 or newer is needed, found $version; install it from https://nodejs.org or your system's packages" ;;
  esac
  command -v npm > /dev/null || stop "npm is needed beside Node $version, found none; install it from your system's packages"
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
  "$python" -m venv "$dir" || stop "$python could not make an environment in $dir: its words above say why"
  # Twice quiet: errors only. What a machine's own settings of pip make it warn about is nothing that one can mend here.
  "$dir/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock" ||
    stop "pip could not install $lock into $dir: its words above say why; repeating is safe"
  if [ "$lock" = requirements.lock ]; then
    "$dir/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
  fi
  printf '%s' "$want" > "$dir/.installed"
}

node_packages() {
  local want
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
  node) find_node; node_packages ;;
  all) find_node; environment .venv requirements.lock; node_packages ;;
  *) stop "usage: tools/setup.sh [python|node|slither]" ;;
esac
