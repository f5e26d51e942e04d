# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the scripts of this folder share; it is sourced, never run.
#
# Two ideas. A *step* is a command with a name: its output goes to a log, one line goes to the terminal, and the tail
# of the log only when it fails. A *need* is a system package together with a command that shows whether it is there:
# what counts is that the machine can do the thing, not which package manager put it there.
#
# Invariants: everything generated lies in build/; nothing is installed while nothing is missing; messages go to
# standard error, so that the output of loopcheck itself stays clean.

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
build=$root/build
venv=$build/venv
pythons=$build/pythons
log=${log:-$build/setup.log}
missing=()

say() {
    printf '%s\n' "$*" >&2
}

# Leave with a status after one sentence. Status 2: the user has something to do; 3: something here went wrong.
die() {
    local status=$1
    shift
    say "$*"
    exit "$status"
}

# logged SENTENCE COMMAND...: say the sentence, run the command into the log.
logged() {
    local sentence=$1
    shift
    say "set-up: $sentence"
    mkdir -p "$build"
    printf '\n== %s\n' "$sentence" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null
}

# step SENTENCE COMMAND...: the same, and show the end of the log if the command fails.
step() {
    if ! logged "$@"; then
        say "set-up: this failed; the end of $log:"
        tail -n 20 -- "$log" >&2
        return 1
    fi
}

# need PACKAGES COMMAND...: remember the packages (one word each) as missing unless the command succeeds.
need() {
    local -a packages
    read -r -a packages <<<"$1"
    shift
    "$@" >/dev/null 2>&1 </dev/null || missing+=("${packages[@]}")
}

compiles() {
    local compiler=$1
    shift
    printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' | "$compiler" "$@" -x c - -o /dev/null
}

apt_install() {
    apt-get update || true  # a source of somebody else's that is broken need not matter: the installation tells
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Install what need() found missing; whoever may not is told what to run.
install_missing() {
    ((${#missing[@]})) || return 0
    if ! command -v apt-get >/dev/null; then
        die 2 "Missing on this machine: ${missing[*]} (names of Debian packages). Install them and start again."
    fi
    if ((EUID != 0)); then
        say "Missing system packages. Run this line as root, then start again:"
        die 2 "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    step "system packages ${missing[*]}" apt_install "${missing[@]}" ||
        die 3 "The system packages could not be installed: see $log."
    missing=()
}

# is_python PATH [MINOR]: this command runs and is CPython 3.MINOR or newer (8 unless told). A pyenv shim may do neither.
is_python() {
    "$1" -c "import sys; sys.exit(sys.version_info < (3, ${2:-8}) or sys.implementation.name != 'cpython')" \
        >/dev/null 2>&1 </dev/null
}

# The interpreters that may be on this machine, one path a line: PATH, pyenv, the system. Nothing says that they run.
list_pythons() {
    local minor
    command -v python3 || true
    for minor in 15 14 13 12 11 10 9 8; do
        command -v "python3.$minor" || true
        compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$minor.*/bin/python3" || true
        compgen -G "/usr/bin/python3.$minor" || true
    done
}

# What the environment depends on, as one hash. The path counts too: neither a virtual environment nor an
# interpreter made by ci/pythons survives being moved.
setup_stamp() {
    local -a inputs=("$root/ci/setup" "$root/ci/lib.sh")
    local file
    for file in "$root"/pyproject.toml "$root"/CMake* "$root"/harness/clock/*; do
        [[ -f $file ]] && inputs+=("$file")
    done
    { printf '%s\n' "$root"; cat -- "${inputs[@]}"; } | sha256sum
}

setup_is_current() {
    [[ -x $venv/bin/python && -x $venv/bin/loopcheck && -r $build/setup.stamp ]] &&
        [[ $(<"$build/setup.stamp") == "$(setup_stamp)" ]]
}

# configure PRESET FOLDER [OPTION...]: CMake's own step, in build/FOLDER. A build folder that was made elsewhere and came
# here with a copied or moved clone cannot be configured again.
configure() {
    local preset=$1 folder=$build/$2
    shift 2
    if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
        rm -rf -- "$folder"
    fi
    cmake -S "$root" --preset "$preset" -B "$folder" "$@"
}

# Put the interpreters of ci/pythons on PATH, if there are any.
use_pythons() {
    if [[ -d $pythons/bin ]]; then
        export PATH=$pythons/bin:$PATH
    fi
}
