/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The probes of arch.h. In assembly, for the compiler may put instructions of its own before a function's first one.
 * 16 bytes apart, so that an address belongs to one of them.
 */
#if defined(__x86_64__)
__asm__(
    ".text\n"
    ".global probe_read, probe_write, probe_execute, probe_undefined, probe_syscall\n"
    ".balign 16\n"
    "probe_read: movq (%rdi), %rax\n ret\n"
    ".balign 16\n"
    "probe_write: movq %rsi, (%rdi)\n ret\n"
    ".balign 16\n"
    "probe_execute: callq *%rdi\n ret\n"
    ".balign 16\n"
    "probe_undefined: ud2\n ret\n"
    ".balign 16\n"
    "probe_syscall: pushq %rbx\n movq %rsp, %rbx\n movq %rdi, %rdx\n syscall\n movq %rbx, %rsp\n popq %rbx\n ret\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".global probe_read, probe_write, probe_execute, probe_undefined, probe_syscall\n"
        ".balign 16\n"
        "probe_read: ldr x0, [x0]\n ret\n"
        ".balign 16\n"
        "probe_write: str x1, [x0]\n ret\n"
        ".balign 16\n"
        "probe_execute: br x0\n"
        ".balign 16\n"
        "probe_undefined: udf #0\n ret\n"
        ".balign 16\n"
        "probe_syscall: mov x7, x0\n svc #0\n ret\n");
#endif
