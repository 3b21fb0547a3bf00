# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# To be sourced: puts on PATH what the set-up brought for this user, the Python
# modules of setup/python and rustup's commands.

kit_cache=${XDG_CACHE_HOME:-$HOME/.cache}/sel4-rust-kit
if ! command -v cargo >/dev/null && [ -d "$HOME/.cargo/bin" ]; then
    PATH=$HOME/.cargo/bin:$PATH
fi
if [ -d "$kit_cache/python" ]; then
    PATH=$kit_cache/python/bin:$PATH
fi
export PATH
