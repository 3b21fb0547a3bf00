# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# To be sourced by the set-up scripts: how they speak, stop and install packages.

# shellcheck source=tools/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/../environment.sh"

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

# apt_install PACKAGE...
# Asks for a password only where somebody sits at the terminal.
apt_install() {
    local root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "these packages are missing, and installing them needs root: $*" "as root: apt-get install $*"
        root=(sudo)
        [ -t 0 ] || root+=(-n)
    fi
    say "installing through apt: $*"
    "${root[@]}" apt-get update -qq >&2 || say "warning: apt-get update failed; trying with the package lists that are here"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" |
        { grep --line-buffered -E '^(Get:|Setting up)' >&2 || :; }
}

# No script ends without a word: names the command whose failure nothing else handles. The kit's own scripts have spoken, and
# what is interrupted did not fail.
unforeseen() {
    local status=$1 line=$2 command=$3
    case $status:$command in
    130:* | 143:* | *tools/*) ;;
    *)
        # shellcheck disable=SC2016 # backticks of the message
        printf 'error: %s: `%s` ended with status %s in line %s\n' "$0" "$command" "$status" "$line" >&2
        printf "help: the command's own message, if it has one, is above; try it by hand\n" >&2
        ;;
    esac
}
trap 'unforeseen $? "$LINENO" "$BASH_COMMAND"' ERR
