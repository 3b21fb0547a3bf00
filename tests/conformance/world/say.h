/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The transcript: lines that begin with `| `, so that they can be told from what the kernel prints. Any thread may add
 * to it; the main thread prints it when a scenario is over, so that the kernel's messages never break a line.
 */
#pragma once

#include <sel4/sel4.h>

/* One line, after the name of the thread unless that is the main one. Knows %s, %c, and %d %u %x of int and long. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for text without its end, as Rust has it. */
void say_text(const char *text, seL4_Word length);

/* One line: what was tried and what the kernel said, with the details that it put into the message registers. */
seL4_Error attempt(const char *what, seL4_Error error);

/* One line: a message that came, with all its registers. */
void say_message(const char *what, seL4_MessageInfo_t info, seL4_Word badge);

/* A number that stands for all that was said since the last time, which is then forgotten. For the main thread. */
unsigned say_digest(void);

/* Prints what was said since the last time. For the main thread. */
void say_flush(void);
