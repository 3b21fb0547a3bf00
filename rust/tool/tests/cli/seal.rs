// SPDX-License-Identifier: BSD-2-Clause

//! `seal`: the archive links, and leaves to C what is C's.

use std::path::PathBuf;
use std::process::Command;

use crate::fixture::{Fixture, Outcome};

fn seal(fixture: &Fixture, archive: &str, provided_by: &[&str]) -> Outcome {
    let mut arguments = vec!["seal", "--archive", archive, "--out", "sealed.a"];
    for library in provided_by {
        arguments.extend(["--provided-by", library]);
    }
    fixture.step(&arguments)
}

/// A static library for this machine that divides 128-bit numbers and copies bytes.
fn library(fixture: &Fixture) {
    fixture.write(
        "lib.rs",
        "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
         #[unsafe(no_mangle)]\nextern \"C\" fn rust_eh_personality() {}\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn divide(a: u64, b: u64) -> u64 {\n\
         ((u128::from(a) << 64) / u128::from(b) >> 60) as u64 }\n\
         #[unsafe(no_mangle)]\npub unsafe extern \"C\" fn copy(to: *mut u8, from: *const u8, n: usize) {\n\
         unsafe { core::ptr::copy_nonoverlapping(from, to, n) } }\n",
    );
    compile(fixture, "-O");
}

/// Compiles lib.rs to the archive in.a.
fn compile(fixture: &Fixture, option: &str) {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let options =
        "--edition=2024 --crate-type=staticlib --crate-name=t -Cpanic=abort lib.rs -o in.a";
    let words: Vec<&str> = options.split(' ').chain([option]).collect();
    fixture.tool(&rustc, &words);
}

