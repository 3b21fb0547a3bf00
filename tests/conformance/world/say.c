/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stdio.h>
#include "say.h"
#include "thread.h"

static char transcript[1 << 17];
static unsigned used;

static void put_char(char c)
{
    if (used < sizeof(transcript)) {
        transcript[used++] = c;
    }
}

static void put_text(const char *text)
{
    while (*text) {
        put_char(*text++);
    }
}

static void put_number(seL4_Word number, seL4_Word base)
{
    if (number >= base) {
        put_number(number / base, base);
    }
    put_char("0123456789abcdef"[number % base]);
}

static void begin_line(void)
{
    put_text("| ");
    const char *name = thread_self()->name;
    if (name) {
        put_text(name);
        put_text(": ");
    }
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    begin_line();
    for (; *format; format++) {
        if (*format != '%') {
            put_char(*format);
            continue;
        }
        int is_long = *++format == 'l';
        format += is_long;
        if (*format == 's') {
            put_text(va_arg(arguments, const char *));
        } else if (*format == 'c') {
            put_char((char)va_arg(arguments, int));
        } else if (*format == 'd') {
            long number = is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            if (number < 0) {
                put_char('-');
            }
            put_number(number < 0 ? -(seL4_Word)number : (seL4_Word)number, 10);
        } else if (*format == 'u' || *format == 'x') {
            seL4_Word number = is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
            if (*format == 'x') {
                put_text("0x");
            }
            put_number(number, *format == 'x' ? 16 : 10);
        } else {
            put_char(*format);
        }
    }
    put_char('\n');
    va_end(arguments);
}

void say_text(const char *text, seL4_Word length)
{
    begin_line();
    for (seL4_Word i = 0; i < length; i++) {
        put_char(text[i]);
    }
    put_char('\n');
}

static const char *error_name(seL4_Error error)
{
    static const char *const names[] = {
        "NoError",     "InvalidArgument", "InvalidCapability", "IllegalOperation",
        "RangeError",  "AlignmentError",  "FailedLookup",      "TruncatedMessage",
        "DeleteFirst", "RevokeFirst",     "NotEnoughMemory",
    };
    return (seL4_Word)error < sizeof(names) / sizeof(names[0]) ? names[error] : "an unknown error";
}

static void put_word(const char *name, seL4_Word word)
{
    put_text(name);
    put_number(word, 10);
}

seL4_Error attempt(const char *what, seL4_Error error)
{
    /* Before anything else uses the message registers. */
    seL4_Word details[5];
    for (int i = 0; i < 5; i++) {
        details[i] = seL4_GetMR(i);
    }
    begin_line();
    put_text(what);
    put_text(": ");
    put_text(error_name(error));
    switch (error) {
    case seL4_InvalidArgument:
    case seL4_InvalidCapability: put_word(" argument ", details[0]); break;
    case seL4_RangeError:
        put_word(" ", details[0]);
        put_word(" to ", details[1]);
        break;
    case seL4_NotEnoughMemory: put_word(" bytes left ", details[0]); break;
    case seL4_FailedLookup:
        put_text(details[0] ? " source" : " destination");
        switch (details[1]) {
        case seL4_InvalidRoot: put_text(" InvalidRoot"); break;
        case seL4_MissingCapability: put_word(" MissingCapability bits left ", details[2]); break;
        case seL4_DepthMismatch:
            put_word(" DepthMismatch bits left ", details[2]);
            put_word(" found ", details[3]);
            break;
        case seL4_GuardMismatch:
            put_word(" GuardMismatch bits left ", details[2]);
            put_word(" guard ", details[3]);
            put_word(" bits ", details[4]);
            break;
        default: put_word(" failure ", details[1]);
        }
        break;
    default: break;
    }
    put_char('\n');
    return error;
}

void say_message(const char *what, seL4_MessageInfo_t info, seL4_Word badge)
{
    begin_line();
    put_text(what);
    put_word(": badge ", badge);
    put_word(" label ", seL4_MessageInfo_get_label(info));
    put_word(" unwrapped ", seL4_MessageInfo_get_capsUnwrapped(info));
    put_word(" caps ", seL4_MessageInfo_get_extraCaps(info));
    put_word(" length ", seL4_MessageInfo_get_length(info));
    for (seL4_Word i = 0; i < seL4_MessageInfo_get_length(info); i++) {
        put_char(i ? ' ' : ':');
        put_text(i ? "" : " ");
        put_number(seL4_GetMR(i), 10);
    }
    put_char('\n');
}

unsigned say_digest(void)
{
    /* FNV-1a. */
    unsigned digest = 2166136261u;
    for (unsigned i = 0; i < used; i++) {
        digest = (digest ^ (unsigned char)transcript[i]) * 16777619u;
    }
    used = 0;
    return digest;
}

void say_flush(void)
{
    fwrite(transcript, 1, used, stdout);
    if (used == sizeof(transcript)) {
        puts("\n| the transcript is longer than its buffer");
    }
    fflush(stdout);
    used = 0;
}
