# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# To be sourced by the set-up scripts: how they speak, stop and become root.

# shellcheck source=setup/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

say() {
    printf '%s\n' "$*" >&2
}

# die WHAT NEXT-STEP
die() {
    printf 'error: %s\nhelp: %s\n' "$1" "$2" >&2
    exit 1
}

on_debian() {
    command -v apt-get >/dev/null
}

# Run a command as root. Asks for a password only where somebody sits at the terminal.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        die "\`$*\` needs root, and there is no sudo" "run it as root, then this command again"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# apt_install PACKAGE...
apt_install() {
    say "installing through apt: $*"
    as_root apt-get update -qq >&2 || say "warning: apt-get update failed; trying with the package lists that are here"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" |
        { grep --line-buffered -E '^(Get:|Setting up)' >&2 || :; }
}
