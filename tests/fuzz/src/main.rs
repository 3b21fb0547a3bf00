// SPDX-License-Identifier: BSD-2-Clause

//! Runs the targets with the inputs in `corpus/` and with mutations of them.
//!
//! ```text
//! readers [--seed N] [--times N] [NAME…]   a run; --times multiplies its length
//! readers --export FOLDER                  the corpus for cargo-fuzz, a file for each input
//! readers --line FILE                      an input that cargo-fuzz found, as a line for corpus/NAME
//! ```

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use readers::{TARGETS, Target};

/// Time limit of one input, beyond which a reader counts as hanging: milliseconds on an idle machine, far less than this
/// on a busy one.
const LONG: Duration = Duration::from_secs(100);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(|word| &**word).collect();
    match &words[..] {
        ["--export", folder] => export(Path::new(folder)),
        ["--line", file] => println!("{}", line_of(&fs::read(file).expect("a file"))),
        _ => return feed(&words),
    }
    ExitCode::SUCCESS
}

fn feed(words: &[&str]) -> ExitCode {
    let (mut seed, mut times, mut names) = (1_u64, 1, Vec::new());
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let mut number = || {
            words
                .next()
                .and_then(|word| word.parse().ok())
                .expect("a number")
        };
        match word {
            "--seed" => seed = number(),
            "--times" => times = number(),
            name => names.push(name),
        }
    }
    let known = |name: &&&str| readers::find(name).is_none();
    if let Some(unknown) = names.iter().find(known) {
        eprintln!(
            "error: unknown target `{unknown}`\nhelp: the targets are in tests/fuzz/src/lib.rs"
        );
        return ExitCode::from(2);
    }
    // bindgen's panics are caught by the code under test; others are reported below.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = false;
    for target in TARGETS {
        if names.is_empty() || names.contains(&target.name) {
            failed |= !feed_one(target, seed, times);
        }
    }
    ExitCode::from(u8::from(failed))
}

/// Runs one target. Prints the number of inputs, or the input that failed.
fn feed_one(target: &Target, seed: u64, times: u64) -> bool {
    let seeds = seeds(target);
    let mut random = Random(seed);
    let start = Instant::now();
    let inputs = target.inputs * usize::try_from(times).unwrap_or(1);
    let more = std::iter::repeat_with(|| mutated(&seeds, &mut random)).take(inputs);
    for input in seeds.iter().cloned().chain(more) {
        let began = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| (target.read)(&input)));
        let why = match done {
            Err(panic) => message(&*panic),
            Ok(()) if began.elapsed() > LONG => format!("took {:?}", began.elapsed()),
            Ok(()) => continue,
        };
        println!("{}: {why}\n  the input: {}", target.name, line_of(&input));
        return false;
    }
    let all = seeds.len() + inputs;
    println!(
        "{}: {all} inputs in {:.1} s",
        target.name,
        start.elapsed().as_secs_f64()
    );
    true
}

fn message(panic: &dyn std::any::Any) -> String {
    let text = panic.downcast_ref::<String>().map(|text| &**text);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a message"))
}

/// Returns the inputs in `corpus/` for a target.
fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut seeds: Vec<Vec<u8>> = lines.map(bytes_of).collect();
    if target.name == "archive" {
        seeds.extend(archives());
    }
    seeds
}

/// Makes small archives like those of rustc, with the host's C compiler and archiver.
fn archives() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let status = command.args(arguments).current_dir(folder.path()).status();
        assert!(
            status.expect("a C compiler and ar").success(),
            "{program} {arguments:?}"
        );
    };
    let objects = [
        "a-1.a.x.rcgu.o",
        "b-2.b.x.rcgu.o",
        "compiler_builtins-3.c.rcgu.o",
    ];
    for (object, code) in objects.iter().zip([
        "int one(void) { return 1; }",
        "int one(void); int two(void) { return one(); } __attribute__((weak)) int three;",
        "void *memcpy(void *to, const void *from, unsigned long n) { return n ? to : (void *)from; }",
    ]) {
        fs::write(folder.path().join("x.c"), code).expect("a file");
        run("cc", &["-O1", "-c", "x.c", "-o", object]);
    }
    run(
        "ar",
        &["rcsD", "whole.a", objects[0], objects[1], objects[2]],
    );
    run("ar", &["rcsD", "small.a", objects[0], objects[2]]);
    run("ar", &["rcSD", "unindexed.a", objects[2]]);
    let mut found = Vec::new();
    for name in ["whole.a", "small.a", "unindexed.a"] {
        let archive = fs::read(folder.path().join(name)).expect("an archive");
        found.extend([0, 1, 4].map(|choice| [&[choice], &*archive].concat()));
    }
    found
}

/// Returns a mutation of an input of the corpus.
fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = random.choose(seeds).clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + 1 + random.below(12)).min(input.len());
        match random.below(7) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => {
                input[at] = *random.choose(&[0, 1, 9, 10, 34, 92, 127, 128, 255])
            }
            2 => drop(input.drain(at.min(end)..end)),
            3 => {
                let again = input[at.min(end)..end].to_vec();
                drop(input.splice(at..at, again));
            }
            4 => input.truncate(at.max(1)),
            5 => input.insert(at, random.next() as u8),
            _ => {
                // A piece of another one.
                let other = random.choose(seeds);
                let from = random.below(other.len() + 1);
                let to = (from + 1 + random.below(40)).min(other.len());
                drop(input.splice(at..at, other[from.min(to)..to].iter().copied()));
            }
        }
    }
    input
}

/// Pseudo-random numbers by splitmix64: the same numbers from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn choose<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn export(folder: &Path) {
    for target in TARGETS {
        let folder: PathBuf = folder.join(target.name);
        fs::create_dir_all(&folder).expect("a folder");
        for (number, input) in seeds(target).iter().enumerate() {
            fs::write(folder.join(number.to_string()), input).expect("a file");
        }
    }
}

/// Bytes as a line of text.
fn line_of(bytes: &[u8]) -> String {
    let mut line = String::new();
    for &byte in bytes {
        match byte {
            b'\n' => line += "\\n",
            b'\\' => line += "\\\\",
            b' '..=b'~' if !(line.is_empty() && byte == b'#') => line.push(byte.into()),
            _ => line += &format!("\\x{byte:02x}"),
        }
    }
    line
}

fn bytes_of(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            other => other.expect("something behind the backslash"),
        });
    }
    bytes
}
