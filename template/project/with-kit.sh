# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Runs a command of the kit for this project: with-kit.sh COMMAND ARGUMENT...
set -eu
project=$(dirname "$(realpath "$0")")
kit=$project/sel4-rust-kit
if ! [ -e "$kit/quickstart" ]; then
    # shellcheck disable=SC2016 # backticks of the message
    printf 'error: the kit is not at `%s`\nhelp: git clone KIT_URL "%s", at the revision of manifest.xml\n' "$kit" "$kit" >&2
    exit 1
fi
command=$1
shift
exec "$kit/$command" --project "$project" "$@"
