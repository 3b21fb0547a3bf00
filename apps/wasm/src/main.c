/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A C root server that runs a WebAssembly guest from its archive. Whatever the guest does wrong is an error code.
 */
#include <inttypes.h>
#include <stdio.h>
#include <cpio/cpio.h>
#include <wasm.h>

#define FUEL 100000
#define MEMORY (4 * 64 * 1024)

extern const char _cpio_archive[], _cpio_archive_end[];

/* For the guest: prints `arguments[1]` bytes at `arguments[0]` of its memory. Any number may come. */
static bool print(struct Call *call)
{
    uint32_t address = call->arguments[0], bytes = call->arguments[1];
    if (address > call->memory_bytes || bytes > call->memory_bytes - address) {
        return false;
    }
    printf("the guest says: %.*s\n", (int)bytes, (const char *)call->memory + address);
    return true;
}

/* For the guest: returns 100, 101, 102 ... */
static bool next(struct Call *call)
{
    static int64_t number = 100;
    call->result = number++;
    return true;
}

static const struct Import imports[] = { { "print", print }, { "next", next } };
#define IMPORTS (sizeof(imports) / sizeof(imports[0]))

static void call(struct Guest *guest, const char *function, int64_t first, int64_t second, size_t count)
{
    int64_t arguments[] = { first, second }, result;
    enum Wasm error = wasm_call(guest, function, arguments, count, FUEL, &result);
    if (error == WASM_OK) {
        printf("%s: %" PRId64 "\n", function, result);
    } else {
        printf("%s: error %d: %s\n", function, error, wasm_error());
    }
}

int main(void)
{
    unsigned long bytes = 0;
    const void *module = cpio_get_file(_cpio_archive, _cpio_archive_end - _cpio_archive, "guest.cwasm", &bytes);
    struct Guest *guest, *small;
    printf("Booting all finished, dropped to user space\n");
    if (wasm_open(module, bytes, imports, IMPORTS, MEMORY, &guest) != WASM_OK) {
        printf("the guest cannot be opened: %s\n", wasm_error());
        return 1;
    }
    call(guest, "add", 2, 40, 2);
    call(guest, "greet", 0, 0, 0);
    call(guest, "sum", 0, 0, 0);
    call(guest, "primes", 1000, 0, 1);

    call(guest, "divide", 1, 0, 2);
    call(guest, "peek", 65533, 0, 1);
    call(guest, "recurse", 0, 0, 0);
    call(guest, "spin", 0, 0, 0);
    call(guest, "grow", 3, 0, 1);
    call(guest, "peek", 65533, 0, 1);
    call(guest, "grow", 1, 0, 1);
    call(guest, "walk", 0, 0, 0);
    call(guest, "add", 1, 0, 1);
    call(guest, "add", 1l << 32, 0, 2);
    call(guest, "divide", -42, 6, 2);
    wasm_close(guest);

    enum Wasm error = wasm_open(module, bytes, imports, IMPORTS, 1024, &small);
    printf("a guest with 1 KiB: error %d: %s\n", error, wasm_error());
    error = wasm_open(module, bytes, imports, 1, MEMORY, &small);
    printf("a guest without `next`: error %d: %s\n", error, wasm_error());
    error = wasm_open(module, 100, imports, IMPORTS, MEMORY, &small);
    printf("a part of the module: error %d: %s\n", error, wasm_error());
    printf("The root server outlives its guests\n");
    return 0;
}
