#!/bin/sh
# Prints the path of a Python that can run Cohort (3.13 preferred, then 3.12), or says on stderr what to install.
# Candidates are run, not trusted: a pyenv shim of an inactive version, or one without venv, is passed over.
set -u

usable() { # path, version such as 3.13
    [ -x "$1" ] || return 1
    "$1" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1
}

offer() {
    if usable "$1" "$2"; then
        printf '%s\n' "$1"
        exit 0
    fi
}

on_path() { # every executable of that name on PATH, in order
    saved_ifs=$IFS
    IFS=:
    for dir in $PATH; do
        [ -x "$dir/$1" ] && printf '%s\n' "$dir/$1"
    done
    IFS=$saved_ifs
}

pyenv_roots() {
    [ -n "${PYENV_ROOT:-}" ] && printf '%s\n' "$PYENV_ROOT"
    [ -n "${HOME:-}" ] && printf '%s\n' "$HOME/.pyenv"
}

newest_first() { sort -t. -k1,1nr -k2,2nr -k3,3nr; }

each() { # reads paths, offers each for the version given
    while IFS= read -r candidate; do
        if usable "$candidate" "$1"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

if [ -n "${1:-}" ]; then # make up PYTHON=/path/to/python
    for version in 3.13 3.12; do offer "$1" "$version"; done
    for version in 3.13 3.12; do on_path "$1" | each "$version" && exit 0; done
    echo "PYTHON=$1 is not a Python 3.12 or 3.13 with venv." >&2
    exit 1
fi

for version in 3.13 3.12; do
    on_path "python$version" | each "$version" && exit 0
    pyenv_roots | while IFS= read -r root; do
        [ -d "$root/versions" ] || continue
        for dir in "$root/versions/$version".*; do
            [ -d "$dir" ] && printf '%s\n' "${dir##*/}"
        done | newest_first | sed "s|.*|$root/versions/&/bin/python|"
    done | each "$version" && exit 0
    for dir in /usr/local/bin /opt/homebrew/bin /usr/bin "${HOME:-}/.local/bin"; do
        offer "$dir/python$version" "$version"
    done
    on_path python3 | each "$version" && exit 0
    on_path python | each "$version" && exit 0
done

echo "Cohort needs Python 3.12 or 3.13 with venv, and none was found: install one (for example" \
    "'apt-get install python3.12 python3.12-venv', 'brew install python@3.13' or 'pyenv install 3.13')," \
    "or name it: make up PYTHON=/path/to/python3.13" >&2
exit 1
