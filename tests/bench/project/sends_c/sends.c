/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <sel4/sel4.h>

#include "sends.h"

uintptr_t sends(uintptr_t untyped, uintptr_t slot, uintptr_t value)
{
    seL4_Error error = seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 0, slot, 1);
    if (error == seL4_NoError) {
        seL4_SetMR(0, value);
        seL4_NBSend(slot, seL4_MessageInfo_new(1, 0, 0, 1));
    }
    return error;
}
