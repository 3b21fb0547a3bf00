/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Stack of the first thread. sel4runtime's lies among the image's other data, where an overflow overwrites them. The linker
 * calls this file in place of main() (--wrap), which then runs on a stack with a guard page.
 */
#include "internal.h"

#include <sel4std.h>

/* Calls main() on another stack. A debugger follows the frame pointer back to the runtime's stack. */
int call_main(int argc, char **argv, char **envp, void *stack);
#ifdef CONFIG_ARCH_AARCH64
asm(".text\n"
    ".type call_main, %function\n"
    "call_main:\n"
    "stp x29, x30, [sp, #-16]!\n"
    "mov x29, sp\n"
    "mov sp, x3\n"
    "bl __real_main\n"
    "mov sp, x29\n"
    "ldp x29, x30, [sp], #16\n"
    "ret\n"
    ".size call_main, . - call_main\n");
#else
asm(".text\n"
    ".type call_main, @function\n"
    "call_main:\n"
    "push %rbp\n"
    "mov %rsp, %rbp\n"
    "mov %rcx, %rsp\n"
    "call __real_main\n"
    "mov %rbp, %rsp\n"
    "pop %rbp\n"
    "ret\n"
    ".size call_main, . - call_main\n");
#endif

int __wrap_main(int argc, char **argv, char **envp)
{
    char *stack = memory_stack(MAIN_STACK);
    if (stack == NULL) {
        say("sel4std: RUST_STD_MEMORY has no room for the stack of main(); configure more, or a smaller "
            "RUST_STD_STACK\n");
        sel4std_exit(1);
    }
    return call_main(argc, argv, envp, stack + MAIN_STACK);
}
