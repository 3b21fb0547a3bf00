// SPDX-License-Identifier: BSD-2-Clause

//! `link`: an executable is linked, and what is wrong with it is told.

use crate::fixture::{Fixture, Outcome};

fn archive(fixture: &Fixture, name: &str, sources: &[(&str, &str)]) {
    let mut objects = Vec::new();
    for (source, text) in sources {
        fixture.write(&format!("{source}.c"), text);
        let object = format!("{source}.o");
        let file = format!("{source}.c");
        fixture.tool(
            "gcc",
            &[
                "-c",
                "-fno-pie",
                "-ffunction-sections",
                &file,
                "-o",
                &object,
            ],
        );
        objects.push(object);
    }
    let mut arguments = vec!["rcs", name];
    arguments.extend(objects.iter().map(String::as_str));
    fixture.tool("ar", &arguments);
}

/// A program whose C calls Rust, whose C library is two functions and a version.
fn program(fixture: &Fixture, main: &str) {
    fixture.write("main.c", main);
    fixture.write(
        "lib.rs",
        "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
         #[unsafe(no_mangle)]\nextern \"C\" fn rust_eh_personality() {}\n\
         unsafe extern \"C\" { fn socket(n: i32) -> i32; fn write(n: i32) -> i32; }\n\
         mod net { #[inline(never)] pub fn open(n: i32) -> i32 { unsafe { super::socket(n) + 1 } } }\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn serve(n: i32) -> i32 { net::open(n) + 1 }\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn say(n: i32) -> i32 { unsafe { write(n) + 1 } }\n",
    );
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let arguments = "--edition=2024 --crate-type=staticlib --crate-name=t -Cpanic=abort -Crelocation-model=static -O \
                     lib.rs -o rust.a";
    fixture.tool(&rustc, &arguments.split_whitespace().collect::<Vec<_>>());
    let version = "const char __libc_version[] = \"1.2.5\";\n";
    archive(
        fixture,
        "libc.a",
        &[
            ("socket", "int socket(int n) { return n; }\n"),
            ("write", "int write(int n) { return n; }\n"),
            ("vfork", "int vfork(void) { return 1; }\n"),
            ("version", version),
        ],
    );
    archive(fixture, "same.a", &[("version", version)]);
    archive(
        fixture,
        "older.a",
        &[("version", "const char __libc_version[] = \"1.2.3\";\n")],
    );
    archive(
        fixture,
        "other.a",
        &[("write", "int write(int n) { return n; }\n")],
    );
}

/// Options of every row: more slots than any image here needs.
const SLOTS: [&str; 4] = ["--slots", "65536", "--slots", "300"];

fn link(fixture: &Fixture, rust_libc: &str, options: &[&str]) -> Outcome {
    let mut arguments = vec![
        "link",
        "--archive",
        "rust.a",
        "--libc",
        "libc.a",
        "--rust-libc",
        rust_libc,
    ];
    arguments.extend(SLOTS);
    arguments.extend(options);
    let command = "-- gcc -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--entry=main main.c rust.a libc.a -o image";
    arguments.extend(command.split_whitespace());
    fixture.step(&arguments)
}

const SAYS: &str = "int say(int); int main(void) { return say(1); }\n";
const SERVES: &str = "int serve(int); int main(void) { return serve(1); }\n";

#[test]
fn what_uses_nothing_that_is_missing_is_linked_in_silence() {
    let fixture = Fixture::new();
    program(&fixture, SAYS);
    let outcome = link(&fixture, "same.a", &["--strict"]).succeeds();
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("", ""));
    assert!(fixture.path("image").exists());
}

#[test]
fn what_is_missing_is_told_with_the_way_there() {
    let fixture = Fixture::new();
    program(&fixture, SERVES);
    let outcome = link(&fixture, "same.a", &[]);
    assert_eq!(outcome.code, Some(0));
    let text = &outcome.stderr;
    assert!(
        text.starts_with("warning: `image` uses parts of Rust's std"),
        "{text}"
    );
    assert!(
        text.contains("\n  network\n    t::net::open → socket\n"),
        "{text}"
    );
    assert!(fixture.path("image").exists());
}

