/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "meter.h"

#include <vka/object.h>

static vka_t inner;
static usage_t usage;

static int cspace_alloc(void *data, seL4_CPtr *slot)
{
    int error = inner.cspace_alloc(data, slot);
    usage.slots += error == 0;
    return error;
}

static void cspace_free(void *data, seL4_CPtr slot)
{
    inner.cspace_free(data, slot);
    usage.slots--;
}

static int count_object(int error, seL4_Word type, seL4_Word size_bits)
{
    if (error == 0) {
        usage.objects++;
        usage.bytes += BIT(vka_get_object_size(type, size_bits));
    }
    return error;
}

static int utspace_alloc(void *data, const cspacepath_t *slot, seL4_Word type, seL4_Word size_bits, seL4_Word *cookie)
{
    return count_object(inner.utspace_alloc(data, slot, type, size_bits, cookie), type, size_bits);
}

static int utspace_alloc_maybe_device(void *data, const cspacepath_t *slot, seL4_Word type, seL4_Word size_bits,
                                      bool can_use_dev, seL4_Word *cookie)
{
    int error = inner.utspace_alloc_maybe_device(data, slot, type, size_bits, can_use_dev, cookie);
    return count_object(error, type, size_bits);
}

static int utspace_alloc_at(void *data, const cspacepath_t *slot, seL4_Word type, seL4_Word size_bits, uintptr_t paddr,
                            seL4_Word *cookie)
{
    return count_object(inner.utspace_alloc_at(data, slot, type, size_bits, paddr, cookie), type, size_bits);
}

static void utspace_free(void *data, seL4_Word type, seL4_Word size_bits, seL4_Word cookie)
{
    inner.utspace_free(data, type, size_bits, cookie);
    usage.objects--;
    usage.bytes -= BIT(vka_get_object_size(type, size_bits));
}

void meter(vka_t *vka)
{
    inner = *vka;
    vka->cspace_alloc = cspace_alloc;
    vka->cspace_free = cspace_free;
    vka->utspace_alloc = utspace_alloc;
    vka->utspace_alloc_maybe_device = utspace_alloc_maybe_device;
    vka->utspace_alloc_at = utspace_alloc_at;
    vka->utspace_free = utspace_free;
}

usage_t meter_usage(void)
{
    return usage;
}
