# SPDX-License-Identifier: BSD-2-Clause
#
# Scripts in the build folder for those who run the image, beside seL4's ./simulate.

# Writes the script `name`, which runs `command` with the arguments that it is given. `about` is its comment.
function(_sel4_rust_write_script name about command)
    file(
        GENERATE OUTPUT "${CMAKE_BINARY_DIR}/${name}"
        CONTENT "#!/bin/sh\n# ${about}\nexec ${command} \"$@\"\n"
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
    )
endfunction()

# Writes ./run-tests beside ./simulate, for images in whose `executable` Rust has tests.
function(_sel4_rust_write_test_runner executable)
    # ./simulate boots one image. Where several executables have tests, it is for the first.
    get_property(written GLOBAL PROPERTY SEL4_RUST_TEST_RUNNER)
    if(written)
        return()
    endif()
    set_property(GLOBAL PROPERTY SEL4_RUST_TEST_RUNNER TRUE)
    set(program "")
    _sel4_rust_platform(programs PROGRAMS)
    if(programs)
        set(program "--program '$<TARGET_FILE:${executable}>' ")
    endif()
    _sel4_rust_write_script(
        run-tests
        "Boots the image and reports the results of its tests; `./run-tests --help`."
        "'${SEL4_RUST_DIR}/tools/run/run_tests.py' '${CMAKE_BINARY_DIR}' ${program}--executable '$<TARGET_FILE:${executable}>' --addr2line '${CMAKE_ADDR2LINE}'"
    )
endfunction()

# Writes ./backtrace, which names the functions at addresses on the console. ./backtrace-NAME is for an executable
# that is not the first with Rust in it.
function(_sel4_rust_write_backtrace executable)
    # A program of the host tells names itself.
    _sel4_rust_platform(programs PROGRAMS)
    if(programs)
        return()
    endif()
    set(script backtrace)
    get_property(written GLOBAL PROPERTY SEL4_RUST_BACKTRACE_WRITTEN)
    if(written)
        string(APPEND script "-${executable}")
    endif()
    set_property(GLOBAL PROPERTY SEL4_RUST_BACKTRACE_WRITTEN TRUE)
    set(sources "--sources '${CMAKE_SOURCE_DIR}'")
    if(DEFINED KERNEL_PATH)
        cmake_path(GET KERNEL_PATH PARENT_PATH workspace)
        string(APPEND sources " --sources '${workspace}'")
    endif()
    _sel4_rust_write_script(
        ${script}
        "./simulate | ./${script}: names the functions at the addresses on the console; `./${script} --help`."
        "'${SEL4_RUST_DIR}/tools/run/backtrace.py' '$<TARGET_FILE:${executable}>' --addr2line '${CMAKE_ADDR2LINE}' ${sources}"
    )
endfunction()
