#!/bin/sh
# make check: everything that can be said without running the tests. All of it runs; any failure decides the status.
# The types take as long as all the rest, beside which they are looked at.
set -u
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
status=0

told=$(mktemp)
trap 'rm -f "$told"' EXIT
basedpyright >"$told" 2>&1 &
types=$!

say() { # name, status, output
    if [ "$2" -eq 0 ]; then
        printf '%-12s ok\n' "$1"
    else
        printf '%-12s FAILED\n%s\n' "$1" "$3"
        status=1
    fi
}

run() { # name, command...
    name=$1
    shift
    output=$("$@" 2>&1)
    say "$name" $? "$output"
}

run lint ruff check .
run format ruff format --check .
run imports lint-imports
run depends deptry .
run settings python tools/settings_table.py --check
run lock python -c "
import sys; sys.path.insert(0, 'tools')
import lock
sys.exit('; '.join(lock.stale()) + ': make lock' if lock.stale() else 0)"
run compose check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
run workflows check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
run dependabot check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
run templates check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
run tracked python tools/check_tracked.py
wait $types
say types $? "$(cat "$told")"
exit $status
