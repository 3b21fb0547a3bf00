// SPDX-License-Identifier: BSD-2-Clause

//! The tools that inline C's functions into Rust: clang, which compiles the wrappers of libsel4-sys to LLVM's code, and
//! the linker of LLVM that comes with rustc.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{Compiler, host};
use crate::failure::{Failure, Result};

/// The value of `RUST_INLINE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Inline where it can be done.
    Auto,
    /// Inline, or fail.
    On,
    /// Call C's functions.
    Off,
}

/// Tools and flags for inlining.
#[derive(Debug)]
pub struct Inliner {
    /// Path of clang.
    pub clang: PathBuf,
    /// Path of LLVM's linker.
    pub lld: PathBuf,
    /// Flags for clang: those of the C build, as far as they count for code.
    pub flags: Vec<String>,
}

/// Finds the tools, or says why they cannot be used.
///
/// # Errors
///
/// When `mode` is `ON` and they cannot be used, or rustc does not run.
pub fn find(
    mode: Mode,
    compiler: &Compiler,
    triple: &str,
    debug: bool,
    objcopy: Option<&Path>,
) -> Result<std::result::Result<Inliner, String>> {
    if mode == Mode::Off {
        return Ok(Err("RUST_INLINE is OFF".to_owned()));
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let found = if debug {
        Err("a debug build".to_owned())
    } else {
        look(compiler, triple, Path::new(&rustc), objcopy)?
    };
    match found {
        Err(why) if mode == Mode::On => Err(Failure::new(format!(
            "RUST_INLINE is ON, but C cannot be inlined into Rust here: {why}."
        ))
        .help("configure with -DRUST_INLINE=AUTO")),
        found => Ok(found),
    }
}

fn look(
    compiler: &Compiler,
    triple: &str,
    rustc: &Path,
    objcopy: Option<&Path>,
) -> Result<std::result::Result<Inliner, String>> {
    /// Oldest clang whose code was tried.
    const OLDEST: u32 = 14;
    let tried = ["aarch64", "arm", "i686", "riscv64", "x86_64"];
    if !tried.iter().any(|arch| triple.starts_with(arch)) {
        return Ok(Err(format!("not tested for {triple}")));
    }
    let (host, newest) = host(rustc)?;
    let lld = compiler.sysroot.join("lib/rustlib").join(host);
    let lld = lld.join("bin/rust-lld");
    let numbered = (OLDEST..=newest)
        .rev()
        .map(|major| format!("clang-{major}"));
    let mut names = std::iter::once("clang".to_owned()).chain(numbered);
    let Some(clang) = names.find_map(|name| on_path(&name)) else {
        return Ok(Err("clang is not installed".to_owned()));
    };
    if !lld.exists() || objcopy.is_none() {
        return Ok(Err("rust-lld or objcopy is missing".to_owned()));
    }
    let version = output(Command::new(&clang).arg("-dumpversion"));
    let version = version.unwrap_or_default().trim_end().to_owned();
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    let Some(major) = major.filter(|major| (OLDEST..=newest).contains(major)) else {
        return Ok(Err(format!(
            "clang has version {version}, and rustc reads the output of {OLDEST} to {newest}"
        )));
    };
    let flags = flags(&compiler.flags, triple, major);
    let mut trial = Command::new(&clang);
    trial.args(&flags).args([
        "-emit-llvm",
        "-c",
        "-x",
        "c",
        "/dev/null",
        "-o",
        "/dev/null",
    ]);
    let inliner = Inliner { clang, lld, flags };
    Ok(output(&mut trial).map(|_| inliner))
}

/// Returns the C build's flags for clang, less what only steers gcc's warnings and output.
fn flags(given: &[String], triple: &str, major: u32) -> Vec<String> {
    let counts = |flag: &&String| {
        let flag = flag.strip_prefix('-').unwrap_or_default();
        flag.starts_with(['D', 'O', 'f', 'g', 'm']) || flag.starts_with("nostdinc")
    };
    let mut flags: Vec<String> = given
        .iter()
        .filter(counts)
        .map(|flag| match &**flag {
            // rustc writes DWARF 4, and GNU's tools do not read it mixed with 5.
            "-g" | "-g0" | "-g1" | "-g2" | "-g3" => "-gdwarf-4".to_owned(),
            // To old ones the extensions are a part of the base.
            march if major < 17 && march.starts_with("-march=rv") => {
                march.replace("_zicsr", "").replace("_zifencei", "")
            }
            other => other.to_owned(),
        })
        .collect();
    let (arch, rest) = triple.split_once('-').unwrap_or((triple, ""));
    let arch = if arch.starts_with("riscv64") {
        "riscv64"
    } else {
        arch
    };
    let rest = rest.replace("-softfloat", "");
    flags.push(format!("--target={arch}-{rest}"));
    // As images are linked; and no vector registers where C code names none.
    for flag in [
        "-std=gnu11",
        "-ftls-model=local-exec",
        "-mno-implicit-float",
        "-w",
    ] {
        flags.push(flag.to_owned());
    }
    flags
}

/// Returns the program of this name on `PATH`.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Runs a command; returns its output, or the first line of what it said when it failed.
fn output(command: &mut Command) -> std::result::Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clang_gets_the_flags_that_count_for_code() {
        let given = [
            "-g",
            "-Wall",
            "-O2",
            "-nostdinc",
            "-march=rv64imac_zicsr_zifencei",
            "-std=c99",
        ];
        let given = given.map(str::to_owned);
        let old = flags(&given, "riscv64imac-unknown-none-elf", 14).join(" ");
        assert_eq!(
            old,
            "-gdwarf-4 -O2 -nostdinc -march=rv64imac --target=riscv64-unknown-none-elf -std=gnu11 \
             -ftls-model=local-exec -mno-implicit-float -w"
        );
        let new = flags(&given, "aarch64-unknown-none-softfloat", 17);
        assert!(
            new.contains(&"--target=aarch64-unknown-none".to_owned()),
            "{new:?}"
        );
        assert!(new.contains(&given[4]), "{new:?}");
    }
}
