# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# To be sourced: puts on PATH what the set-up brought for this user, the Python
# modules of tools/provision/python and rustup's commands.

# A relative XDG_CACHE_HOME is to be ignored, says its specification.
case ${XDG_CACHE_HOME-} in
    /*) kit_cache=$XDG_CACHE_HOME/sel4-rust-kit ;;
    *) kit_cache=${HOME:?is not set: set it, or XDG_CACHE_HOME, to a folder that the kit may cache in}/.cache/sel4-rust-kit ;;
esac
if ! command -v cargo >/dev/null && [ -d "${HOME-}/.cargo/bin" ]; then
    PATH=$HOME/.cargo/bin:$PATH
fi
if [ -d "$kit_cache/python" ]; then
    PATH=$kit_cache/python/bin:$PATH
fi
export PATH
