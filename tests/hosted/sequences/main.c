/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes the system calls of a file, and says what each answers.
 */
#include <sel4/sel4.h>
#include <sel4runtime.h>

__asm__(".section .rodata\n.balign 8\nsteps: .incbin \"" STEPS "\"\n"
        /* What the threads run: a system call, then an instruction that is none. */
        ".text\ncode: syscall\nud2\nud2\n");

extern const seL4_Word steps[];
extern const char code[];

enum { INVOKE = 1, NB_SEND, STORE, END };

static char line[4096];
static unsigned length;

static void put(char c)
{
    if (length < sizeof(line)) {
        line[length++] = c;
    }
}

static void put_number(seL4_Word number)
{
    put(' ');
    if (number - (seL4_Word)code < 16) {
        put('c');
        number -= (seL4_Word)code;
    }
    int shift = 60;
    while (shift > 0 && number >> shift == 0) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[number >> shift & 15]);
    }
}

static void end_line(void)
{
    put('\n');
    for (unsigned i = 0; i < length; i++) {
        seL4_DebugPutChar(line[i]);
    }
    length = 0;
}

/* The first slot to work with, behind those that are taken at boot. */
static const seL4_CPtr base = 8000;

static seL4_Word value(seL4_Word word)
{
    switch (word >> 48) {
    case 0x5e10: return base + (word & 0xffff);
    case 0x57ab: return (seL4_Word)code + (word & 0xffff);
    default: return word;
    }
}

static void say(const char *text)
{
    while (*text != 0) {
        put(*text++);
    }
    end_line();
}

int main(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_CPtr untyped = 0;
    for (seL4_CPtr cap = info->untyped.start; cap < info->untyped.end; cap++) {
        seL4_UntypedDesc *description = &info->untypedList[cap - info->untyped.start];
        if (!description->isDevice && description->sizeBits >= 22) {
            untyped = cap;
        }
    }
    seL4_Error error = seL4_Untyped_Retype(untyped, seL4_UntypedObject, 22, seL4_CapInitThreadCNode, 0, 0, base, 1);
    if (error == seL4_NoError) {
        error = seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, 100);
    }
    if (error != seL4_NoError) {
        say("no memory to work with");
        return 1;
    }
    for (const seL4_Word *step = steps; *step != 0;) {
        seL4_Word kind = *step & 0xff, label = *step >> 8 & 0xffffff, caps = *step >> 32 & 0xff,
                  words = *step >> 40 & 0xff;
        seL4_Word cptr = value(step[1]);
        step += 2;
        seL4_Word identity = kind == INVOKE ? seL4_DebugCapIdentify(cptr) : 0;
        for (seL4_Word i = 0; i < caps; i++) {
            seL4_SetCap(i, value(step[i]));
        }
        step += caps;
        for (seL4_Word i = 0; i < words && kind != STORE; i++) {
            seL4_SetMR(i, value(step[i]));
        }
        seL4_MessageInfo_t message = seL4_MessageInfo_new(label, 0, caps, words);
        put('@');
        if (kind == STORE) {
            *(volatile seL4_Word *)cptr = value(*step);
        } else if (kind == END) {
            seL4_CNode_Revoke(seL4_CapInitThreadCNode, base, 64);
            for (seL4_CPtr slot = base + 1; slot < base + 64; slot++) {
                seL4_CNode_Delete(seL4_CapInitThreadCNode, slot, 64);
            }
            put('e');
        } else if (kind == NB_SEND || identity == 4) {
            seL4_NBSend(cptr, message);
        } else {
            message = seL4_Call(cptr, message);
            put_number(seL4_MessageInfo_get_label(message));
            seL4_Word answer = seL4_MessageInfo_get_length(message);
#ifdef CONFIG_KERNEL_MCS
            if (label == SchedContextConsumed || label == SchedContextYieldTo) {
                answer = 0; /* What was used, in time. */
            }
#endif
            for (seL4_Word i = 0; i < answer; i++) {
                /* A thread's flags, what a system call leaves in rcx and r11, and rsp, which it does not restore. */
                if (label == 2 && words == 2 && (i == 1 || i == 2 || i == 5 || i == 13)) {
                    continue;
                }
                put_number(seL4_GetMR(i));
            }
        }
        end_line();
        step += words;
    }
    say("all sequences are done");
    return 0;
}
