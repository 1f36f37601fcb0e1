# Read by bin/demo and bin/test: everything that they need before they can start.
# Plain POSIX shell.  Quiet when all is well, and quick when nothing has changed.

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
VENV=$ROOT/.venv
LOG=$ROOT/build/prepare.log
# Whoever names no Python gets the one of the environment that is there, if that works.
if [ -z "${PYTHON-}" ]; then
    PYTHON=python3
    ! "$VENV/bin/python" -c 'import pip' 2> /dev/null || PYTHON=$VENV/bin/python
fi
export PYTHON

say() { echo "$(basename "$0"): $*" >&2; }

# Run a command with its output in the log; when it fails, show the end of that and stop.
quietly() {
    echo "+ $*" >> "$LOG"
    "$@" >> "$LOG" 2>&1 < /dev/null 9>&- || {
        tail -n 40 "$LOG" >&2
        say "this failed: $* (all of its output: $LOG)"
        exit 1
    }
}

# The packages of bin/packages for $1 ('all' or 'test') that this system lacks.
lacking() {
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) || version=3
    sed "s/3\.N/$version/" "$ROOT/bin/packages" | while read -r who package test; do
        [ "$who" = "$1" ] || continue
        PATH=$PATH:/usr/sbin:/sbin sh -c "$test" > /dev/null 2>&1 < /dev/null || printf ' %s' "$package"
    done
}

# Of each package of $1, written as 'name' or 'name|former-name', the name that apt has; $2 is what to do where
# it has none: 'keep' the first name or 'drop' the package.
known_to_apt() {
    for package in $1; do
        found=
        for name in $(echo "$package" | tr '|' ' '); do
            LC_ALL=C apt-cache policy "$name" 2> /dev/null | grep -q 'Candidate: [^(]' && found=$name && break
        done
        [ "$2" = drop ] || : "${found:=${package%%|*}}"
        [ -z "$found" ] || printf ' %s' "$found"
    done
}