#[test]
fn what_is_missing_can_be_an_error_and_leaves_no_image() {
    let fixture = Fixture::new();
    program(&fixture, SERVES);
    link(&fixture, "same.a", &["--strict"])
        .fails("`image` uses parts of Rust's std", "-DRUST_STD_CHECK=warn");
    assert!(!fixture.path("image").exists());
}

#[test]
fn two_versions_of_musl_are_refused() {
    let fixture = Fixture::new();
    program(&fixture, SAYS);
    let says = "muslc has version `1.2.5`, but Rust's std for this target was built with musl `1.2.3`, `older.a`";
    link(&fixture, "older.a", &["--strict"]).fails(says, "-DRUST_STD_CHECK=off");
    link(&fixture, "other.a", &["--strict"]).fails("`other.a` is not musl", "musllibc");
    assert!(!fixture.path("image").exists());

    // A later Rust with another musl breaks no build that does not ask for it.
    for (rust_libc, says) in [("older.a", says), ("other.a", "`other.a` is not musl")] {
        let outcome = link(&fixture, rust_libc, &[]);
        assert_eq!(outcome.code, Some(0));
        let text = &outcome.stderr;
        assert!(text.starts_with(&format!("warning: {says}")), "{text}");
        assert!(text.contains("\nhelp: "), "{text}");
    }
}

#[test]
fn an_object_that_traps_is_refused() {
    let fixture = Fixture::new();
    program(
        &fixture,
        "int vfork(void); int main(void) { return vfork(); }\n",
    );
    link(&fixture, "same.a", &[]).fails(
        "`vfork.o` of libc.a would be in the image",
        "do not exist on seL4",
    );
    assert!(!fixture.path("image").exists());
}

#[test]
fn more_pages_than_slots_are_refused() {
    let fixture = Fixture::new();
    program(
        &fixture,
        "int say(int); static char much[1 << 20]; int main(void) { much[say(1)] = 1; return much[2]; }\n",
    );
    link(&fixture, "same.a", &[]).succeeds();
    let command = "link --archive rust.a --libc libc.a --rust-libc same.a --slots 512 --slots 300 -- \
                   gcc -nostdlib -static -no-pie -Wl,--entry=main main.c rust.a libc.a -o image";
    let arguments: Vec<_> = command.split_whitespace().collect();
    fixture.step(&arguments).fails(
        "303 more are needed; KernelRootCNodeSizeBits is `9`, 512 slots",
        "-DKernelRootCNodeSizeBits=10",
    );
    assert!(!fixture.path("image").exists());
    // The image says how many slots libsel4std reserves.
    program(
        &fixture,
        "int say(int); asm(\".globl sel4std_slots\\n.set sel4std_slots, 300\"); int main(void) { return say(1); }\n",
    );
    fixture.step(&arguments).fails(
        "603 more are needed; KernelRootCNodeSizeBits is `9`, 512 slots",
        "-DRUST_STD_GROWTH=",
    );
}

#[test]
fn a_linker_that_fails_speaks_for_itself() {
    let fixture = Fixture::new();
    program(
        &fixture,
        "int nowhere(void); int main(void) { return nowhere(); }\n",
    );
    link(&fixture, "same.a", &[]).fails(
        "undefined reference to `nowhere'",
        "the linker's own message is above",
    );
}

#[test]
fn a_map_that_the_project_asks_for_is_the_one_that_is_read() {
    let fixture = Fixture::new();
    program(&fixture, SAYS);
    link(&fixture, "same.a", &[]).succeeds();
    let mut arguments =
        "link --archive rust.a --libc libc.a --rust-libc same.a --slots 65536 --slots 300 -- gcc -nostdlib -static -no-pie \
        -Wl,--entry=main,--gc-sections -Wl,-Map=own.map main.c rust.a libc.a -o image"
            .split_whitespace()
            .collect::<Vec<_>>();
    fixture.step(&arguments).succeeds();
    assert!(fixture.path("own.map").exists());
    arguments.truncate(arguments.len() - 2);
    fixture.step(&arguments).fails("no `-o`", "");
    fixture.step(&arguments[..11]).fails("no linker", "");
}
