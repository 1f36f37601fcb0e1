# Read by bin/demo and bin/test: everything that they need before they can start.
# Plain POSIX shell.  Quiet when all is well, and quick when nothing has changed.

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
PYTHON=${PYTHON:-python3}
VENV=$ROOT/.venv
LOG=$ROOT/build/prepare.log
export PYTHON

say() { echo "$(basename "$0"): $*" >&2; }

# Run a command with its output in the log; when it fails, show the end of that and stop.
quietly() {
    echo "+ $*" >> "$LOG"
    "$@" >> "$LOG" 2>&1 < /dev/null || {
        tail -n 40 "$LOG" >&2
        say "this failed: $* (all of its output: $LOG)"
        exit 1
    }
}

# The packages of bin/packages for $1 ('all' or 'test') that this system lacks.
lacking() {
    while read -r who package test; do
        [ "$who" = "$1" ] || continue
        PATH=$PATH:/usr/sbin:/sbin sh -c "$test" > /dev/null 2>&1 < /dev/null || printf ' %s' "$package"
    done < "$ROOT/bin/packages"
}

# Bring the system packages: $1 must be there, $2 makes no difference to building and running.
system_packages() {
    needed=$1 useful=$2
    [ -n "$needed$useful" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        say "installing$needed$useful"
        quietly apt-get -q update
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive \
            quietly apt-get -q install -y --no-install-recommends $needed $useful
    elif [ -n "$needed" ]; then
        say "these packages are missing; ask an administrator for"
        say "    apt-get install$needed$useful"
        exit 1
    else
        say "without these packages some tests are skipped:$useful"
    fi
}

# A name for the present state of all files and settings that the build depends on.
state() {
    {
        "$PYTHON" -c 'import sys; print(sys.version, sys.executable)'
        echo "$ROOT ${PVM_ROOT-}"
        ls /usr/include/pvm3.h /usr/local/include/pvm3.h 2> /dev/null || true
        cd "$ROOT"
        find biskit_pvm slave_scripts -name __pycache__ -prune -o \
            \( -path '*/toplevel/*' -o -name __init__.py \) -print | sort
        cat pyproject.toml setup.py vendor/pvm3.versions pvm_ext/installation.py
        find pvm_ext \( -name '*.pyx' -o -name '*.pxi' -o -name '*.pxd' -o -name '*.h' \) |
            sort | xargs cat
    } | cksum
}

# Everything, with the extras named by $1 (as in "plot,test"); $2 is 'test' for bin/test.
prepare() {
    mkdir -p "$ROOT/build"
    needed=$(lacking all)
    useful=$([ "${2-}" != test ] || lacking test)
    system_packages "$needed" "$useful"

    stamp=$VENV/.prepared-$(echo "$1" | tr , -)
    state=$(state)
    if [ "$(cat "$stamp" 2> /dev/null)" = "$state" ]; then
        return 0
    fi
    : > "$LOG"
    if [ -z "${PVM_ROOT-}" ] && [ ! -f /usr/include/pvm3.h ] && [ ! -f /usr/local/include/pvm3.h ]; then
        quietly "$ROOT/vendor/get_pvm3"
    fi
    say "preparing $VENV"
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
    for other in "$VENV"/.prepared-*; do  # those that stand for another build
        [ "$(cat "$other" 2> /dev/null)" = "$state" ] || rm -f "$other"
    done
    echo "$state" > "$stamp"
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
