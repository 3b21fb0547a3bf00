#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Configures a build folder: `mkdir build && cd build && ../init-build.sh`, then `ninja` and `./simulate`.
# Arguments go to CMake; easy-settings.cmake lists the options.
set -eu
project=$(dirname "$(realpath "$0")")
exec sh "$project/with-kit.sh" init-build.sh "$@"
