# SPDX-License-Identifier: BSD-2-Clause
#
# MakeCPIO() for the hosted platform: CPIO archives in a program, as in the seL4 build, without the program `cpio`.

# Run as a script, this file writes the files `FILES` as an archive into the assembly file `ARCHIVE`, with the symbol
# `SYMBOL`.
if(CMAKE_SCRIPT_MODE_FILE)
    # Format "newc": each file has a header of hexadecimal numbers, its name and its content, padded to multiples of four.
    function(add name size content)
        string(LENGTH "${name}0" name_size)
        foreach(number IN ITEMS size name_size)
            math(EXPR ${number} "${${number}}" OUTPUT_FORMAT HEXADECIMAL)
            string(SUBSTRING "${${number}}" 2 -1 ${number})
            string(REPEAT 0 8 padded)
            string(APPEND padded "${${number}}")
            string(LENGTH "${padded}" length)
            math(EXPR start "${length} - 8")
            string(SUBSTRING "${padded}" ${start} 8 ${number})
        endforeach()
        string(REPEAT 0 8 zero)
        # Inode, mode (a file readable by all), owner, group, links, time.
        set(header "070701${zero}00008124${zero}${zero}00000001${zero}${size}")
        # Device numbers and checksum.
        string(APPEND header "${zero}${zero}${zero}${zero}${name_size}${zero}")
        string(APPEND text ".ascii \"${header}\"\n.asciz \"${name}\"\n.balign 4\n${content}.balign 4\n")
        set(text "${text}" PARENT_SCOPE)
    endfunction()

    set(text
        "/* The files of an archive. */\n.section .rodata\n.balign 16\n.globl ${SYMBOL}, ${SYMBOL}_end\n${SYMBOL}:\n"
    )
    foreach(file IN LISTS FILES)
        get_filename_component(name "${file}" NAME)
        file(SIZE "${file}" size)
        add("${name}" ${size} ".incbin \"${file}\"\n")
    endforeach()
    add("TRAILER!!!" 0 "")
    file(WRITE "${ARCHIVE}" "${text}${SYMBOL}_end:\n.section .note.GNU-stack,\"\",%progbits\n")
    return()
endif()

set(SEL4_HOSTED_CPIO_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

# Makes the object file `output` with an archive of the files. The symbols are _cpio_archive and _cpio_archive_end, or
# CPIO_SYMBOL and CPIO_SYMBOL_end.
function(MakeCPIO output files)
    cmake_parse_arguments(PARSE_ARGV 2 ARG "" "CPIO_SYMBOL" "DEPENDS")
    if(NOT ARG_CPIO_SYMBOL)
        set(ARG_CPIO_SYMBOL _cpio_archive)
    endif()
    cmake_path(ABSOLUTE_PATH output BASE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" OUTPUT_VARIABLE object)
    add_custom_command(
        OUTPUT "${object}"
        COMMAND
            "${CMAKE_COMMAND}" "-DFILES=${files}" "-DARCHIVE=${object}.S" "-DSYMBOL=${ARG_CPIO_SYMBOL}" -P
            "${SEL4_HOSTED_CPIO_SCRIPT}"
        COMMAND "${CMAKE_C_COMPILER}" -c "${object}.S" -o "${object}"
        DEPENDS ${files} ${ARG_DEPENDS} "${SEL4_HOSTED_CPIO_SCRIPT}"
        COMMENT "Making the archive ${output}"
        VERBATIM
    )
    set_source_files_properties("${object}" PROPERTIES GENERATED TRUE EXTERNAL_OBJECT TRUE)
endfunction()
