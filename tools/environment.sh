# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# To be sourced: puts on PATH what the set-up brought for this user, a `python3` with the modules of
# tools/provision/python, rustup's commands, and capDL-tool for CAmkES. Sets kit_cache, the kit's folder in the user's cache,
# kit_python, the place of that python3's environment, and kit_capdl, that of tools/provision/capdl.
#
# Finds the kit by itself in bash and zsh; elsewhere by the variable `kit`, or in the working folder.

# shellcheck disable=SC3028
if [ -n "${BASH_SOURCE-}" ]; then
    kit_tools=$(dirname "$BASH_SOURCE")
elif [ -n "${ZSH_VERSION-}" ]; then
    eval 'kit_tools=${${(%):-%x}:A:h}'
else
    kit_tools=${kit:-.}/tools
fi
kit_cache=$("$kit_tools/cache-folder") || return
# Named by the pins, so that clones of different age share a cache.
kit_python=$kit_cache/python-$(sha256sum <"$kit_tools/provision/requirements.txt" | cut -c1-16)
# A copy of the kit may lack that manifest.
kit_capdl=$kit_cache/capdl-$({ sha256sum "$kit_tools/../camkes.xml" 2>/dev/null || :; } | cut -c1-16)
unset kit_tools
if ! command -v cargo >/dev/null && [ -d "${HOME-}/.cargo/bin" ]; then
    PATH=$HOME/.cargo/bin:$PATH
fi
if [ -e "$kit_python/path/python3" ]; then
    PATH=$kit_python/path:$PATH
fi
if [ -e "$kit_capdl/path/stack" ] && ! command -v stack >/dev/null; then
    PATH=$PATH:$kit_capdl/path
fi
export PATH
