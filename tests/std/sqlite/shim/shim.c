/* SPDX-License-Identifier: BSD-2-Clause */
#include <sel4/sel4.h>
#include <stdlib.h>

/* With the headers of this image's libc and of this build's kernel. */
long shim_parse(const char *text)
{
    return strtol(text, 0, 10) * (long)sizeof(seL4_Word);
}
