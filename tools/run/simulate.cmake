# SPDX-License-Identifier: BSD-2-Clause
#
# Writes ./simulate and ./launch_gdb of a build folder, in the place of the script that upstream's module `simulation`
# runs with `cmake -P` for that: beside ./simulate, which passes exit codes on, lies upstream's as ./simulate-qemu.
cmake_minimum_required(VERSION 3.22)

set(file "${CONFIGURE_OUTPUT_FILE}")
if(file MATCHES "/simulate$")
    set(wrapper "${file}")
    string(APPEND file "-qemu")
    cmake_path(SET tools NORMALIZE "${CMAKE_CURRENT_LIST_DIR}")
    file(
        WRITE "${wrapper}"
        "#!/bin/sh\n# Boots the image; `./simulate --help`.\nexec '${tools}/simulate.py' '${file}' \"$@\"\n"
    )
endif()
configure_file("${CONFIGURE_INPUT_FILE}" "${file}" @ONLY)
file(
    CHMOD "${file}"
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
)
