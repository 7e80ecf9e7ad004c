#!/bin/sh
# Makes the environment that a make target needs: tools/bootstrap.sh run | dev | demo | browser | voice [python]
# Brings uv (into .tools/) and .venv, installs from the hash-locked requirements; a second call only compares stamps.
set -eu
cd "$(dirname "$0")/.."
here=$PWD
venv=.venv

say() { printf '%s\n' "$*" >&2; }

case "$1" in
run) lock=requirements.txt ;;
dev) lock=requirements-dev.txt ;;
demo) lock=requirements-demo.txt ;;
browser) lock=requirements-browser.txt ;;
voice) lock=requirements-voice.txt ;;
*) say "usage: tools/bootstrap.sh run|dev|demo|browser|voice [python]" && exit 2 ;;
esac

# What was installed, from what, where: moving the folder breaks a venv's scripts, so its path belongs to the stamp.
fingerprint() { { printf '%s\n' "$here" "${2:-}" && cat "$1" requirements-build.txt pyproject.toml; } | cksum; }
stamp=$venv/.cohort-$1
wanted=$(fingerprint "$lock" "${2:-}")
if [ -x $venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

if [ ! -x .tools/uv/bin/uv ] && ! uv --version 2>/dev/null | grep -Eq '^uv (0\.([89]|[1-9][0-9])|[1-9])'; then
    python=$(tools/find-python.sh "${2:-}")
    say "Bringing uv into .tools/ (once) ..."
    rm -rf .tools/uv
    "$python" -m venv .tools/uv
    .tools/uv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r tools/uv.txt
fi
uv=uv
[ -x .tools/uv/bin/uv ] && uv=.tools/uv/bin/uv
export UV_PYTHON_DOWNLOADS=never

home=$(cat $venv/.cohort-home 2>/dev/null || true)
if [ ! -x $venv/bin/python ] || ! $venv/bin/python -c '' 2>/dev/null || [ "${home:-$here}" != "$here" ]; then
    python=$(tools/find-python.sh "${2:-}")
    say "Making .venv with $("$python" -V 2>&1) ..."
    $uv venv --quiet --clear --python "$python" $venv
fi
printf '%s\n' "$here" >$venv/.cohort-home

say "Installing what $lock names (a minute or two) ..."
$uv pip install --quiet --python $venv/bin/python --no-deps --require-hashes -r "$lock"
if [ "$1" = run ] || [ "$1" = dev ]; then
    $uv pip install --quiet --python $venv/bin/python --no-deps --build-constraints requirements-build.txt -e .
fi
# uv compiles nothing, and processes that start at the same time would each compile all that they import. A key's name
# has its provider loaded.
ours='workers.process.preload, ops.entry, ops.cli, ops.up.run, ops.up.flower, ops.web.app, bot.wiring, playground.server'
case "$1" in
run) loaded="import $ours; workers.process.preload.load()" ;;
dev) loaded="import $ours, aiogram, hypothesis.stateful; workers.process.preload.load()" ;;
*) loaded= ;;
esac
env -u PYTHONDONTWRITEBYTECODE OPENAI_API_KEY=- ANTHROPIC_API_KEY=- GOOGLE_API_KEY=- $venv/bin/python -c "$loaded" ||
    say "Not all modules can be loaded; the command that needs them will say why."
printf '%s\n' "$wanted" >"$stamp"
