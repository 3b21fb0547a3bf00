;; SPDX-License-Identifier: BSD-2-Clause
;;
;; The guest: it computes, calls the host, and misbehaves.
(module
  (import "host" "print" (func $print (param $address i32) (param $bytes i32)))
  (import "host" "next" (func $next (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 16) "Hello from WebAssembly")

  (func (export "add") (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.add)

  (func (export "greet")
    i32.const 16
    i32.const 22
    call $print)

  ;; Sum of three numbers of the host.
  (func (export "sum") (result i64)
    call $next
    call $next
    call $next
    i64.add
    i64.add)

  ;; Number of primes below $limit, by a sieve with a byte for each number from address 1024 on.
  (func (export "primes") (param $limit i32) (result i32)
    (local $number i32) (local $multiple i32) (local $primes i32)
    (memory.fill (i32.const 1024) (i32.const 0) (local.get $limit))
    (local.set $number (i32.const 2))
    (block $done
      (loop $numbers
        (br_if $done (i32.ge_u (local.get $number) (local.get $limit)))
        (if (i32.eqz (i32.load8_u offset=1024 (local.get $number)))
          (then
            (local.set $primes (i32.add (local.get $primes) (i32.const 1)))
            (local.set $multiple (i32.add (local.get $number) (local.get $number)))
            (block $crossed
              (loop $multiples
                (br_if $crossed (i32.ge_u (local.get $multiple) (local.get $limit)))
                (i32.store8 offset=1024 (local.get $multiple) (i32.const 1))
                (local.set $multiple (i32.add (local.get $multiple) (local.get $number)))
                (br $multiples)))))
        (local.set $number (i32.add (local.get $number) (i32.const 1)))
        (br $numbers)))
    (local.get $primes))

  (func (export "divide") (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.div_s)

  (func (export "peek") (param i32) (result i32)
    local.get 0
    i32.load)

  ;; Size of the memory in pages of 64 KiB before it grew.
  (func (export "grow") (param i32) (result i32)
    local.get 0
    memory.grow)

  (func $recurse (export "recurse")
    call $recurse)

  (func (export "spin")
    (loop $again
      br $again)))
