// SPDX-License-Identifier: BSD-2-Clause

//! `header`: forms of Rust that crates write for C, and what C then sees. One table, one row a form.

use crate::fixture::Fixture;
use crate::header::{again, compiles};

/// What becomes of a crate.
enum Then {
    /// A header with these lines, without those words; nothing is said.
    Has(&'static [&'static str], &'static [&'static str]),
    /// A header that C accepts after a warning with these words.
    Warns(&'static str),
    /// A header for which these assertions hold in C.
    Holds(&'static [&'static str]),
    /// An error with these words, and a next step with these.
    Refused(&'static [&'static str], &'static str),
}
use Then::{Has, Holds, Refused, Warns};

const F: &str = "#[unsafe(no_mangle)] pub extern \"C\" fn f(n: u32) -> u32 { n }\n";
const C: &str = "#[unsafe(no_mangle)] pub extern \"C\" ";

/// Name of the row, source of the crate with `@F` and `@C` for the two constants, cbindgen.toml, expectation.
const ROWS: &[(&str, &str, &str, Then)] = &[
    // Private items never matter.
    ("register blocks", "use volatile_register::{RO, RW};
        #[repr(C)] struct Registers { data: RW<u32>, status: RO<u32> }
        #[repr(C)] struct Ring { next: core::sync::atomic::AtomicPtr<u8>, w: core::num::Wrapping<u8> }
        #[repr(C)] struct Lazy { cell: core::cell::OnceCell<u8> } @F", "",
        Has(&["uint32_t f(uint32_t n);"], &["Registers", "Ring", "Lazy"])),
    ("private aliases of foreign types", "type Line = heapless::Vec<u8, 80>; type Name = heapless::String<32>;
        #[repr(C)] struct Log { line: heapless::Vec<u8, 80> } @F", "",
        Has(&["uint32_t f(uint32_t n);"], &["Vec", "Line", "Log"])),
    ("private namesakes", "mod parser { pub struct Config { x: u8 } } #[repr(C)] pub struct Config { pub n: u32 }
        @C fn set(c: &Config) {}", "", Has(&["uint32_t n;"], &["x;"])),
    ("a namesake in a dependency", "#[repr(C)] pub enum Error { None, Busy } @C fn last() -> Error { Error::Busy }", "",
        Has(&["enum Error last(void);", "Busy"], &["Fatal"])),
    ("private types behind pointers", "struct Inner { f: fn(&str), h: heapless::Vec<u8, 8> }
        @C fn open() -> *mut Inner { core::ptr::null_mut() }", "", Has(&["typedef struct Inner Inner;"], &["heapless"])),
    // Paths.
    ("use as", "use shapes::Point as P; @C fn a(p: &P) {}", "", Has(&["const struct Point *p", "int32_t x;"], &["P *"])),
    ("globs, modules and re-exports", "pub mod api { pub use super::inner::*; use super::inner::Mode as M;
            @C fn a(p: &shapes::Point, d: super::inner::deep::D, m: M, s: self::Own) {}
            #[repr(C)] pub struct Own { pub a: Short } }
        mod inner { #[repr(C)] pub enum Mode { On } pub type Short = i16;
            pub mod deep { #[repr(transparent)] pub struct D(pub u8); } }", "",
        Has(&["const struct Point *p", "D d", "enum Mode m", "Short a;", "typedef uint8_t D;"], &[])),
    ("one name twice", "mod a { #[repr(C)] pub struct T { pub x: u8 } } mod b { #[repr(C)] pub struct T { pub x: u16 } }
        @C fn f(x: a::T, y: b::T) {}", "", Refused(&["two types are called `T`", "lib.rs:2"], "rename")),
    ("a type that is nowhere", "@C fn f(x: *mut Missing) {}", "",
        Refused(&["the type `Missing`, used by `f` (`", "lib.rs:2"], "exclude = [\"Missing\"]")),
    // Exports in all places.
    ("include!", "include!(\"more.inc\"); mod low { include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/src/low.inc\")); }", "",
        Has(&["void more(uint8_t n);", "void low(void);"], &[])),
    ("include! of what a build script wrote", "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));", "",
        Has(&["void made(struct Made made);"], &["older"])),
    ("include! of what is not there", "include!(concat!(env!(\"OUT_DIR\"), \"/none.rs\")); @F", "",
        Warns("lib.rs:2: exports of the included file are not in greeter.h")),
    ("const blocks, functions and macros of conditions", "const _: () = { @C fn inner(n: u32) -> u32 { n } };
        fn outer() { @C fn within() {} }
        core::cfg_select! { test => { @C fn tested() {} } _ => { @C fn sel() {} } }
        cfg_if::cfg_if! { if #[cfg(feature = \"extra\")] { @C fn extra() {} } else if #[cfg(test)] { @C fn never() {} }
            else { @C fn plain() {} } }", "",
        Has(&["uint32_t inner(uint32_t n);", "void within(void);", "void sel(void);", "void plain(void);"],
            &["extra", "never", "tested"])),
    ("cfg_attr", "#[cfg_attr(not(test), unsafe(no_mangle))] pub extern \"C\" fn checksum(n: u32) -> u32 { n }
        #[cfg_attr(test, unsafe(no_mangle))] pub extern \"C\" fn none() {}
        #[cfg_attr(all(), repr(C))] pub struct S { pub a: u8 } @C fn s(s: S) {}", "",
        Has(&["uint32_t checksum(uint32_t n);", "uint8_t a;"], &["none"])),
    ("attributes that are not C's", "#[unsafe(link_section = \".dma\")] static mut BUFFER: [u8; 64] = [0; 64];
        #[unsafe(export_name = \"dev_ops\")] #[unsafe(link_section = \".x\")] pub static OPS: u32 = 0;
        #[unsafe(export_name = concat!(\"dev_\", \"open\"))] pub extern \"C\" fn open() {}", "",
        Has(&["extern const uint32_t dev_ops;", "void dev_open(void);"], &["BUFFER", "OPS"])),
    ("other spellings of extern", "#[unsafe(no_mangle)] pub extern \"system\" fn a() {}
        #[unsafe(no_mangle)] pub extern \"C-unwind\" fn b() {} #[unsafe(no_mangle)] extern \"C\" fn c() {}", "",
        Has(&["void a(void);", "void b(void);", "void c(void);"], &[])),
    ("exports in inner blocks", "struct S; impl S { fn m() { @C fn a(n: u8) {} } } trait T { fn d() { @C fn b(n: u16) {} } }
        static X: u8 = { @C fn c() {} 3 }; fn outer() { let f = || { #[repr(C)] pub struct L { pub x: u8 } @C fn d(l: L) {} };
            if true { @C fn e() {} } loop { { @C fn g() {} } } }", "",
        Has(&["void a(uint8_t n);", "void b(uint16_t n);", "void c(void);", "void d(struct L l);", "void e(void);", "void g(void);"], &[])),
    ("private items in functions", "@C fn p() -> u32 { #[repr(C)] struct Local { a: [u8; K] } const K: usize = 4; pub const M: u32 = 4; enum E { NULL } M }", "",
        Has(&["uint32_t p(void);"], &["Local", "K", "M ", "NULL"])),
    ("private items that C could not have", "#[repr(C)] struct Ring<const N: usize> where [u8; N]: Sized { b: [core::mem::MaybeUninit<u8>; N] }
        #[repr(C)] union U { a: core::mem::ManuallyDrop<[&'static dyn Send; 2]>, b: u128 } trait T { const N: usize; } struct S;
        impl T for S { const N: usize = 3; } pub(crate) const LEN: usize = 3; mod p { pub const N: usize = f(); const fn f() -> usize { 3 }
            #[repr(C)] pub struct A { pub x: [u8; N] } pub static S: &str = \"\"; pub enum E { EOF } } struct Größe { höhe: u8 } @F", "",
        Has(&["uint32_t f(uint32_t n);"], &["struct", "define N", "LEN"])),
    ("names of exports that are put together", "#[unsafe(export_name = concat!(\"a\", \"_\", 1, 'b', true))] pub extern \"C\" fn x() {}
        #[unsafe(export_name = concat!(stringify!(dev), \"_open\"))] pub extern \"C\" fn y(n: u8) {}", "",
        Has(&["void a_1btrue(void);", "void dev_open(uint8_t n);"], &[])),
    ("a name of an export that only the compiler knows", "#[unsafe(export_name = name!())] pub extern \"C\" fn x() {}", "",
        Refused(&["`x` (`", "lib.rs:2", "known to the compiler only"], "string literal")),
    ("methods", "#[repr(C)] pub struct V { pub a: u32 } impl V { #[unsafe(no_mangle)] pub extern \"C\" fn v_get(self) -> u32 { self.a }
        #[unsafe(no_mangle)] pub extern \"C\" fn v_make() -> Self { V { a: 1 } } #[unsafe(no_mangle)] pub extern \"C\" fn v_set(self: &mut Self, n: u32) {} }
        trait T { extern \"C\" fn t_go(&self); } impl T for V { #[unsafe(no_mangle)] extern \"C\" fn t_go(&self) {} }", "",
        Has(&["uint32_t v_get(struct V self);", "struct V v_make(void);", "void v_set(struct V *self, uint32_t n);", "void t_go(const struct V *self);"], &[])),
    ("methods of an instance of a generic type", "#[repr(C)] pub struct G<T> { pub t: T } impl G<u8> { #[unsafe(no_mangle)] pub extern \"C\" fn g_get(self) -> u8 { self.t }
        #[unsafe(no_mangle)] pub extern \"C\" fn g_copy(&mut self, from: &Self) -> G<u16> { G { t: 1 } } }", "",
        Has(&["uint8_t g_get(struct G_u8 self);", "struct G_u16 g_copy(struct G_u8 *self, const struct G_u8 *from);"], &[])),
    ("calling conventions that are not C's", "#[unsafe(no_mangle)] pub extern \"sysv64\" fn f(n: u8) -> u8 { n }", "",
        Refused(&["`f` (`", "lib.rs:2", "extern \"sysv64\""], "extern \"C\"")),
    ("generic functions", "@C fn f<const N: usize>(x: &[u8; N]) {}", "", Refused(&["`f` (`", "lib.rs:2", "generic"], "one function for each")),
    ("two exports of one name", "mod a { @C fn go() {} } mod b { #[unsafe(export_name = \"go\")] pub extern \"C\" fn other(n: u8) {} }", "",
        Refused(&["exported as `go`", "lib.rs:2"], "another name")),
    ("patterns and cfgs among arguments", "#[repr(C)] pub struct P { pub a: u8, pub b: u8 }
        @C fn p(P { a, b }: P, mut m: u8, _: u16, (x): u8, ref r: u32, #[cfg(test)] t: u64, #[cfg(not(test))] u: i8) {}", "",
        Has(&["void p(struct P, uint8_t m, uint16_t, uint8_t, uint32_t r, int8_t u);"], &[])),
    ("crates under other names", "extern crate shapes as sh; use sh::Point; @C fn p(p: &Point, q: &::shapes::Point) {}", "",
        Has(&["const struct Point *p"], &["SIDES", "area"])),
    ("types by super, self and groups", "mod a { use super::*; @C fn p(p: *const T) {} pub mod t { #[repr(C)] pub struct X { pub v: u8 } } }
        #[repr(C)] pub struct T { pub x: u8 } use a::{self as aa, t::{self, X as Y}}; @C fn q(p: &aa::t::X, q: &t::X, r: &Y) {}", "",
        Has(&["const struct T *p", "const struct X *p", "const struct X *r"], &[])),
    ("a type that a macro makes", "macro_rules! make { ($n:ident) => { #[repr(C)] pub struct $n { pub a: u8 } } } make!(Made); @C fn p(p: &Made) {}", "",
        Refused(&["the type `Made`, used by `p` (`", "macro"], "without a macro")),
    ("an umbrella", "pub use drivers::*;", "", Has(&["void led_on(struct Led led);", "#define LEDS 4"], &[])),
    ("an umbrella by cbindgen.toml", "use drivers as _d;", "[parse]\nparse_deps = true\ninclude = [\"drivers\"]\n",
        Has(&["void led_on(struct Led led);"], &["area"])),
    ("an umbrella that links", "use drivers as _;", "", Has(&["void led_on(struct Led led);"], &["area"])),
    ("a dependency that is used", "use drivers::Led; @C fn mine(l: *const Led) {}", "",
        Has(&["void mine(const struct Led *l);"], &["led_on", "LEDS"])),
    // Constants.
    ("private constants", "mod limits { pub const MAX: usize = 8; pub const BIT: u32 = 3; } const LEN: u8 = 1; @F", "",
        Has(&["uint32_t f"], &["MAX", "BIT", "LEN"])),
    ("re-exported constants", "mod limits { pub const MAX: usize = 8; pub const BIT: u32 = 3; } pub use limits::MAX;
        pub use shapes::SIDES; @F", "", Has(&["#define MAX 8ul", "#define SIDES 3u"], &["BIT"])),
    ("a constant with the name of an argument", "pub mod x { pub const len: u32 = 4; } @C fn g(len: u32) -> u32 { len }", "",
        Refused(&["the constant `len` (`", "the argument `len` of `g` (`"], "private")),
    ("a constant with the name of a field", "pub const len: u32 = 4; #[repr(C)] pub struct S { pub len: u32 } @C fn g(s: S) {}",
        "", Refused(&["the constant `len` (`", "the field `len` of `S` (`"], "rename")),
    ("a constant with the name of a variant", "pub const Ready: u32 = 3; #[repr(C)] pub enum State { Ready, Busy }
        @C fn s(s: State) {}", "", Refused(&["the constant `Ready` (`", "the variant `Ready` of `State` (`"], "rename")),
    ("a constant with the name of a function", "pub mod k { pub const go: u32 = 3; } @C fn go() {}", "",
        Refused(&["the constant `go` (`", "an item `go` (`"], "rename")),
    ("a constant with the name of a macro of C", "pub const NULL: u32 = 3; @F", "",
        Refused(&["the constant `NULL` (`", "macro of C"], "rename")),
    ("values of constants", "pub const HIGH: u64 = 1 << 40; pub const TOP: u32 = 1 << 31;
        pub const POOL: u64 = 4 * 1024 * 1024 * 1024; pub const MASK: u32 = !0xfff; pub const QUIET: bool = !true;
        pub const LOWEST: i64 = -0x8000_0000_0000_0000; pub const SUM: u32 = SMALL + 1; pub const SMALL: u32 = 2;
        pub const WIDE: char = 'é'; pub const LINE: char = '\\n'; pub const PLAIN: char = 'x';
        pub const OTHER: u16 = hidden::A as u16 * 2; mod hidden { pub const A: u8 = u8::MAX; } @F", "",
        Holds(&["HIGH == 0x10000000000", "TOP > 0 && TOP == 0x80000000", "POOL == 0x100000000", "(uint64_t)MASK == 0xfffff000",
            "!QUIET", "LOWEST < 0 && LOWEST + 1 == -9223372036854775807", "SUM == 3", "OTHER == 510", "WIDE == 0xe9",
            "LINE == 10", "PLAIN == 'x'"])),
    ("constants of all types", "pub const NEG: i32 = -5; pub const BYTE: i8 = -128; pub const LOW: isize = isize::MIN; pub const MINUS: i64 = -1;
        pub const BIG: u64 = u64::MAX; pub const SMALL: u64 = 5; pub const LEN: usize = 5; pub const WORD: u32 = 5; pub const Q: char = '\\'';
        pub const DQ: char = '\"'; pub const B: u8 = b'\\xff'; pub const NO: bool = true && !true; type W = u64; pub const ALIAS: W = 1 << 40;
        pub const CAST: u8 = 300u32 as u8; pub const UP: u64 = -1i8 as u64; pub const DOWN: i32 = -8 >> 1; pub const CHAR: u32 = 'a' as u32; @F", "",
        Holds(&["NEG == -5", "BYTE == -128", "LOW < 0 && LOW + 1 == -9223372036854775807", "MINUS < 0", "BIG > 0 && BIG + 1 == 0", "Q == 39", "DQ == 34",
            "B == 255", "!NO", "ALIAS >> 40 == 1", "CAST == 44", "UP == BIG", "DOWN == -4", "CHAR == 97", "SMALL << 40 == ALIAS * 5", "WORD - 6 > 0",
            "_Generic(SMALL, uint64_t: 1, default: 0)", "_Generic(LEN, unsigned long: 1, default: 0)", "_Generic(WORD, uint32_t: 1, default: 0)",
            "_Generic(MINUS, int64_t: 1, default: 0)"])),
    ("numbers with a point", "pub const A: f64 = 1.5; pub const B: f32 = 0.1; pub const D: f64 = -0.0; pub const E: f64 = A * 2.0; pub const G: f64 = f64::INFINITY;
        pub const H: f32 = f32::NAN; pub const I: f64 = core::f64::consts::PI; pub const J: f64 = f64::MAX; pub const K: f32 = -1.0 / 0.0; @F", "",
        Holds(&["A == 1.5", "B == 0.1f", "_Generic(B, float: 1, default: 0)", "E == 3", "G > 1e308", "H != H", "I > 3.141592 && I < 3.141593", "K < -1e38f"])),
    ("constants that the compiler computes", "const fn sq(n: u32) -> u32 { n * n } pub const A: u32 = sq(4); pub const B: u32 = u32::from_be_bytes([1, 2, 3, 4]);
        pub const D: usize = NAMES.len(); const NAMES: &[&str] = &[\"a\", \"b\"]; pub const E: u32 = if A > 3 { 7 } else { 8 }; pub const G: usize = size_of::<S>();
        pub struct S(u8, u32); trait T { const X: u32; } impl T for S { const X: u32 = 9; } pub const H: u32 = <S as T>::X; pub const I: i8 = -(2i8.pow(3));
        pub mod m { pub const J: u64 = super::A as u64 + 1; pub const K: char = 'a'.to_ascii_uppercase(); } @F", "",
        Holds(&["A == 16", "B == 0x01020304", "D == 2", "E == 7", "G == 8", "H == 9", "I == -8", "J == 17", "K == 'A'"])),
    ("associated constants", "#[repr(C)] pub struct Foo { pub a: u32 } impl Foo { pub const SIZE: usize = 8; const HID: usize = 9; pub const MASK: u32 = !0; }
        pub trait Dev { const ID: u32; } impl Dev for Foo { const ID: u32 = 4; } @C fn p(f: Foo) {}", "",
        Has(&["#define Foo_SIZE 8ul", "#define Foo_MASK 4294967295u"], &["HID", "ID"])),
    ("two constants of one name", "pub mod a { pub const N: u32 = 1; } pub mod b { pub const N: u32 = 2; } @F", "",
        Refused(&["two constants are called `N`", "lib.rs:2"], "rename")),
    ("a constant with the name of an associated one", "#[repr(C)] pub struct A { pub n: u8 } impl A { pub const SIZE: u32 = 1; } pub const A_SIZE: u32 = 2; @C fn f(a: A) {}", "",
        Refused(&["two constants are called `A_SIZE` (`", "lib.rs:2"], "rename")),
    ("one constant by two paths", "pub mod a { pub const N: u32 = 1; } pub use a::N; pub mod b { pub use super::a::*; } @F", "",
        Has(&["#define N 1u"], &[])),
    ("constants with names of macros of C", "pub const unix: u32 = 3; @F", "", Refused(&["the constant `unix` (`", "lib.rs:2", "macro of C"], "rename")),
    ("constants with names of functions that are macros", "pub const major: u32 = 3; @F", "",
        Refused(&["the constant `major` (`", "macro of C"], "rename")),
    ("constants with names and values of C", "pub const EPERM: i32 = 1; pub const UINT8_MAX: u8 = 255; @F", "",
        Refused(&["the constant `UINT8_MAX` (`", "macro of C"], "rename")),
    ("a constant with the name of a keyword of C", "pub const int: u32 = 3; @F", "", Refused(&["the constant `int` (`", "keyword of C"], "rename")),
    ("a field with the name of a macro of C", "#[repr(C)] pub struct S { pub linux: u8, pub major: u8, pub stdin: u8 } @C fn p(s: &S) {}", "",
        Refused(&["the field `linux` of `S` (`", "macro of C"], "rename")),
    ("fields with names of functions that are macros", "#[repr(C)] pub struct S { pub major: u8, pub minor: u8, pub stdin: u8 } @C fn p(s: &S, assert: u8) {}", "",
        Has(&["uint8_t major;", "uint8_t stdin;"], &[])),
    ("an argument with the name of a macro of C", "@C fn p(errno: u32) {}", "", Refused(&["the argument `errno` of `p` (`", "macro of C"], "rename")),
    ("a function with the name of a macro of C", "@C fn major(n: u32) -> u32 { n }", "", Refused(&["the export `major` (`", "macro of C"], "export_name")),
    ("a variant with the name of an error of C", "#[repr(C)] pub enum E { EINVAL, Fine } @C fn p(e: E) {}", "",
        Refused(&["the variant `EINVAL` of `E` (`", "macro of C"], "prefix_with_name")),
    ("a constant with the name of a callback's argument", "pub const len: u32 = 1; #[repr(C)] pub struct S { pub cb: extern \"C\" fn(len: u32) } @C fn p(s: S) {}", "",
        Refused(&["the constant `len` (`", "in the header"], "private")),
    // Enums.
    ("two variants of one name", "#[repr(C)] pub enum ReadResult { Ok, Empty } #[repr(C)] pub enum WriteResult { Ok, Full }
        @C fn rd() -> ReadResult { ReadResult::Ok } @C fn wr() -> WriteResult { WriteResult::Ok }", "",
        Refused(&["`Ok`", "`ReadResult` (`", "`WriteResult` (`"], "prefix_with_name = true")),
    ("two variants with fields of one name", "#[repr(C)] pub enum A { Move { x: i16 }, Stop }
        #[repr(C)] pub enum B { Move { x: i32 }, Go } @C fn ab(a: A, b: B) {}", "",
        Refused(&["`Move", "`A` (`", "`B` (`"], "prefix_with_name = true")),
    ("a variant with the name of a type", "#[repr(C)] pub struct Circle { pub r: u32 }
        #[repr(C)] pub enum Shape { Circle(Circle), Dot } @C fn sh(s: Shape) {}", "",
        Refused(&["`Circle`", "`Shape` (`", "the item `Circle` (`"], "prefix_with_name = true")),
    ("a variant with the name of a macro of C", "#[repr(C)] pub enum E { NULL, Some } @C fn e(e: E) {}", "",
        Refused(&["`NULL`", "`E` (`", "macro of C"], "prefix_with_name = true")),
    ("prefixes by cbindgen.toml", "#[repr(C)] pub enum A { Move { x: i16 }, Ok } #[repr(C)] pub enum B { Move { x: i32 }, Ok }
        @C fn ab(a: A, b: B) {}", "[enum]\nprefix_with_name = true\n", Has(&["A_Ok", "B_Ok"], &[])),
    ("values of variants", "const BASE: u8 = 16; #[repr(u8)] pub enum A { X = BASE, Y, Z = size_of::<u64>() as u8 }
        #[repr(C)] pub enum B { P = A::Y as isize + 1, N = -1 } @C fn ab(a: A, b: B) {}", "",
        Holds(&["X == 16", "Y == 17", "Z == 8", "P == 18", "N == -1"])),
    ("transparent enums, and variants without fields", "#[repr(transparent)] pub enum Id { Of(u32) } #[repr(u8)] pub enum E { A(), B {}, C }
        @C fn p(i: Id, e: E) {}", "", Has(&["typedef uint32_t Id;", ": uint8_t", "void p(Id i, E e);"], &["Body"])),
    ("enums with data", "#[repr(u8)] pub enum A { X(u8, u32), Y { y: u64 }, Z } #[repr(C)] pub enum B { P(u8, u32), Q } #[repr(C, u16)]
        pub enum D { M { m: u64 } = 9, N } @C fn p(a: A, b: B, d: D) {}", "",
        Holds(&["sizeof(union A) == 16", "sizeof(struct B) == 12", "sizeof(struct D) == 16", "M == 9"])),
    ("enums of all widths", "#[repr(i8)] pub enum A { X = -1, Y } #[repr(u64)] pub enum B { P = u64::MAX, Q = 0 } #[repr(isize)] pub enum D { M = -3 }
        #[repr(C)] pub enum E { S = 1 << 40, T = 'a' as isize } @C fn p(a: A, b: B, d: D, e: E) {}", "",
        Holds(&["sizeof(A) == 1", "sizeof(B) == 8", "sizeof(D) == sizeof(long)", "sizeof(enum E) == 8", "T == 97"])),
    ("names that are keywords of C", "#[repr(C)] pub struct P { pub int: u8, pub r#type: u8, pub class: u8 } #[repr(C)] pub enum E { default, new }
        #[repr(C)] pub struct r#type { pub r#in: u8 } @C fn r#fn(int: u8, this: &P, e: E, t: &r#type) {}", "",
        Has(&["uint8_t int_;", "uint8_t type;", "uint8_t int_,", "const struct P *this_", "default_", "const struct type *t"], &[])),
    ("names that are keywords of C's compilers or of C++", "#[repr(C)] pub struct P { pub asm: u8, pub restrict: u8, pub xor: u8 } @C fn f(or: u8, typeof_: &P) {}", "",
        Has(&["uint8_t asm_;", "uint8_t restrict_;", "uint8_t xor_;", "void f(uint8_t or_,"], &[])),
    ("a type with the name of a keyword of C", "#[repr(C)] pub struct int { pub a: u8 } @C fn p(p: &int) {}", "",
        Refused(&["the type `int` (`", "lib.rs:2", "keyword of C"], "[export.rename]")),
    ("an alias with the name of a keyword of C", "pub type double = u32; @C fn p(p: double) {}", "",
        Refused(&["the type `double` (`", "lib.rs:2", "keyword of C"], "rename")),
    ("a keyword of C renamed by cbindgen.toml", "#[repr(C)] pub struct class { pub a: u8 } @C fn p(p: &class) {}",
        "[export.rename]\nclass = \"class_t\"\n", Has(&["const struct class_t *p"], &[])),
    ("a type with the name of a function", "#[repr(C)] pub struct dev { pub a: u8 } @C fn dev(d: &dev) {}", "",
        Refused(&["`dev` is a type and a function", "lib.rs:2"], "style = \"tag\"")),
    ("a type with the name of a variable", "#[repr(C)] pub struct Conf { pub a: u8 } #[unsafe(export_name = \"Conf\")] pub static C: u32 = 1;
        @C fn p(c: &Conf) {}", "", Refused(&["`Conf` is a type and a function or variable", "lib.rs:2"], "rename")),
    ("names beyond ASCII", "#[repr(C)] pub struct Größe { pub höhe: u8 } pub const Ä: u32 = 3; @C fn p(länge: &Größe) {}", "",
        Has(&["const struct Größe *länge", "#define Ä 3u"], &[])),
    ("own types with names of Rust's numbers", "mod m { #[repr(C)] pub struct u32 { pub x: u16 } } use m::u32 as U; @C fn p(p: &U, n: u32) {}", "",
        Has(&["uint16_t x;", "const struct u32 *p, uint32_t n"], &["_own"])),
    ("types of one name behind pointers", "mod a { pub struct T { x: u8 } } mod b { pub struct T { x: u16 } } @C fn p(x: *mut a::T, y: *mut b::T) {}", "",
        Refused(&["two types are called `T`", "lib.rs:2"], "rename")),
    ("generic types", "use core::marker::PhantomData; #[repr(C)] pub struct P<A, B> { pub a: A, pub b: B } #[repr(C)] pub struct V<T> { pub p: *mut T }
        pub type Any<T> = V<V<T>>; #[repr(transparent)] pub struct Id<T>(u32, PhantomData<fn() -> T>); pub struct Tag;
        pub type Cb<T> = Option<extern \"C\" fn(*mut T)>; #[repr(C)] pub enum Opt<T> { None, Some(T) }
        @C fn p(p: P<u8, P<u16, *const P<u32, u64>>>, a: Any<u16>, i: Id<Tag>, c: Cb<u8>, o: Opt<u8>) {}", "",
        Has(&["struct V_u16 *p;", "typedef uint32_t Id_Tag;", "typedef void (*Cb_u8)(uint8_t*);", "Some_u8"], &[])),
    ("arguments of types by default", "pub struct Own(u16); #[repr(C)] pub struct B<T = u8, const N: usize = { 2 + 2 }, U = *const T>
        { pub a: [T; N], pub u: U } @C fn p(p: &B, q: &B<u16>, r: &B<u32, 2>) {}", "",
        Has(&["uint8_t a[4];", "uint16_t a[4];", "uint32_t a[2];", "const uint32_t *u;"], &[])),
    ("types without bytes", "use core::marker::*; #[repr(C)] pub struct Z<'a, T> { pub a: u8, pub z: (), pub y: [u32; 0], pub p: PhantomData<&'a T>,
        pub q: PhantomPinned, pub b: u8 } @C fn p(z: &Z<u8>, n: ()) -> () {}", "", Has(&["uint32_t y[0];", "void p(const struct Z_u8 *z);"], &[])),
    ("structs without fields in others", "#[repr(C)] pub struct Empty {} pub struct Tag<T>(core::marker::PhantomData<T>); #[repr(C)] pub struct S { pub a: u8, pub e: Empty, pub f: [Empty; 2],
        pub t: Tag<u8>, pub b: u16 } #[repr(transparent)] pub struct Id(pub u32, pub Tag<S>); @C fn p(s: &S, i: Id) {}", "",
        Has(&["uint8_t a;\n  uint16_t b;", "typedef uint32_t Id;"], &["Empty", "Tag"])),
    ("arguments of types without bytes", "#[repr(C)] pub struct V<T = ()> { pub v: *const T, pub n: usize } @C fn p(v: V, w: &V<u8>) {}", "",
        Has(&["const void *v;", "const uint8_t *v;"], &[])),
    ("arguments of types below 0", "#[repr(C)] pub struct B<const I: i32> { pub n: u8 } @C fn f(b: B<-3>) {}", "", Refused(&["`f` (`", "lib.rs:2", "`B`"], "without")),
    ("types in callbacks before their definition", "#[repr(C)] pub struct Node { pub go: Go, pub n: u8 } pub type Go = Option<extern \"C\" fn(*mut Node, Stop)>;
        pub type Stop = extern \"C\" fn(Node); @C fn p(n: Node, g: Go) {}", "", Has(&["struct Node;\n\ntypedef void (*Stop)(struct Node);"], &[])),
    ("recursive types", "#[repr(C)] pub struct N { pub next: *mut N, pub kids: [Option<&'static N>; 2], pub cb: extern \"C\" fn(&N) -> *mut N }
        #[repr(C)] pub enum L { Nil, Cons(u8, *mut L) } @C fn p(n: &N, l: L) {}", "", Has(&["const struct N *kids[2];", "struct L *_1;"], &[])),
    ("unions", "#[repr(C)] pub union U { pub a: u32, pub b: [u8; 9], pub c: core::mem::ManuallyDrop<S> } #[repr(C)] pub struct S { pub x: u64 }
        @C fn p(u: &U, v: U) {}", "", Holds(&["sizeof(union U) == 16"])),
    ("numbers of C", "use core::ffi::*; #[unsafe(no_mangle)] pub static mut COUNT: usize = 0; #[unsafe(no_mangle)] pub static NAME: [c_char; 4] = [0; 4];
        pub type Handle = *mut c_void; @C fn p(a: c_char, b: c_long, c: c_ulong, d: Handle, e: char, f: *mut Handle) -> c_longlong { 0 }", "",
        Has(&["extern size_t COUNT;", "extern const char NAME[4];", "long long p(char a, long b, unsigned long c, Handle d, uint32_t e, Handle *f);"], &[])),
    ("tables of functions", "extern \"C\" fn a() {} #[repr(C)] pub struct Ops { pub go: extern \"C\" fn(), pub stop: Option<extern \"C\" fn(u8) -> i32> }
        #[unsafe(no_mangle)] pub static OPS: Ops = Ops { go: a, stop: None }; #[unsafe(no_mangle)] pub static TAB: [extern \"C\" fn(); 2] = [a, a];", "",
        Has(&["extern const struct Ops OPS;", "(*TAB[2])(void);"], &[])),
    ("u128", "@C fn p(a: u128) {}", "", Refused(&["`p` (`", "lib.rs:2", "`u128`"], "64 bits")),
    ("slices, tuples, dyn and impl", "@C fn p(a: &[u8]) {}", "", Refused(&["`p` (`", "lib.rs:2", "C has no slices"], "raw pointers")),
    ("tuples behind pointers", "@C fn p(a: *const (u8, u16)) {}", "", Refused(&["`p` (`", "lib.rs:2", "C has no tuples"], "raw pointers")),
    ("boxes of dyn", "extern crate alloc; @C fn p(a: alloc::boxed::Box<dyn Send>) {}", "",
        Refused(&["`p` (`", "lib.rs:2", "C has no trait objects"], "raw pointers")),
    ("dyn with several bounds", "@C fn p(a: &(dyn Fn() + Send)) {}", "", Refused(&["`p` (`", "lib.rs:2", "C has no trait objects"], "raw pointers")),
    ("text in a field", "#[repr(C)] pub struct S { pub n: &'static str } @C fn p(s: &S) {}", "", Refused(&["`S` (`", "lib.rs:2", "`str`"], "characters")),
    ("vectors by value", "extern crate alloc; @C fn p(a: alloc::vec::Vec<u8>) {}", "", Refused(&["`p` (`", "lib.rs:2", "`Vec` by value"], "raw pointers")),
    ("types of Rust's library by value", "@C fn p(a: core::ops::Range<u32>) {}", "",
        Refused(&["`p` (`", "lib.rs:2", "core::ops::Range"], "pointer")),
    // Lengths.
    ("lengths of arrays", "const LEN: usize = 16; pub const SEEN: usize = 5;
        #[repr(C)] pub struct Frame { pub a: [u8; LEN], pub b: [u8; LEN + 1], pub c: [u8; size_of::<u64>()],
            pub d: [u8; Frame::LEN], pub e: [u8; Self::LEN * 2], pub f: [u8; shapes::LEN], pub g: [u8; SEEN],
            pub h: [[u8; u8::MAX as usize]; 2], pub i: [u8; { 1 + 1 }] }
        impl Frame { const LEN: usize = 3; } @C fn fill(f: &mut Frame) {}", "",
        Holds(&["sizeof(struct Frame) == 16 + 17 + 8 + 3 + 6 + 7 + 5 + 510 + 2"])),
    ("lengths by constants of traits and of the compiler", "trait L { const N: usize; } impl L for S { const N: usize = 5; } const fn l() -> usize { 3 } pub const LEN: usize = l();
        #[repr(C)] pub struct S { pub a: [u8; <S as L>::N], pub b: [u8; LEN + 1] } @C fn s(s: &S) {}", "", Has(&["a[5];", "b[4];"], &[])),
    ("a length that only the compiler knows", "const fn l() -> usize { 3 }
        #[repr(C)] pub struct S { pub a: [u8; l()] } @C fn s(s: &S) {}", "",
        Refused(&["the array length `l ()` (`", "lib.rs:3"], "write a number")),
    ("constants as arguments of types", "const N: usize = 4; #[repr(C)] pub struct Buf<const L: usize> { pub b: [u8; L] }
        @C fn b(b: &Buf<N>, c: &Buf<{ N + 1 }>) {}", "", Has(&["uint8_t b[4];", "uint8_t b[5];"], &[])),
    // Pointers that may be null.
    ("aliases of function pointers", "pub type Callback = extern \"C\" fn(u32); type Get<T> = extern \"C\" fn(T) -> T;
        #[repr(C)] pub struct Ops { pub open: Option<Callback>, pub all: [Option<Callback>; 2] }
        @C fn on(ops: &Ops, c: Option<Callback>, d: Callback, g: Option<Get<i8>>) {}", "",
        Has(&["void (*open)(uint32_t);", "void (*c)(uint32_t)", "int8_t (*g)(int8_t)"], &["Option"])),
    ("aliases of pointers", "pub struct Dev(u8); type Ptr = core::ptr::NonNull<Dev>; #[repr(transparent)] pub struct H(Ptr);
        #[repr(transparent)] pub struct Id(core::num::NonZero<u16>);
        @C fn on(p: Option<Ptr>, h: Option<H>, i: Option<Id>, b: Option<&'static Dev>) {}", "",
        Has(&["struct Dev *p", "struct Dev *h", "uint16_t i", "const struct Dev *b"], &["Option"])),
    ("numbers that are not zero", "use core::num::*; @C fn n(a: NonZeroUsize, b: Option<NonZeroIsize>, c: NonZeroU8,
        d: Option<NonZeroI64>, e: NonZero<u16>, f: Option<NonZero<i32>>) {}", "",
        Has(&["size_t a", "ptrdiff_t b", "uint8_t c", "int64_t d", "uint16_t e", "int32_t f"], &["Zero"])),
    ("an option that is no pointer", "@C fn n(a: Option<u32>) {}", "", Refused(&["`n` (`", "`Option` by value"], "raw pointers")),
    // Types of Rust's library and of other crates.
    ("atomics and cells", "use core::sync::atomic::*; use core::cell::{Cell, UnsafeCell};
        #[repr(C)] pub struct Shared { pub head: AtomicU32, pub flag: AtomicBool, pub p: AtomicPtr<u8>, pub n: AtomicUsize,
            pub c: Cell<i16>, pub u: UnsafeCell<u8>, pub w: core::num::Wrapping<u8>, pub m: core::mem::MaybeUninit<u8> }
        @C fn b(s: &Shared) {}", "", Has(&["uint32_t head;", "bool flag;", "uint8_t *p;", "size_t n;", "int16_t c;",
            "uint8_t u;", "uint8_t w;", "uint8_t m;"], &["Atomic"])),
    ("bitflags", "bitflags::bitflags! { #[repr(transparent)] pub struct Flags: u32 { const A = 1; const B = 1 << 31;
            const AB = Self::A.bits() | Self::B.bits(); } } @C fn c(f: Flags) {}", "",
        Holds(&["sizeof(Flags) == 4", "Flags_A == 1", "Flags_B == 0x80000000", "Flags_AB == 0x80000001"])),
    ("foreign types by pointer", "pub type Line = heapless::Vec<u8, 80>; @C fn put(line: &mut Line, d: *const core::time::Duration) {}",
        "", Has(&["typedef struct heapless_Vec heapless_Vec;", "Line *line", "const struct Duration *d"], &[])),
    ("foreign types by value", "pub type Line = heapless::Vec<u8, 80>; @C fn put(line: Line) {}", "",
        Refused(&["`put` (`", "lib.rs:2", "heapless::Vec"], "raw pointers")),
    ("foreign types in a field", "#[repr(C)] pub struct L { pub line: heapless::Vec<u8, 80> } @C fn put(line: &L) {}", "",
        Refused(&["`L` (`", "heapless::Vec"], "raw pointers")),
    ("pointers of two words", "pub struct Tail { n: u8, tail: [u8] } @C fn put(t: &Tail) {}", "",
        Refused(&["lib.rs:2", "`Tail`, which in Rust is two words"], "pointer to the first element")),
    ("pointers of two words by an alias", "pub type Bytes = [u8]; pub struct Tail { n: u8, t: Inner } pub struct Inner { n: u8, b: Bytes } @C fn put(t: *const Tail) {}", "",
        Refused(&["lib.rs:2", "`Tail`, which in Rust is two words"], "pointer to the first element")),
    ("pointers of two words to an alias", "pub type Bytes = [u8]; @C fn put(t: *const Bytes) {}", "",
        Refused(&["lib.rs:2", "`Bytes`, which in Rust is two words"], "pointer to the first element")),
    ("a string of C", "@C fn put(t: &core::ffi::CStr) {}", "",
        Refused(&["`put` (`", "lib.rs:2", "`CStr`, which in Rust is two words"], "pointer to the first element")),
    ("types of the crate libc", "@C fn put(n: libc::c_int, t: *mut libc::FILE) {}", "",
        Refused(&["`put` (`", "lib.rs:2", "`FILE`"], "exclude = [\"FILE\"]")),
    ("options in aliases", "type Cb = Option<unsafe extern \"C\" fn(*mut core::ffi::c_void)>;
        @C fn put(t: Cb, all: &[Cb; 4]) {} #[unsafe(no_mangle)] pub static HOOK: Option<extern \"C\" fn()> = None;", "",
        Has(&["typedef void (*Cb)(void*);", "Cb t", "(*HOOK)(void);"], &[])),
    ("own types with names of Rust's library", "pub struct Vec { x: u8 } #[repr(C)] pub struct String { pub n: u8 }
        #[repr(C)] pub enum Result { Good, Bad } mod m { #[repr(transparent)] pub struct Box(pub u16); }
        @C fn mine(v: *mut Vec, s: &String, b: m::Box) -> Result { Result::Good }", "",
        Has(&["struct Vec *v", "const struct String *s", "enum Result mine(", "Box b"], &["_own"])),
    ("modules of Rust's library", "use core::ffi::{self, c_char as ch}; use core::{num as n, primitive};
        @C fn f(a: *const ch, c: ffi::c_int, d: primitive::u8, e: n::NonZeroU8) {}", "",
        Has(&["void f(const char *a, int c, uint8_t d, uint8_t e);"], &[])),
    ("constants that C has no type for", "pub const WIDE: u128 = 1; pub const NAME: &str = \"n\"; pub const PAIR: (u8, u8) = (1, 2); @F", "",
        Has(&["uint32_t f"], &["WIDE", "NAME", "PAIR"])),
    ("enums without values", "#[repr(C)] pub enum Empty {} @C fn f(a: *mut Empty) {}", "",
        Has(&["typedef struct Empty Empty;"], &[])),
    ("statics that change", "use core::sync::atomic::AtomicU32; #[repr(C)] pub struct Ring { pub head: AtomicU32 } pub struct Own(Ring);
        #[unsafe(no_mangle)] pub static HEAD: AtomicU32 = AtomicU32::new(0); #[unsafe(no_mangle)] pub static RING: [Ring; 1] = [];
        #[unsafe(no_mangle)] pub static OWN: Own = OWN; #[unsafe(no_mangle)] pub static FIXED: u32 = 1;", "",
        Has(&["extern uint32_t HEAD;", "extern struct Ring RING[1];", "extern struct Own OWN;", "extern const uint32_t FIXED;"], &[])),
    ("types that point at each other", "#[repr(C)] pub struct A { pub b: *mut B } #[repr(C)] pub struct B { pub a: *mut A, pub arr: [A; 2] }
        #[repr(C)] pub struct Y { pub x: *mut X, pub n: u8 } #[repr(C)] pub union X { pub y: Y2, pub m: u8 }
        #[repr(u8)] pub enum Cmd { One = 1, Two { x: P } = 4, Three(u32, P) } #[repr(C)] pub struct P { pub c: *mut Cmd } @C fn p(p: P) {}
        #[repr(C)] #[derive(Clone, Copy)] pub struct Y2 { pub y: *mut Y, pub x: *mut X } @C fn f(a: A, y: Y) {}", "",
        Has(&["struct A arr[2];", "void f(struct A a, struct Y y);"], &["first"])),
    ("an assertion of cbindgen", "@F @C fn v(x: *mut std::vec::Vec<u8, u16>) {}", "",
        Refused(&["cannot write `v` (`", "lib.rs:3", "2 values"], "cbindgen:ignore")),
    // Layouts.
    ("markers by pointer", "#[repr(C)] pub struct Marker {} pub struct Unit; #[repr(C)] pub struct Pin_ { pub p: core::marker::PhantomData<u8>,
        pub n: u8 } @C fn m(a: *mut Marker, b: *mut Unit, c: Pin_) {}", "", Has(&["struct Marker *a", "struct Unit *b"], &[])),
    ("markers by value", "#[repr(C)] pub struct Marker { _p: [u8; 0] } #[repr(C)] pub struct None_ {} @C fn m(a: None_) {}", "",
        Warns("`None_` by value, which has no bytes in C")),
    ("types by value without a layout", "pub struct Opaque { a: u8 } @C fn m(a: Opaque) {}", "",
        Warns("C cannot call `m` (`")),
    ("packed", "#[repr(C, packed(2))] pub struct P { pub a: u8, pub b: u64, pub c: u8 }
        #[repr(C, packed(1))] pub struct Q { pub a: u8, pub b: u32 } #[repr(C)] pub struct R { pub a: u8, pub p: P }
        @C fn p(p: &P, q: Q, r: R, s: P) {}", "",
        Holds(&["sizeof(struct P) == 12", "_Alignof(struct P) == 2", "sizeof(struct Q) == 5", "sizeof(struct R) == 14"])),
    ("packed types with a prefix", "#[repr(C, packed(4))] pub union U { pub a: u8, pub b: u64 } @C fn p(p: U) {}",
        "[export]\nprefix = \"my_\"\n", Holds(&["_Alignof(union my_U) == 4"])),
    ("packed generic types by value", "#[repr(C, packed(2))] pub struct P<T> { pub a: u8, pub b: T } @C fn p(p: P<u32>) {}", "",
        Warns("C has no generic types of `#[repr(packed(2))]`")),
    ("alignments", "#[repr(C, align(64))] pub struct L { pub a: u8 } #[repr(C)] pub struct M { pub x: u8, pub l: L }
        #[repr(C, align(32))] pub struct G<T> { pub a: T } #[repr(C, align(16))] pub union U { pub a: u8 }
        @C fn p(p: &M, l: L, g: &G<u8>, u: &U) {}", "", Holds(&["sizeof(struct M) == 128", "_Alignof(union U) == 16"])),
    ("an array by value", "type Four = [u8; 4]; @C fn p(p: Four) {}", "",
        Refused(&["`p` (`", "lib.rs:2", "an array by value"], "into a `#[repr(C)]` struct")),
    ("an array as a result", "@C fn p() -> [u8; 4] { [0; 4] }", "", Refused(&["`p` (`", "an array by value"], "pointer")),
    ("an array in a transparent struct by value", "#[repr(transparent)] pub struct Mac(pub [u8; 6]); @C fn p(m: Mac) {}", "",
        Refused(&["`p` (`", "an array by value"], "pointer")),
    ("an array by value in a callback", "#[repr(C)] pub struct Ops { pub go: Option<extern \"C\" fn([u8; 4])> } @C fn p(o: &Ops) {}",
        "", Refused(&["`Ops` (`", "lib.rs:2", "an array by value"], "pointer")),
    ("arrays behind pointers", "#[repr(transparent)] pub struct Mac(pub [u8; 6]); #[repr(C)] pub struct F { pub m: Mac, pub n: [Mac; 2] }
        @C fn p(a: &[u8; 4], m: &Mac, f: F) -> *const [u8; 4] { a }", "",
        Has(&["const uint8_t (*p(const uint8_t (*a)[4], const Mac *m, struct F f))[4];"], &[])),
    ("function pointers of Rust's own", "#[repr(C)] pub struct S { pub go: fn(u8) } @C fn p(s: &S) {}", "",
        Warns("C must not call or make the function pointer of `S` (`")),
    ("callbacks of callbacks", "@C fn p(a: extern \"C\" fn(extern \"C\" fn(u8) -> u16, *mut core::ffi::c_void) -> extern \"C\" fn(),
        b: Option<extern \"C-unwind\" fn(Option<extern \"C\" fn()>)>, c: unsafe extern \"C\" fn(u8, ...) -> u8) {}", "",
        Has(&["void (*(*a)(uint16_t(*)(uint8_t), void*))(void)", "uint8_t (*c)(uint8_t, ...)"], &[])),
    ("fields that C has no type for", "#[repr(C)] pub struct S { pub t: (u8, u16) } @C fn p(s: &S) {}", "",
        Warns("C knows `S` (`")),
    // Comments.
    ("comments that end or begin a comment", "/// Reads all that matches `logs/*/today`.\n///\n/// See http://x.y/* for more.\n@F", "",
        Has(&["logs/ * /today"], &["*/today"])),
    ("comments that go on in the next line", "/// Reads C:\\\n@F", "documentation_style = \"c99\"\n", Has(&["Reads C:\\.\n"], &[])),
];

#[test]
fn each_form_has_its_header_or_a_reason() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published(
        "heapless",
        "0.9.1",
        "",
        "pub struct Vec<T, const N: usize>([T; N]);\n",
    );
    fixture.published(
        "volatile-register",
        "0.2.2",
        "",
        "pub struct RW<T>(T);\npub struct RO<T>(T);\n",
    );
    fixture.published(
        "libc",
        "0.2.9",
        "",
        "pub type c_int = i32;\npub enum FILE {}\n",
    );
    fixture.unlocked("shapes", "");
    fixture.append(
        "shapes/src/lib.rs",
        &format!(
            "#[repr(C)] pub struct Point {{ pub x: i32 }}\npub const SIDES: u32 = 3;\npub const LEN: usize = 7;\n\
             #[repr(C)] pub enum Error {{ Fatal }}\n{C} fn area() {{}}\n"
        ),
    );
    fixture.unlocked(
        "drivers",
        "[dependencies]\nshapes = { path = \"../shapes\" }\n",
    );
    fixture.append(
        "drivers/src/lib.rs",
        &format!(
            "mod led {{ #[repr(C)] pub struct Led {{ pub n: u8 }} {C} fn led_on(led: Led) {{}} }}\npub use led::Led;\n\
             pub const LEDS: u32 = 4;\n"
        ),
    );
    fixture.library(
        "greeter",
        "[features]\nextra = []\n[dependencies]\nshapes = { path = \"../shapes\" }\ndrivers = { path = \"../drivers\" }\n\
         heapless = \"0.9\"\nlibc = \"0.2\"\nvolatile-register = \"0.2\"\n",
    );
    fixture.write("greeter/src/more.inc", format!("{C}fn more(n: u8) {{}}\n"));
    fixture.write("greeter/src/low.inc", format!("{C}fn low() {{}}\n"));

    // The names are those of cargo below the folder that Corrosion gives it.
    for (hash, text) in [("1", "older"), ("2", "made")] {
        let out = format!("cargo/greeter_1/aarch64-unknown-none/release/build/greeter-{hash}/out");
        let made = "#[repr(C)] pub struct Made { pub n: u8 }";
        fixture.write(
            &format!("{out}/made.rs"),
            format!("{made} {C}fn {text}(made: Made) {{}}\n"),
        );
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
        if text == "older" {
            let folder = std::fs::File::open(fixture.path(&out)).expect("the folder");
            folder.set_modified(old).expect("a time");
        }
    }

    let dependencies = [
        "shapes",
        "drivers",
        "vendor/heapless-0.9.1",
        "vendor/libc-0.2.9",
        "vendor/volatile-register-0.2.2",
    ];
    for folder in dependencies {
        let compiled = fixture.rustc(folder, &[], true);
        assert!(compiled.is_ok(), "{compiled:?}");
    }
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (name, source, config, then) in ROWS {
        let source = source.replace("@F", F).replace("@C ", C);
        fixture.write("greeter/src/lib.rs", format!("#![no_std]\n{source}"));
        fixture.write("cbindgen.toml", config);
        let _ = std::fs::remove_file(fixture.path("include/greeter.h"));
        let settings = [
            "--config",
            "cbindgen.toml",
            "--cargo.cache",
            "cache",
            "--target-folder",
            "cargo",
        ];
        // Some rows are refused, or name crates that are not there.
        let library = match then {
            Refused(..) => Err(String::new()),
            // Every other one as in a build for release.
            _ => fixture.rustc("greeter", &dependencies, judged % 2 == 0),
        };
        judged += u32::from(library.is_ok());
        let library = library.unwrap_or_else(|_| "none".to_owned());
        let judge = [
            "--judge.cc",
            "gcc",
            "--judge.cxx",
            "g++",
            "--judge.archive",
            &library,
        ];
        let outcome = again(&fixture, &[&settings[..], &judge].concat());
        let mut check = |holds: bool, what: &str| {
            if !holds {
                let header = if fixture.path("include/greeter.h").exists() {
                    fixture.read("include/greeter.h")
                } else {
                    String::new()
                };
                wrong.push(format!("{name}: {what}\n{}{header}", outcome.stderr));
            }
        };
        if let Refused(words, help) = then {
            check(outcome.code == Some(1), "is not refused");
            let (error, next) = outcome
                .stderr
                .split_once("\nhelp: ")
                .unwrap_or((&outcome.stderr, ""));
            for word in *words {
                check(error.contains(word), &format!("no `{word}` in the error"));
            }
            check(
                next.contains(help),
                &format!("no `{help}` in the next step"),
            );
            continue;
        }
        if outcome.code != Some(0) {
            check(false, "is refused");
            continue;
        }
        let text = fixture.read("include/greeter.h");
        let mut asserts = String::new();
        match then {
            Has(lines, words) => {
                check(outcome.stderr.is_empty(), "something is said");
                for line in *lines {
                    check(text.contains(line), &format!("no `{line}`"));
                }
                for word in *words {
                    check(!text.contains(word), &format!("`{word}` is there"));
                }
            }
            Warns(words) => check(
                outcome.stderr.contains(words),
                &format!("no `{words}` is said"),
            ),
            Holds(all) => {
                for each in *all {
                    asserts += &format!("_Static_assert({each}, \"\");\n");
                }
            }
            Refused(..) => {}
        }
        if (!asserts.is_empty() || !config.is_empty())
            && let Err(error) = compiles(&fixture, &asserts)
        {
            check(false, &error);
        }
    }
    assert!(judged >= 35, "only {judged} rows are compiled by rustc");
    assert!(
        wrong.is_empty(),
        "{}\n{} wrong",
        wrong.join("\n"),
        wrong.len()
    );
}
