#!/bin/sh
# Prints the path of the Chromium that `make test-browser` drives: $CHROMIUM, or the first on PATH. Ends with 1 if there is none.
set -u
if [ -n "${CHROMIUM:-}" ]; then
    command -v "$CHROMIUM" && exit 0
    printf 'CHROMIUM=%s is no program\n' "$CHROMIUM" >&2
    exit 1
fi
for name in chromium chromium-browser google-chrome-stable google-chrome; do
    command -v "$name" && exit 0
done
printf 'no Chromium: install it (Debian: apt-get install chromium), or give its path in CHROMIUM\n' >&2
exit 1
