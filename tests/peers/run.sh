#!/bin/sh
# Tries proofward against other people's stratum software from npm:
#   our miner finds shares that stratum-pool-sha256 accepts;
#   stratum-client shakes hands with our server.
# Usage: tests/peers/run.sh [PROOFWARD], the program; by default the release build of this folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
proofward=$(realpath "${1:-$here/../../target/release/proofward}")
for tool in node npm; do
    if ! command -v $tool >/dev/null; then
        echo "skipped: no $tool on this machine"
        exit 0
    fi
done
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$here/package.json" "$here/pool.js" "$here/handshake.js" "$place"
cd "$place"
npm install --no-audit --no-fund --ignore-scripts --silent
node pool.js "$proofward"
node handshake.js "$proofward"
