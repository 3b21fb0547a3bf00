/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdlib.h>
#include "world.h"

static struct {
    seL4_CPtr untyped, first, next, end;
} world;

void give_up(const char *why, seL4_Error error)
{
    attempt(why, error);
    say("gave up");
    say_flush();
    abort();
}

static void retype(seL4_CPtr untyped, seL4_Word type, seL4_Word size_bits, seL4_CPtr to)
{
    seL4_Error error = seL4_Untyped_Retype(untyped, type, size_bits, seL4_CapInitThreadCNode, 0, 0, to, 1);
    if (error) {
        give_up("make", error);
    }
}

void world_begin(seL4_BootInfo *info)
{
    thread_begin_main();
    world.next = info->empty.start;
    world.end = info->empty.end;
    /* The smallest that is large enough for the world and for what the threads keep. */
    seL4_Word best = 0, best_bits = seL4_WordBits;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        if (!untyped->isDevice && untyped->sizeBits > WORLD_BITS && untyped->sizeBits < best_bits) {
            best = info->untyped.start + i;
            best_bits = untyped->sizeBits;
        }
    }
    if (!best) {
        give_up("memory of the world", seL4_NotEnoughMemory);
    }
    world.untyped = slot();
    retype(best, seL4_UntypedObject, WORLD_BITS, world.untyped);
    /* What the threads keep comes from the rest. */
    seL4_CPtr own = world.untyped;
    world.untyped = best;
    thread_make_buffers();
    world.untyped = own;

    world.first = world.next;
    if (world.end - world.first < WORLD_SLOTS) {
        give_up("slots of the world", seL4_NotEnoughMemory);
    }
    world.end = world.first + WORLD_SLOTS;
}

void world_renew(void)
{
    say_flush();
    seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, MAIN_PRIORITY);
    seL4_TCB_UnbindNotification(seL4_CapInitThreadTCB);
    seL4_SetCapReceivePath(0, 0, 0);
    seL4_Error error = seL4_CNode_Revoke(AT(world.untyped));
    for (seL4_CPtr slot = world.first; slot < world.next && !error; slot++) {
        if (taken(slot)) {
            error = seL4_CNode_Delete(AT(slot));
        }
    }
    if (error) {
        give_up("take everything back", error);
    }
    world.next = world.first;
    thread_forget();
}

seL4_CPtr world_untyped(void)
{
    return world.untyped;
}

seL4_CPtr slot(void)
{
    if (world.next == world.end) {
        give_up("slot", seL4_NotEnoughMemory);
    }
    return world.next++;
}

seL4_Word world_number(seL4_CPtr slot)
{
    return slot - world.first;
}

seL4_CPtr make_sized(seL4_Word type, seL4_Word size_bits)
{
    seL4_CPtr to = slot();
    retype(world.untyped, type, size_bits, to);
    return to;
}

seL4_CPtr make(seL4_Word type)
{
    return make_sized(type, 0);
}

seL4_CPtr mint(seL4_CPtr source, seL4_CapRights_t rights, seL4_Word badge)
{
    seL4_CPtr to = slot();
    seL4_Error error = badge ? seL4_CNode_Mint(AT(to), AT(source), rights, badge)
                             : seL4_CNode_Copy(AT(to), AT(source), rights);
    if (error) {
        give_up("mint", error);
    }
    return to;
}

int taken(seL4_CPtr slot)
{
    return seL4_DebugCapIdentify(slot) != 0;
}

void map(seL4_CPtr page, seL4_Word address)
{
    for (int level = 0; level <= TABLE_LEVELS; level++) {
        seL4_Error error = page_map(page, seL4_CapInitThreadVSpace, address, seL4_ReadWrite);
        if (!error) {
            return;
        }
        if (error != seL4_FailedLookup || level == TABLE_LEVELS) {
            give_up("map a page", error);
        }
        /* Of the tables that are missing, the one nearest to the root. */
        int missing = table_missing();
        seL4_CPtr table = make(table_types[missing]);
        error = table_map(missing, table, seL4_CapInitThreadVSpace, address);
        if (error) {
            give_up("map a page table", error);
        }
    }
}