# Bring the system packages that are missing; $1 is 'test' for those that make no difference to building and running,
# too.
system_packages() {
    needed=$(lacking all)
    useful=$([ "$1" != test ] || lacking test)
    [ -n "$needed$useful" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        echo "+ apt-get update" >> "$LOG"
        apt-get -q update >> "$LOG" 2>&1 < /dev/null 9>&- ||
            say "apt-get update failed, so this goes on with the lists that are there ($LOG)"
        install_packages "$(known_to_apt "$needed" keep)"
        # again, since some of them are those of the Python that has just come
        useful=$([ "$1" != test ] || lacking test)
        wanted=$(known_to_apt "$useful" drop)
        [ "$(echo $useful | wc -w)" = "$(echo $wanted | wc -w)" ] ||
            say "apt has not all of these here, so some tests are skipped:$useful"
        install_packages "$wanted"
    elif [ -n "$needed" ]; then
        say "these packages are missing; ask an administrator for"
        say "    apt-get install$(known_to_apt "$needed$useful" keep)"
        say "(these are Debian's names; other systems have the same under names of their own)"
        exit 1
    else
        say "without these packages some tests are skipped:$(known_to_apt "$useful" keep)"
    fi
}

install_packages() {
    [ -n "$1" ] || return 0
    say "installing$1"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive \
        quietly apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends $1
}

# One at a time in this clone; held until the end of `prepare`, and by no program that it starts.
lock() {
    { mkdir -p "$ROOT/build" && true >> "$ROOT/build/prepare.lock"; } 2> /dev/null || {
        say "$ROOT cannot be written to (is it another user's, or is the disk full?)"
        say 'use a clone of your own, in a folder of yours'
        exit 1
    }
    exec 9> "$ROOT/build/prepare.lock"
    command -v flock > /dev/null || return 0
    flock -n 9 || {
        say 'another one prepares this clone; waiting for it'
        flock 9
    }
}

# Which Python this is: version and place, the same inside an environment that it has made.
identity() {
    "$1" -c 'import os, sys; print(sys.version, os.path.realpath(sys.executable))' 2> /dev/null
}

# A name for the present state of all files and settings that the build depends on.
state() {
    {
        identity "$PYTHON"
        echo "$ROOT ${PVM_ROOT-} ${BISKIT_PVM_BUNDLE-}"
        ls /usr/include/pvm3.h /usr/local/include/pvm3.h 2> /dev/null || true
        cd "$ROOT"
        find biskit_pvm slave_scripts -name __pycache__ -prune -o \
            \( -path '*/toplevel/*' -o -name __init__.py \) -print | sort
        cat pyproject.toml setup.py vendor/pvm3.versions pvm_ext/installation.py
        find pvm_ext \( -name '*.pyx' -o -name '*.pxi' -o -name '*.pxd' -o -name '*.h' -o -name standin.c \) |
            sort | xargs cat
    } | cksum
}

# Everything, with the extras named by $1 (as in "plot,test"); $2 is 'test' for bin/test.
prepare() {
    prepared "$1" && [ -z "$(lacking all)" ] && { [ "${2-}" != test ] || [ -z "$(lacking test)" ]; } && return
    lock
    system_packages "${2-}"
    prepared "$1" || set_up "$1"
    exec 9>&-
}

# Whether all is as it was when it was set up for the extras $1.
prepared() {
    [ -x "$VENV/bin/python" ] && [ "$(cat "$(stamp "$1")" 2> /dev/null)" = "$(state)" ]
}

stamp() {
    echo "$VENV/.prepared-$(echo "$1" | tr , -)"
}

set_up() {
    : > "$LOG"
    if [ -z "${PVM_ROOT-}" ] && [ ! -f /usr/include/pvm3.h ] && [ ! -f /usr/local/include/pvm3.h ]; then
        [ -d "$ROOT/vendor/pvm3" ] || say "bringing PVM into $ROOT/vendor/pvm3"
        quietly "$ROOT/vendor/get_pvm3"
    fi
    say "preparing $VENV; this takes one to three minutes and some 100 MB from Python's package index"
    if [ "$(identity "$PYTHON")" != "$(identity "$VENV/bin/python")" ]; then
        [ ! -x "$VENV/bin/python" ] || say "it was made with another Python than $PYTHON, so it is made anew"
        rm -rf "$VENV"
    fi
    "$VENV/bin/python" -c 'import pip' 2> /dev/null || {
        rm -rf "$VENV"
        quietly "$PYTHON" -m venv "$VENV"
    }
    requires=$("$PYTHON" -c '
import ast, re, sys
text = open(sys.argv[1]).read()
print("\n".join(ast.literal_eval(re.search(r"^requires = (\[.*?\])$", text, re.M | re.S)[1])))
' "$ROOT/pyproject.toml")
    echo "$requires" > "$ROOT/build/requires.txt"
    quietly "$VENV/bin/python" -m pip install --disable-pip-version-check -r "$ROOT/build/requires.txt"
    quietly "$VENV/bin/python" -m pip install --disable-pip-version-check --no-build-isolation \
        -e "$ROOT[$1]"
    state=$(state)
    for other in "$VENV"/.prepared-*; do  # those that stand for another build
        [ "$(cat "$other" 2> /dev/null)" = "$state" ] || rm -f "$other"
    done
    # Last, and at once: who finds it finds all the rest.
    echo "$state" > "$VENV/.prepared.new"
    mv "$VENV/.prepared.new" "$(stamp "$1")"
}

# A virtual machine of its own: nothing of the user's PVM is seen, nothing of it is left.
own_virtual_machine() {
    for name in $(env | sed -n 's/^\(PVM[A-Z_]*\)=.*/\1/p'); do
        [ "$name" = PVM_ROOT ] || unset "$name"
    done
    PVM_TMP=$(mktemp -d /tmp/bp-XXXXXX)
    PVM_VMID=$(basename "$PVM_TMP")
    # Root is warned off PVM since others could use its pvmd; nobody else sees this one.
    PVM_ALLOW_ROOT=1
    export PVM_TMP PVM_VMID PVM_ALLOW_ROOT
    trap 'rm -rf "$PVM_TMP"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
