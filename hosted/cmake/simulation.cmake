# SPDX-License-Identifier: BSD-2-Clause

# Writes ./simulate, which runs the root server.
function(GenerateSimulateScript)
    get_property(rootserver GLOBAL PROPERTY SEL4_HOSTED_ROOTSERVER)
    if(NOT rootserver)
        message(
            FATAL_ERROR
            "the build has no root server.\nHelp: call DeclareRootserver() before GenerateSimulateScript()"
        )
    endif()
    file(
        GENERATE OUTPUT "${CMAKE_BINARY_DIR}/simulate"
        CONTENT
            "#!/bin/sh\n# Runs the root server on the hosted platform. In a debugger: gdb -x ${SEL4_RUST_DIR}/hosted/gdb.py $<TARGET_FILE:${rootserver}>\nexec ${SEL4_HOSTED_EMULATOR}\"$<TARGET_FILE:${rootserver}>\" \"$@\"\n"
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
    )
endfunction()
