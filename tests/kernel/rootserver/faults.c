/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What makes faults that Rust has no words for.
 */

/* Nobody comes back from these: the kernel stops the thread. */

void kernel_tests_system_call(long number)
{
#if defined(__aarch64__)
    register long n asm("x7") = number;
    asm volatile("svc #0" : : "r"(n) : "memory");
#elif defined(__arm__)
    register long n asm("r7") = number;
    asm volatile("svc #0" : : "r"(n) : "memory");
#elif defined(__riscv)
    register long n asm("a7") = number;
    asm volatile("ecall" : : "r"(n) : "memory");
#elif defined(__x86_64__)
    asm volatile("movq %%rsp, %%rbx; syscall" : : "d"(number) : "rbx", "rcx", "r11", "memory");
#elif defined(__i386__)
    asm volatile("movl %%esp, %%ecx; leal 1f, %%edx; sysenter; 1:" : : "a"(number) : "ecx", "edx", "memory");
#else
#error no system call is known for this architecture
#endif
}

void kernel_tests_trap(void)
{
    /* Where compilers trap with a breakpoint, which may be a fault of another kind, an undefined instruction does it. */
#if defined(__riscv)
    asm volatile("unimp");
#elif defined(__aarch64__)
    asm volatile(".inst 0" : : : "memory");
#else
    __builtin_trap();
#endif
}
