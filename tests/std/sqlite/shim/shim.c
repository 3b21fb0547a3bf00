/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#ifdef FOR_HOST
typedef long seL4_Word;
#else
#include <sel4/sel4.h>
#endif

/* With the headers of this image's libc and of this build's kernel. */
long shim_parse(const char *text)
{
    return strtol(text, 0, 10) * (long)sizeof(seL4_Word);
}
