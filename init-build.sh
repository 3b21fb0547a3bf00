#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Configures a build folder: `mkdir build && cd build && ../init-build.sh -DPLATFORM=zynqmp`, then `ninja`.
# Arguments go to CMake; easy-settings.cmake lists the options a user sets.
# Works from a repo workspace, where it is a link in the root, and from a plain clone, with the sources that
# `quickstart` fetched.
set -eu

die() {
    printf 'error: %s\nhelp: %s\n' "$1" "$2" >&2
    exit 1
}

kit=$(dirname "$(realpath "$0")")
called_from=$(realpath "$(dirname "$0")")
build=$(pwd -P)
# A project that `quickstart new` wrote hands over to the kit by this option.
project=$kit settings=$kit/settings/settings.cmake
if [ "${1-}" = --project ]; then
    project=$2 settings=$2/settings.cmake called_from=$2
    shift 2
fi

if [ -e CMakeLists.txt ] || [ "$build" = "$kit" ] || [ "$build" = "$called_from" ]; then
    die "\`$build\` is a source folder; builds lie in a folder of their own" \
        "mkdir build && cd build && ../init-build.sh${*:+ $*}"
fi
case "$build/" in
    "$kit"/.ci/* | "$kit"/.github/* | "$kit"/LICENSES/* | "$kit"/apps/* | "$kit"/cmake/* | "$kit"/docs/* | "$kit"/hosted/* | \
        "$kit"/libsel4std/* | "$kit"/rust/* | "$kit"/settings/* | "$kit"/template/* | "$kit"/tests/* | "$kit"/tools/*)
        die "\`$build\` is inside the kit's sources" \
            "make the build folder beside them: mkdir \"$kit/build\" && cd \"$kit/build\"" ;;
esac
# Tools that quickstart brought into the user's cache.
callers_python=$(command -v python3) || :
. "$kit/tools/environment.sh"
command -v cmake >/dev/null || die "\`cmake\` is not on PATH" "apt-get install cmake ninja-build, or ./quickstart"
command -v ninja >/dev/null || die "\`ninja\` is not on PATH" "apt-get install ninja-build, or ./quickstart"

# The hosted platform needs no sources of seL4.
"$kit/tools/check-paths" "$kit" "$project" "$build"
for argument in "$@"; do
    case $argument in
        -DPLATFORM=hosted | -DPLATFORM:*=hosted)
            # Only Corrosion, if they are there.
            if workspace=$("$kit/tools/provision/sources.py" --path --manifest "$project/manifest.xml" 2>/dev/null); then
                corrosion=-DKERNEL_PATH=$workspace/kernel
            else
                corrosion=-DCorrosion_DIR=$("$kit/tools/provision/corrosion") || exit 1
            fi
            exec cmake -G Ninja "$@" "$corrosion" -C "$settings" "$project" ;;
    esac
done

# seL4's own build puts paths into the linker's flags without quotes.
"$kit/tools/check-paths" --no-space "$kit" "$project" "$build"

# A workspace made by repo holds the kit at projects/sel4-rust-kit; else the sources lie in the user's cache.
workspace=$called_from
[ -e "$workspace/kernel" ] || workspace=$(realpath "$project/../..")
[ -e "$workspace/kernel/gcc.cmake" ] || workspace=$("$kit/tools/provision/sources.py" --path --manifest "$project/manifest.xml")

# An app of components needs CAmkES' sources, too.
camkes=
for argument in "$@"; do
    case $argument in
        -DAPP=* | -DAPP:*=*)
            app=$project/apps/${argument#*=}
            for assembly in "$app"/*.camkes; do
                [ ! -e "$assembly" ] || camkes=yes
            done ;;
    esac
done
if [ -n "$camkes" ]; then
    camkes=$workspace
    [ -e "$workspace/projects/camkes-tool" ] || camkes=$("$kit/tools/provision/sources.py" --path --manifest "$kit/camkes.xml")
fi

# The folder that seL4's own init-build.sh uses, so that builds of muslc are shared with other projects.
# What lies in it is linked into images, so only if it is this user's, and nobody else may write to it.
cache=${HOME-}/.sel4_cache
if [ -z "${HOME-}" ] || ! [ -d "$cache" ]; then
    cache=$workspace/.sel4_cache
elif [ -z "$(find -H "$cache" -prune -user "$(id -u)" ! -perm -020 ! -perm -002)" ]; then
    # shellcheck disable=SC2016 # backticks of the message
    printf 'note: `%s` is left alone, since other users may write to it; `%s` serves instead\n' \
        "$cache" "$workspace/.sel4_cache" >&2
    cache=$workspace/.sel4_cache
fi

cmake -G Ninja "$@" \
    -DSEL4_WORKSPACE="$workspace" -DSEL4_CACHE_DIR="$cache" ${camkes:+"-DCAMKES_WORKSPACE=$camkes"} \
    -C "$settings" "$project"
# seL4's build calls whichever python3 comes first; the caller's may lack the modules that quickstart brought.
if [ "$(command -v python3)" != "$callers_python" ]; then
    printf 'note: before ninja, put the Python modules of seL4'\''s build on PATH: . %s\n' "$kit/tools/environment.sh" >&2
fi
