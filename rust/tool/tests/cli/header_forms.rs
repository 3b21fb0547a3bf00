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
        pub use shapes::SIDES; @F", "", Has(&["#define MAX 8", "#define SIDES 3"], &["BIT"])),
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
    // Lengths.
    ("lengths of arrays", "const LEN: usize = 16; pub const SEEN: usize = 5;
        #[repr(C)] pub struct Frame { pub a: [u8; LEN], pub b: [u8; LEN + 1], pub c: [u8; size_of::<u64>()],
            pub d: [u8; Frame::LEN], pub e: [u8; Self::LEN * 2], pub f: [u8; shapes::LEN], pub g: [u8; SEEN],
            pub h: [[u8; u8::MAX as usize]; 2], pub i: [u8; { 1 + 1 }] }
        impl Frame { const LEN: usize = 3; } @C fn fill(f: &mut Frame) {}", "",
        Holds(&["sizeof(struct Frame) == 16 + 17 + 8 + 3 + 6 + 7 + 5 + 510 + 2"])),
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
    ("packed by pointer", "#[repr(C, packed(2))] pub struct P { pub a: u8, pub b: u32 }
        #[repr(C, packed(1))] pub struct Q { pub a: u8, pub b: u32 } @C fn p(p: &P, q: Q) {}", "",
        Has(&["typedef struct P P;", "struct __attribute__((packed)) Q"], &[])),
    ("packed by value", "#[repr(C, packed(2))] pub struct P { pub a: u8, pub b: u32 } @C fn p(p: P) {}", "",
        Warns("C has no word for `#[repr(packed(2))]`")),
    ("an array by value", "type Four = [u8; 4]; @C fn p(p: Four) {}", "", Warns("for which C passes a pointer")),
    // Comments.
    ("comments that end or begin a comment", "/// Reads all that matches `logs/*/today`.\n///\n/// See http://x.y/* for more.\n@F", "",
        Has(&["logs/ * /today"], &["*/today"])),
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
        let compiled = fixture.rustc(folder, &[]);
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
            _ => fixture.rustc("greeter", &dependencies),
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
