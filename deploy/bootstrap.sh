#!/bin/sh
# Makes .venv from the locked requirements; `make` calls it before everything else.
#
# Needs Python >= 3.11 and nothing more. Everything it writes stays inside the checkout (.tools, .venv, .cache), so an
# empty or unwritable home does no harm. Done once, it answers at once until a lock or pyproject.toml changes.
# PYTHON=/path/to/python3 chooses the interpreter; UV_DEFAULT_INDEX or a pip configuration names a mirror, if any.
set -eu

UV_VERSION=0.13.9
LOCK=requirements/dev.lock

cd "$(dirname "$0")/.."
root=$(pwd -P)
state=.cache/bootstrap
stamp=.venv/.set-up-from
unfinished=$state/unfinished

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# What the environment is made from. The path counts: scripts in .venv name it, so a moved checkout is set up again.
wanted() { printf '%s %s\n' "$UV_VERSION" "$root"; cksum "$LOCK" pyproject.toml deploy/bootstrap.sh; }

is_done() { [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ]; }

# Prints the path of the first Python that runs for this user and whose version is between the two named ones.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$1" "$2" "$PYTHON"
    else
        set -- "$1" "$2" python3 python3.13 python3.12 python3.11 python3.14 python \
            /usr/bin/python3 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 \
            /usr/local/bin/python3 /opt/homebrew/bin/python3
    fi
    lowest=$1 highest=$2
    shift 2
    for candidate; do
        "$candidate" - "$lowest" "$highest" 2>/dev/null <<'PY' && return
import sys
from importlib.util import find_spec

lowest, highest = (tuple(map(int, text.split("."))) for text in sys.argv[1:])
usable = sys.implementation.name == "cpython" and lowest <= sys.version_info[:2] <= highest
complete = all(find_spec(name) for name in ("ssl", "ctypes", "fcntl")) and (find_spec("ensurepip") or find_spec("pip"))
if not (usable and complete):
    sys.exit(1)
print(sys.executable)
PY
    done
    return 1
}

has_uv() { [ -x .tools/bin/uv ] && case $(.tools/bin/uv --version 2>/dev/null) in "uv $UV_VERSION"*) true ;; *) false ;; esac; }

install_uv() {
    has_uv && return
    rm -rf .tools
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .tools || fail "$python could not make a virtual environment in $root/.tools."
        .tools/bin/python -m pip install --quiet --no-cache-dir --no-input "uv==$UV_VERSION" ||
            fail "pip could not install uv $UV_VERSION: is the package registry reachable?"
    else
        # Debian and Ubuntu ship Python without ensurepip; its pip can still install into a plain folder.
        "$python" -m pip install --quiet --no-cache-dir --no-input --target .tools/lib "uv==$UV_VERSION" ||
            fail "pip could not install uv $UV_VERSION: is the package registry reachable?"
        mkdir -p .tools/bin
        ln -sf ../lib/bin/uv .tools/bin/uv
    fi
    has_uv || fail "uv $UV_VERSION was installed into $root/.tools but does not run on this machine."
}

# An earlier run may have been interrupted and left half a package, the checkout may have been moved, Python removed.
must_begin_again() {
    [ -f "$unfinished" ] || ! .venv/bin/python -c '' 2>/dev/null ||
        { [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" != "$(wanted | head -n 1)" ]; }
}

install_packages() {
    if must_begin_again; then # the cache makes it quick
        : >"$unfinished"
        .tools/bin/uv --no-config venv --quiet --clear --no-project --prompt lucy --python "$python" .venv
    fi
    : >"$unfinished"
    rm -f "$stamp"
    # Compiled once: where Python may not write its bytecode, every process would compile the whole of it again.
    .tools/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes "$LOCK" ||
        fail "the locked packages could not be installed: is the package registry reachable (or UV_DEFAULT_INDEX wrong)?"
    .tools/bin/uv --no-config pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation -e .
}

is_done && exit 0

mkdir -p "$state" || fail "cannot write into $root."
if command -v flock >/dev/null 2>&1; then
    exec 9>"$state/lock"
    flock 9
    is_done && exit 0 # another `make` did it meanwhile
fi

# Settings meant for other work must not lead the installers elsewhere.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV || :
unset UV_PROJECT_ENVIRONMENT UV_PYTHON UV_SYSTEM_PYTHON UV_NO_INDEX UV_OFFLINE || :
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export UV_CACHE_DIR="$root/.cache/uv" UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
export TMPDIR="$root/.cache/tmp"
rm -rf "$TMPDIR"
mkdir -p "$TMPDIR"
# Where the system keeps its certificates, trust those: an institution's proxy is known there and nowhere else.
if [ -z "${SSL_CERT_FILE:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
    export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
fi

python=$(find_python 3.11 3.13) || python=$(find_python 3.11 3.99) || fail "no usable Python found${PYTHON:+ in PYTHON=$PYTHON}.
Lucy needs CPython 3.11 or newer with venv or pip. On Debian and Ubuntu: apt-get install python3 python3-venv.
If it is installed elsewhere: PYTHON=/path/to/python3 make"

say "setup: preparing .venv from $LOCK with $python (the first time takes a minute)"
install_uv
install_packages
rm -rf "$TMPDIR"
wanted >"$state/new"
rm -f "$unfinished"
mv "$state/new" "$stamp"