/// The names in an archive's index. readelf does not stumble over LLVM's bitcode.
fn index(fixture: &Fixture, archive: &str) -> Vec<String> {
    let text = fixture.tool("readelf", &["--archive-index", archive]);
    text.lines()
        .filter(|line| line.starts_with('\t'))
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn a_sealed_archive_links_and_runs() {
    let fixture = Fixture::new();
    library(&fixture);
    let libgcc = fixture
        .tool("gcc", &["-print-libgcc-file-name"])
        .trim()
        .to_owned();
    seal(&fixture, "in.a", &[&libgcc]).succeeds();
    let (before, after) = (index(&fixture, "in.a"), index(&fixture, "sealed.a"));
    assert!(before.contains(&"__udivti3".to_owned()));
    assert!(!after.contains(&"__udivti3".to_owned()), "libgcc has it");
    assert!(after.contains(&"divide".to_owned()) && after.contains(&"copy".to_owned()));
    let kept: Vec<&String> = before.iter().filter(|name| after.contains(name)).collect();
    assert_eq!(
        after.iter().collect::<Vec<_>>(),
        kept,
        "what stays keeps its order"
    );

    fixture.write(
        "main.c",
        "#include <stdint.h>\n#include <string.h>\n#include <stdio.h>\n\
         uint64_t divide(uint64_t, uint64_t); void copy(char *, const char *, size_t);\n\
         int main(void) { char text[3]; copy(text, \"ok\", 3); printf(\"%s %lu\\n\", text, (unsigned long)divide(6, 3)); return 0; }\n",
    );
    fixture.tool("gcc", &["-static", "main.c", "sealed.a", "-o", "program"]);
    let program = fixture.text("program");
    assert_eq!(fixture.tool(&program, &[]), "ok 32\n");

    // The index is the one that the binutils themselves would write.
    std::fs::copy(fixture.path("sealed.a"), fixture.path("again.a")).expect("copied");
    let first = std::fs::read(fixture.path("sealed.a")).expect("an archive");
    seal(&fixture, "in.a", &[&libgcc]).succeeds();
    assert_eq!(
        std::fs::read(fixture.path("sealed.a")).expect("an archive"),
        first
    );
}

#[test]
fn a_crate_that_enters_the_kernel_by_itself_is_refused() {
    let fixture = Fixture::new();
    let (instruction, mnemonic) = if cfg!(target_arch = "x86_64") {
        ("syscall", "syscall")
    } else {
        ("svc 0", "svc")
    };
    fixture.write(
        "lib.rs",
        format!(
            "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n\
             mod linux {{ #[inline(never)] pub fn call() {{ unsafe {{ core::arch::asm!(\"{instruction}\") }} }} }}\n\
             #[unsafe(no_mangle)]\npub extern \"C\" fn work() {{ linux::call() }}\n"
        ),
    );
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let options = [
        "--edition=2024",
        "--crate-type=staticlib",
        "--crate-name=own_way",
        "-Cpanic=abort",
        "-Csymbol-mangling-version=v0",
        "lib.rs",
        "-o",
        "in.a",
    ];
    fixture.tool(&rustc, &options);
    let message = format!("crate `own_way`: `own_way::linux::call`, by `{mnemonic}`");
    seal(&fixture, "in.a", &[]).fails(&message, "-DRUST_TRAP_CRATES=own_way");
    assert!(!fixture.path("sealed.a").exists());
    // Names as in Cargo.toml, too.
    fixture
        .step(&[
            "seal",
            "--archive",
            "in.a",
            "--out",
            "sealed.a",
            "--trap-crates",
            "own-way",
        ])
        .succeeds();
}

#[test]
fn callbacks_constructors_and_parts_of_arrays_get_into_the_program() {
    let fixture = Fixture::new();
    // A codegen unit of its own, and so a member of the archive, for each module. In the crates of a bundle, statics with
    // `#[used]` are global without `no_mangle`.
    fixture.write(
        "lib.rs",
        "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
         #[unsafe(no_mangle)]\nextern \"C\" fn rust_eh_personality() {}\n\
         mod run { #[unsafe(no_mangle)] pub extern \"C\" fn run() -> i32 { 0 } }\n\
         mod state { #[unsafe(no_mangle)] pub static mut early: i32 = 0; }\n\
         mod constructor { #[used] #[unsafe(no_mangle)] #[unsafe(link_section = \".init_array.00200\")] static INIT: extern \"C\" fn() = init;\n\
         extern \"C\" fn init() { unsafe { crate::state::early = 7 } } }\n\
         mod element { #[used] #[unsafe(no_mangle)] #[unsafe(link_section = \"drivers\")] static ELEMENT: i32 = 3; }\n\
         mod init { #[unsafe(no_mangle)] pub extern \"C\" fn post_init() {}\n\
         pub fn other_handle() {} }\n\
         mod alarm { #[unsafe(no_mangle)] pub extern \"C\" fn alarm_handle() {} }\n",
    );
    compile(&fixture, "-Ccodegen-units=16");
    let names = [
        "--callbacks",
        "post_init",
        "--callbacks",
        "pre_init",
        "--callbacks",
        "*_handle",
    ];
    let mut words = vec!["seal", "--archive", "in.a", "--out", "sealed.a"];
    words.extend(names);
    fixture.step(&words).succeeds();
    let needed = fixture.read("needed");
    for (index, name) in ["INIT", "ELEMENT", "alarm_handle", "post_init"]
        .iter()
        .enumerate()
    {
        assert!(needed.contains(name), "no {name} in {needed}");
        assert!(
            needed
                .lines()
                .nth(index)
                .is_some_and(|line| line.starts_with("-Wl,-u,"))
        );
    }
    assert_eq!(needed.lines().count(), 4, "{needed}");

    fixture.write(
        "main.c",
        "#include <stdio.h>\nint run(void);\n\
         void pre_init(void) __attribute__((weak)); void post_init(void) __attribute__((weak));\n\
         void alarm_handle(void) __attribute__((weak)); extern int early;\n\
         extern int __start_drivers[] __attribute__((weak)), __stop_drivers[] __attribute__((weak));\n\
         int main(void) { printf(\"%d%d%d %d %d\\n\", !!pre_init, !!post_init, !!alarm_handle, early,\n\
         __start_drivers == __stop_drivers ? 0 : __start_drivers[0]); return run(); }\n",
    );
    let link = ["-static", "main.c", "sealed.a", "-o", "program"];
    let program = fixture.text("program");
    fixture.tool("gcc", &link);
    assert_eq!(
        fixture.tool(&program, &[]),
        "000 0 0\n",
        "a linker leaves them out"
    );
    let collected = ["-Wl,--gc-sections", "@needed"];
    fixture.tool("gcc", &[&link[..], &collected].concat());
    assert_eq!(fixture.tool(&program, &[]), "011 7 3\n");
}

#[test]
fn unwind_tables_are_left_out_of_the_image_when_asked_to() {
    let fixture = Fixture::new();
    library(&fixture);
    // Nothing is started from here, so that all `.eh_frame` there is comes from the archive.
    fixture.write(
        "main.c",
        "void divide(void); void _start(void) { divide(); }\n",
    );
    let options = [
        "-nostdlib",
        "-static",
        "-fno-asynchronous-unwind-tables",
        "main.c",
    ];
    let tables = |archive: &str| {
        let link = [
            &options[..],
            &[
                archive,
                "-Wl,--unresolved-symbols=ignore-all",
                "-o",
                "program",
            ],
        ]
        .concat();
        fixture.tool("gcc", &link);
        fixture
            .tool("readelf", &["-SW", "program"])
            .contains(".eh_frame")
    };
    seal(&fixture, "in.a", &[]).succeeds();
    assert!(tables("sealed.a"));
    fixture
        .step(&[
            "seal",
            "--archive",
            "in.a",
            "--out",
            "without.a",
            "--no-unwind-tables",
        ])
        .succeeds();
    assert!(!tables("without.a"));
    // Nothing else is different.
    let bytes = |archive| std::fs::read(fixture.path(archive)).expect("an archive");
    let (with, without) = (bytes("sealed.a"), bytes("without.a"));
    assert_eq!(with.len(), without.len());
    for (before, after) in with.iter().zip(&without) {
        assert!(
            before == after || *after == before | 0x80,
            "{before} became {after}"
        );
    }
}

#[test]
fn nothing_provided_means_nothing_dropped() {
    let fixture = Fixture::new();
    library(&fixture);
    seal(&fixture, "in.a", &[]).succeeds();
    assert_eq!(index(&fixture, "in.a"), index(&fixture, "sealed.a"));
    // The members' bytes, one after the other.
    let members = |archive: &str| {
        let bytes = std::fs::read(fixture.path(archive)).expect("an archive");
        let file = object::read::archive::ArchiveFile::parse(&*bytes).expect("an archive");
        let members = file.members().map(|member| {
            let member = member.expect("a member");
            (
                member.name().to_vec(),
                member.data(&*bytes).expect("data").to_vec(),
            )
        });
        members.collect::<Vec<_>>()
    };
    assert!(members("in.a") == members("sealed.a"));
}

#[test]
fn what_the_user_defines_stays() {
    let fixture = Fixture::new();
    library(&fixture);
    fixture.write(
        "c.c",
        "int divide(void) { return 0; }\nint other(void) { return 0; }\n",
    );
    fixture.tool("gcc", &["-c", "c.c"]);
    fixture.tool("ar", &["rcs", "libc.a", "c.o"]);
    seal(&fixture, "in.a", &["libc.a"]).succeeds();
    assert_eq!(index(&fixture, "in.a"), index(&fixture, "sealed.a"));
}

#[test]
fn archives_that_are_none() {
    let fixture = Fixture::new();
    library(&fixture);
    seal(&fixture, "nothing.a", &[]).fails("cannot read `nothing.a`", "");
    fixture.write("text.a", "hello");
    seal(&fixture, "text.a", &[]).fails("`text.a` is not a complete archive", "build it again");
    let whole = std::fs::read(fixture.path("in.a")).expect("an archive");
    for part in [10, 100, whole.len() / 2, whole.len() - 100] {
        fixture.write("half.a", &whole[..part]);
        seal(&fixture, "half.a", &[]).fails("`half.a` is not a complete archive", "build it again");
    }
    fixture.write("c.c", "int f(void) { return 0; }\n");
    fixture.tool("gcc", &["-c", "c.c"]);
    fixture.tool("ar", &["rcs", "c.a", "c.o"]);
    seal(&fixture, "c.a", &[]).fails("`c.a` is not a Rust static library", "staticlib");
    fixture.tool("ar", &["rcS", "bare.a", "c.o"]);
    seal(&fixture, "in.a", &["bare.a"]).fails("`bare.a` has no symbol index", "ranlib bare.a");
    fixture.tool("ar", &["rcsT", "thin.a", "c.o"]);
    seal(&fixture, "in.a", &["thin.a"]).fails("`thin.a` is a thin archive", "ar rcs");
    let missing: PathBuf = fixture.path("sealed.a");
    assert!(!missing.exists(), "nothing stays behind");
}

/// A library whose Rust code is one object, and that object.
fn optimised_as_one(fixture: &Fixture) {
    library(fixture);
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    fixture.tool(
        &rustc,
        &[
            "--edition=2024",
            "--crate-type=staticlib",
            "--crate-name=t",
            "-Cpanic=abort",
            "-Clto=fat",
            "-Ccodegen-units=1",
            "-O",
            "lib.rs",
            "-o",
            "in.a",
        ],
    );
    let members = fixture.tool("ar", &["t", "in.a"]);
    let own = members.lines().find(|name| name.starts_with("in.t."));
    let own = own.expect("the crate's own member");
    fixture.tool("ar", &["x", "in.a", own]);
    std::fs::rename(fixture.path(own), fixture.path("own.o")).expect("the object");
}

#[test]
fn an_object_takes_the_place_of_the_code_it_was_made_of() {
    let fixture = Fixture::new();
    optimised_as_one(&fixture);
    let sealed = |object: &str| {
        fixture.step(&[
            "seal",
            "--archive",
            "in.a",
            "--out",
            "sealed.a",
            "--inlined",
            object,
        ])
    };
    sealed("own.o").succeeds();
    let members = fixture.tool("ar", &["t", "sealed.a"]);
    assert!(members.starts_with("inlined.o\n"), "{members}");
    assert!(!members.contains("\nin.t."), "{members}");
    let names = index(&fixture, "sealed.a");
    for name in ["divide", "copy"] {
        assert_eq!(names.iter().filter(|known| *known == name).count(), 1);
    }

    fixture.tool("objcopy", &["--localize-symbol=divide", "own.o", "part.o"]);
    sealed("part.o").fails("`part.o` does not hold all Rust code", "-DRUST_INLINE=OFF");
    fixture.write(
        "lost.c",
        "void _RNvlost(void); void divide(void) { _RNvlost(); } void copy(void) {}",
    );
    fixture.tool("gcc", &["-c", "lost.c", "-o", "lost.o"]);
    sealed("lost.o").fails(
        "`lost.o` lacks the Rust function `_RNvlost`",
        "-DRUST_INLINE=OFF",
    );
    sealed("lib.rs").fails("`lib.rs` is not an object file", "-DRUST_INLINE=OFF");
}

/// Compiles `source` to in.a, as one object. C calls its function `names`.
fn library_of_names(fixture: &Fixture, source: &str) {
    fixture.write(
        "lib.rs",
        format!(
            "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n\
             #[unsafe(no_mangle)]\nextern \"C\" fn rust_eh_personality() {{}}\n{source}"
        ),
    );
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let arguments = "--edition=2024 --crate-type=staticlib --crate-name=t -Cpanic=abort -Ccodegen-units=1 \
                     -Crelocation-model=static -O lib.rs -o in.a";
    fixture.tool(&rustc, &arguments.split_whitespace().collect::<Vec<_>>());
    fixture.write(
        "main.c",
        "int names(void); int main(void) { return names(); }\n",
    );
}

/// Seals in.a with these options. Returns what `names` returns in a program that is linked with it.
fn returned(fixture: &Fixture, options: &[&str]) -> Option<i32> {
    let mut arguments = vec!["seal", "--archive", "in.a", "--out", "sealed.a"];
    arguments.extend(options);
    fixture.step(&arguments).succeeds();
    let link = "-no-pie -Wl,--gc-sections main.c sealed.a -o image";
    fixture.tool("gcc", &link.split_whitespace().collect::<Vec<_>>());
    let status = Command::new(fixture.path("image")).status();
    status.expect("the image").code()
}

#[test]
fn calls_of_the_symbolizer_come_to_nothing() {
    let fixture = Fixture::new();
    let function = "_ZN3std12backtrace_rs9symbolize5gimli7resolve17h508bc0237af9918dE";
    library_of_names(
        &fixture,
        &format!(
            "#[unsafe(no_mangle)]\nextern \"C\" fn sel4_rust_symbolizes_nothing() {{}}\n\
             #[unsafe(export_name = \"{function}\")]\n#[inline(never)]\n\
             extern \"C\" fn resolve(to: &mut u8) {{ unsafe {{ core::ptr::write_volatile(to, 7) }} }}\n\
             #[unsafe(no_mangle)]\npub extern \"C\" fn names() -> u8 {{ let mut n = 42; resolve(&mut n); n }}\n"
        ),
    );
    for (options, names, there) in [(&[][..], 7, true), (&["--no-symbolizer"], 42, false)] {
        assert_eq!(returned(&fixture, options), Some(names));
        assert_eq!(fixture.tool("nm", &["image"]).contains(function), there);
    }
}

#[test]
fn a_rust_archive_without_compiler_builtins_is_a_note() {
    let fixture = Fixture::new();
    library(&fixture);
    let members = fixture.tool("ar", &["t", "in.a"]);
    let builtins = members
        .lines()
        .filter(|name| name.starts_with("compiler_builtins-"));
    let arguments: Vec<&str> = ["d", "in.a"].into_iter().chain(builtins).collect();
    assert!(arguments.len() > 2, "{members}");
    fixture.tool("ar", &arguments);
    let outcome = seal(&fixture, "in.a", &["in.a"]).succeeds();
    assert!(
        outcome
            .stderr
            .starts_with("note: no member of `in.a` belongs to compiler_builtins"),
        "{}",
        outcome.stderr
    );
    assert_eq!(index(&fixture, "in.a"), index(&fixture, "sealed.a"));
}

#[test]
fn the_std_of_this_rustc_has_its_symbolizer_where_seal_looks_for_it() {
    let fixture = Fixture::new();
    fixture.write(
        "lib.rs",
        "#[unsafe(no_mangle)]\nextern \"C\" fn sel4_rust_symbolizes_nothing() {}\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn divide(a: i32, b: i32) -> i32 { a / b }\n",
    );
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let arguments = "--edition=2024 --crate-type=staticlib --crate-name=t -Clto=fat -Ccodegen-units=1 \
                     -Copt-level=s -Crelocation-model=static lib.rs -o in.a";
    fixture.tool(&rustc, &arguments.split_whitespace().collect::<Vec<_>>());
    fixture.write(
        "main.c",
        "int divide(int, int); int main(int n, char **arguments) { return divide(84, n + 1); }\n",
    );
    for (options, there) in [(&[][..], true), (&["--no-symbolizer"], false)] {
        let mut arguments = vec!["seal", "--archive", "in.a", "--out", "sealed.a"];
        arguments.extend(options);
        fixture.step(&arguments).succeeds();
        let link = "-no-pie -Wl,--gc-sections main.c sealed.a -lpthread -ldl -lm -o image";
        fixture.tool("gcc", &link.split_whitespace().collect::<Vec<_>>());
        let status = Command::new(fixture.path("image"))
            .status()
            .expect("the image");
        assert_eq!(status.code(), Some(42));
        let names = fixture.tool("nm", &["image"]);
        // The reader of DWARF, and the demangler of the names that it would find.
        for part in ["gimli", "rustc_demangle"] {
            assert_eq!(names.contains(part), there, "{part}, {options:?}:\n{names}");
        }
    }
}

#[test]
fn two_crates_that_export_one_name_are_refused_with_a_weak_definition_between_them() {
    let fixture = Fixture::new();
    library(&fixture);
    for (name, text) in [
        ("alpha", "int twice(void) { return 1; }\n"),
        (
            "beta",
            "__attribute__((weak)) int twice(void) { return 2; }\n",
        ),
        ("gamma", "int twice(void) { return 3; }\n"),
    ] {
        fixture.write("c.c", text);
        let member = format!("{name}-0123456789abcdef.{name}.rcgu.o");
        fixture.tool("gcc", &["-c", "c.c", "-o", &member]);
        fixture.tool("ar", &["qs", "in.a", &member]);
        if name == "beta" {
            // A weak definition gives way.
            seal(&fixture, "in.a", &[]).succeeds();
        }
    }
    seal(&fixture, "in.a", &[]).fails(
        "the crates `alpha` and `gamma` both export `twice`",
        "give one of the two another name",
    );
}

/// A function of std's symbolizer and another one in the same section, called from a third by the section's symbol.
#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_the_symbolizers_neighbours_stay() {
    let fixture = Fixture::new();
    let resolve = "_ZN3std12backtrace_rs9symbolize5gimli7resolve17h508bc0237af9918dE";
    library_of_names(
        &fixture,
        &format!(
            "core::arch::global_asm!(r#\"\n\
             .section .text.both,\"ax\",@progbits\n\
             .type neighbour,@function\nneighbour: addl $40, (%rdi); ret\n.size neighbour, . - neighbour\n\
             .type {resolve},@function\n{resolve}: addl $7, (%rdi); ret\n.size {resolve}, . - {resolve}\n\
             .section .text.nothing,\"ax\",@progbits\n.globl sel4_rust_symbolizes_nothing\n\
             .type sel4_rust_symbolizes_nothing,@function\nsel4_rust_symbolizes_nothing: ret\n\
             .section .text.names,\"ax\",@progbits\n.globl names\n.type names,@function\n\
             names: subq $24, %rsp; movl $2, 8(%rsp); leaq 8(%rsp), %rdi\n\
             call neighbour\ncall {resolve}\n\
             movl 8(%rsp), %eax; addq $24, %rsp; ret\n.text\n\"#, options(att_syntax));\n"
        ),
    );
    for (options, names) in [(&[][..], 49), (&["--no-symbolizer"], 42)] {
        assert_eq!(returned(&fixture, options), Some(names), "with {options:?}");
    }
}

/// Source of a crate with an export that the header step reads, and others that it does not see.
const EXPORTS: &str = r#"#![no_std]
pub extern "C" fn callback() {}
#[unsafe(no_mangle)] pub extern "C" fn seen(n: u32) -> u32 { n }
#[cfg_attr(all(), unsafe(no_mangle))] pub extern "system" fn seen_too(n: u32) -> u32 { n }
macro_rules! one { ($name:ident) => {
    #[unsafe(export_name = concat!("dev_", stringify!($name)))] pub extern "C" fn $name(n: u32) -> u32 { n }
    #[unsafe(no_mangle)] pub static LIMIT: u32 = 3;
} }
one!(open);
/// cbindgen:ignore
#[unsafe(no_mangle)] pub extern "C" fn kept(n: u32) -> u32 { n }
#[unsafe(no_mangle)] pub extern "Rust" fn rust_only(n: u32) -> u32 { n }
#[unsafe(no_mangle)] pub extern "C" fn _reserved(n: u32) -> u32 { n }
"#;

/// Builds `main` of `greeter` as a static library.
fn build_main(fixture: &Fixture, lto: bool) {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let deps = "cargo/ws/target/dev/deps";
    std::fs::create_dir_all(fixture.path(deps)).expect("a folder");
    // As cargo does it.
    let (of_greeter, of_main) = match lto {
        true => ("-Clinker-plugin-lto", "-Clto=fat"),
        false => ("-Copt-level=0", "-Copt-level=0"),
    };
    let flags = ["--edition=2024", "-Cpanic=abort"];
    let compile = |krate: &str, more: &[&str]| {
        let krate = format!("--crate-name={krate}");
        let names = ["-Cextra-filename=-0123", "--out-dir", deps, &krate];
        fixture.tool(&rustc, &[&flags[..], &names, more].concat());
    };
    compile(
        "greeter",
        &["--crate-type=lib", of_greeter, "greeter/src/lib.rs"],
    );
    let dependency = format!("greeter={deps}/libgreeter-0123.rlib");
    compile(
        "main",
        &[
            "--crate-type=staticlib",
            of_main,
            "--extern",
            &dependency,
            "main.rs",
        ],
    );
    let archive = fixture.path(&format!("{deps}/libmain-0123.a"));
    std::fs::rename(archive, fixture.path("libmain.a")).expect("the archive");
}

/// Seals `main` with the header of `greeter`.
fn seal_with_header(fixture: &Fixture, more: &[&str]) -> Outcome {
    let request = [
        "--archive",
        "libmain.a",
        "--out",
        "sealed.a",
        "--exports.headers",
        "include/greeter.h",
    ];
    let folder = ["--exports.target-folder", "cargo"];
    fixture.step(&[&["seal"], &request[..], &folder, more].concat())
}

#[test]
fn an_export_without_prototype_is_reported_by_its_name() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    fixture.write("greeter/src/lib.rs", EXPORTS);
    fixture.write(
        "main.rs",
        "#![no_std]\nextern crate greeter;\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
         #[unsafe(no_mangle)]\nextern \"C\" fn rust_eh_personality() {}\n",
    );
    crate::header::again(&fixture, &[]).succeeds();
    for lto in [true, false] {
        build_main(&fixture, lto);
        let said = seal_with_header(&fixture, &[]).succeeds().stderr;
        assert!(
            said.starts_with("warning: the generated headers have no prototype"),
            "{said}"
        );
        for name in ["LIMIT", "dev_open"] {
            assert!(
                said.contains(&format!("`{name}` of the crate `greeter`")),
                "{said}"
            );
        }
        for name in [
            "seen",
            "seen_too",
            "kept",
            "rust_only",
            "_reserved",
            "callback",
            "rust_eh",
        ] {
            assert!(!said.contains(&format!("`{name}")), "{said}");
        }
        seal_with_header(&fixture, &["--exports.check", "error"])
            .fails("`dev_open`", "-DRUST_EXPORT_CHECK=warn");
        let off = seal_with_header(&fixture, &["--exports.check", "off"]).succeeds();
        assert_eq!(off.stderr, "");
    }
    // What the author excludes is reported no more.
    fixture.write(
        "greeter/cbindgen.toml",
        "[export]\nexclude = [\"dev_open\", \"LIMIT\"]\n",
    );
    crate::header::again(&fixture, &["--config", "greeter/cbindgen.toml"]).succeeds();
    assert_eq!(seal_with_header(&fixture, &[]).succeeds().stderr, "");
}

#[test]
fn c_of_a_build_script_for_another_system_is_reported_with_the_crate() {
    let fixture = Fixture::new();
    library(&fixture);
    // Names as cc gives them, in the folder in which cargo has cc put them.
    let out = "cargo/workspace/target/debug/build/parser-0123456789abcdef/out";
    fixture.write(
        &format!("{out}/shim.c"),
        "long __isoc23_strtol(const char *, char **, int);\n\
         long shim(const char *text) { return __isoc23_strtol(text, 0, 10); }\n",
    );
    fixture.write(
        "libc.c",
        "void memcpy_(void) __asm__(\"memcpy\"); void memcpy_(void) {}\n",
    );
    let object = format!("{out}/0123-shim.o");
    fixture.tool("gcc", &["-c", &format!("{out}/shim.c"), "-o", &object]);
    fixture.tool("gcc", &["-c", "libc.c", "-o", "libc.o"]);
    fixture.tool("ar", &["rcs", "libc.a", "libc.o"]);
    fixture.tool("ar", &["qs", "in.a", &object]);
    let sealed = |more: &[&str]| {
        let arguments = ["seal", "--archive", "in.a", "--out", "sealed.a"];
        let folder = ["--exports.target-folder", "cargo"];
        fixture
            .step(&[&arguments[..], &folder, more].concat())
            .succeeds()
            .stderr
    };
    let said = sealed(&["--provided-by", "libc.a"]);
    let line = "warning: the build script of the crate `parser` has compiled `0123-shim.o` for another system: \
                it calls `__isoc23_strtol` of glibc, which the image does not have\nhelp: ";
    assert!(said.contains(line), "{said}");
    // A program for this machine has glibc, and so has who provides the name.
    assert!(!sealed(&[]).contains("another system"));

    // An object for another machine: the number of the architecture in its header differs.
    let mut bytes = std::fs::read(fixture.path(&object)).expect("an object");
    bytes[18] = if bytes[18] == 62 { 183 } else { 62 };
    fixture.write(&object, bytes);
    library(&fixture);
    fixture.tool("ar", &["qs", "in.a", &object]);
    let said = sealed(&[]);
    assert!(
        said.contains("`0123-shim.o` for another system: its code is for"),
        "{said}"
    );
}
