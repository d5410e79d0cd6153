#!/usr/bin/env bash
# Fetches DuckDB, the SQL engine of `seguectl query`, once, and prints the folder it is in:
# libduckdb.so, duckdb.h, its licence (MIT), and in cpp/ the headers of its C++ interface, which a
# file system of one's own needs. Debian and Ubuntu have no package of it; npm's registry has the same
# library for Node.js and the headers, pinned here by their hashes.
set -euo pipefail

VERSION=1.4.4
BINDINGS=1.4.4-r.3
REGISTRY=${SEGUE_NPM_REGISTRY:-https://registry.npmjs.org}
CACHE=${SEGUE_DUCKDB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/segue}

case $(uname -m) in
  x86_64) machine=x64 hash=59d0f150d84bbc413aa80b9b7ae45916e710c27d18d66722d4875a7b840415a5 ;;
  aarch64) machine=arm64 hash=7a3b62c524849af848b2d4e278bad56324e20f5e8b1d3fe3acd324ead28e1e0c ;;
  *) echo "duckdb: no library for $(uname -m); set SEGUE_DUCKDB_DIR to a folder with libduckdb.so, duckdb.h and cpp/" >&2
     exit 2 ;;
esac
headers_hash=5bb967dcbcd517670ba5f169f238fb9d6787e53752c60ebe24386169d76941ed

if [ -n "${SEGUE_DUCKDB_DIR:-}" ]; then
  echo "$SEGUE_DUCKDB_DIR"
  exit 0
fi
folder=$CACHE/duckdb-$BINDINGS-cpp
if [ -e "$folder/libduckdb.so" ]; then
  echo "$folder"
  exit 0
fi

mkdir -p "$CACHE"
work=$(mktemp -d "$CACHE/duckdb.XXXXXX")
trap 'rm -rf "$work"' EXIT

# fetch URL SHA256 FILE
fetch() {
  curl -fsSL --retry 3 --max-time 300 -o "$3" "$1" || {
    echo "duckdb: cannot fetch $1; or set SEGUE_DUCKDB_DIR to a folder with libduckdb.so, duckdb.h and cpp/" >&2
    exit 1
  }
  echo "$2  $3" | sha256sum --check --status || {
    echo "duckdb: $1 is not what it was: its SHA-256 differs" >&2
    exit 1
  }
}
fetch "$REGISTRY/@duckdb/node-bindings-linux-$machine/-/node-bindings-linux-$machine-$BINDINGS.tgz" "$hash" "$work/library.tgz"
fetch "$REGISTRY/duckdb/-/duckdb-$VERSION.tgz" "$headers_hash" "$work/headers.tgz"
mkdir "$work/out"
tar xzf "$work/library.tgz" -C "$work/out" --strip-components=1 package/libduckdb.so package/LICENSE
mkdir "$work/out/cpp"
tar xzf "$work/headers.tgz" -C "$work/out/cpp" --strip-components=5 package/src/duckdb/src/include
cp "$work/out/cpp/duckdb.h" "$work/out/"
mv "$work/out" "$folder" 2>/dev/null || [ -e "$folder/libduckdb.so" ] # another one was faster
echo "$folder"
