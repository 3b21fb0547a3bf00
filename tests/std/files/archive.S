/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
.section .rodata
.balign 8
.global archive, archive_end
archive:
    .incbin "archive.cpio"
archive_end:
.section .note.GNU-stack, "", %progbits
