/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the API does with words and messages, compared with what C does.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <checks.h>

extern const uint32_t __start_checks_elements[], __stop_checks_elements[];

static void say(const char *what, int right)
{
    printf("%s: %s\n", what, right ? "ok" : "WRONG");
}

int main(void)
{
    say("message infos equal C's", checks_message_info());
    say("rights equal C's", checks_rights());
    say("guards equal C's", checks_guards());

    /* What Rust puts, C finds, byte by byte, and the other way round. */
    Mixed mixed = checks_mixed(), seen, back;
    seL4_MessageInfo_t info = { { checks_put(&mixed) } };
    seL4_Word words[(sizeof(Mixed) + sizeof(seL4_Word) - 1) / sizeof(seL4_Word)];
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        words[i] = seL4_GetMR(i);
    }
    __builtin_memcpy(&seen, words, sizeof(seen));
    say("values in messages are as in C's memory", seL4_MessageInfo_get_length(info) == sizeof(words) / sizeof(words[0])
                                                       && __builtin_memcmp(&seen, &mixed, sizeof(mixed)) == 0);
    say("and come out again",
        checks_take(seL4_MessageInfo_get_length(info), &back) && __builtin_memcmp(&back, &mixed, sizeof(mixed)) == 0);
    say("a message that is too short gives none", !checks_take(sizeof(words) / sizeof(words[0]) - 1, &back));

    checks_write();
    int same = 1;
    for (int i = 0; i < seL4_MsgMaxLength; i++) {
        same = same && seL4_GetMR(i) == (seL4_Word)i * 3 + 1;
    }
    say("all registers reach C", same);

    struct Kinds kinds = { 1, { Far, Near, Far }, 2 };
    say("enums have the same size", checks_enums(&kinds, Far) == Far);
    say("a constructor has run", checks_started() == 1);
    unsigned sum = 0;
    for (const uint32_t *element = __start_checks_elements; element < __stop_checks_elements; element++) {
        sum += *element;
    }
    say("the elements of an array are there", sum == 42);

    const seL4_BootInfo *bootinfo = sel4runtime_bootinfo();
    say("untypeds come to their end", checks_allocate(bootinfo));

    printf("the same refusals as C: %lu\n", (unsigned long)checks_refusals(bootinfo));
    printf("and of each kind: %lu\n", (unsigned long)checks_kinds(bootinfo));

    /* Never called: a test reads their disassembly. */
    volatile int never = 0;
    if (never) {
        printf("%lu %lu\n", (unsigned long)checks_reread(0), (unsigned long)checks_forget(0));
    }
    return 0;
}
