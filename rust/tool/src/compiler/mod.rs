// SPDX-License-Identifier: BSD-2-Clause

//! Facts about the C build that only its compiler knows: the Rust target that fits it, and where its own libraries are.
//!
//! The Rust target follows from the kernel's configuration and from the macros that the compiler predefines under the
//! flags of the executable: caller and callee must agree on the float ABI.

pub mod inline;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Failure, Result};

/// The C compiler of an executable, or of the folder that makes a library.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Compiler {
    /// Path of the compiler.
    pub program: PathBuf,
    /// Flags that it is called with, in order.
    #[serde(default)]
    pub flags: Vec<String>,
    /// `KernelSel4Arch` of the kernel's configuration.
    pub sel4_arch: String,
    /// Rust target that the platform prescribes, whatever the compiler says.
    pub platform_triple: Option<String>,
    /// Sysroot of rustc.
    pub sysroot: PathBuf,
    /// Call of `add_rust_library()` that asks for std, or the name of the build's library that did.
    pub std: Option<String>,
}

/// A request for the Rust target that fits a folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    compiler: Compiler,
}

/// Returns the target for `request`, as text for CMake.
///
/// # Errors
///
/// When no target fits, or the fitting one is not installed.
pub fn target(request: &Request) -> Result<String> {
    let (_, triple) = request.compiler.triples()?;
    request.compiler.installed(&triple)?;
    Ok(format!("TRIPLE={triple}\n"))
}

impl Compiler {
    /// Returns the Rust target that fits what the compiler makes, without std and as asked for.
    ///
    /// # Errors
    ///
    /// When the compiler does not run, or when no target fits.
    pub fn triples(&self) -> Result<(String, String)> {
        let plain = match &self.platform_triple {
            Some(triple) => triple.clone(),
            None => self.fitting()?,
        };
        let triple = match &self.std {
            Some(call) if self.platform_triple.is_none() => {
                with_std(&plain, call, &self.sel4_arch)?
            }
            _ => plain.clone(),
        };
        Ok((plain, triple))
    }

    /// Checks that rustc can compile for `triple`.
    ///
    /// # Errors
    ///
    /// When the target is not installed.
    pub fn installed(&self, triple: &str) -> Result<()> {
        let libraries = self.sysroot.join("lib/rustlib").join(triple).join("lib");
        if libraries.exists() {
            return Ok(());
        }
        Err(
            Failure::new(format!("the Rust target `{triple}` is not installed."))
                .help(format!("rustup target add {triple}")),
        )
    }

    /// Returns the file that the compiler finds when it is asked by `option`, such as `-print-libgcc-file-name`.
    #[must_use]
    pub fn file(&self, option: &str) -> Option<PathBuf> {
        let output = self.command(&[option]).output().ok()?;
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
        path.exists().then_some(path)
    }

    /// Returns whether C code takes aarch32's thread pointer from the register TPIDRURO. If so, inlined code must do the
    /// same; LLVM's way is a call of `__aeabi_read_tp`.
    #[must_use]
    pub fn reads_tpidruro(&self) -> bool {
        const SOURCE: &str = "void *thread_pointer(void) { return __builtin_thread_pointer(); }\n";
        if !["aarch32", "arm_hyp"].contains(&&*self.sel4_arch) {
            return false;
        }
        let assembly = tempfile::tempdir().ok().and_then(|folder| {
            let source = folder.path().join("thread-pointer.c");
            std::fs::write(&source, SOURCE).ok()?;
            let mut command = self.command(&["-S", "-o", "-"]);
            let output = command.arg(source).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        });
        let plain = assembly.unwrap_or_default();
        plain.lines().any(|line| {
            let line = line.replace(['#', ' ', '\t'], "").replace("0x", "");
            line.starts_with("mrcp15,0,r") && line.contains(",c13,c0,3")
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.flags).args(arguments);
        command
    }

    /// Returns the target without std, by the predefined macros.
    fn fitting(&self) -> Result<String> {
        let program = self.program.display();
        let output = self
            .command(&["-dM", "-E", "-x", "c", "/dev/null"])
            .output()
            .map_err(|error| {
                Failure::new(format!("cannot run the C compiler `{program}`: {error}"))
                    .help("check the C compiler of this build")
            })?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!(
                "`{program}` does not list its predefined macros: {}",
                stderr.trim_end()
            ))
            .help("check the C compiler of this build"));
        }
        let macros = String::from_utf8_lossy(&output.stdout);
        fitting(&self.sel4_arch, &macros).map_err(|seen| {
            Failure::new(format!(
                "no Rust target is known to fit this build ({seen}, C compiler `{program}`)."
            ))
            .help("build for aarch64, aarch32 (ARMv7 or later), riscv64, x86_64 or ia32, with the compiler for it")
        })
    }
}

/// Returns the target for an architecture of seL4 and predefined macros, or what was seen of them if none fits.
fn fitting(arch: &str, macros: &str) -> std::result::Result<String, String> {
    let value = |name: &str| {
        let mut lines = macros.lines();
        lines.find_map(|line| {
            let line = line.strip_prefix("#define ")?;
            let (known, value) = line.split_once(' ').unwrap_or((line, ""));
            (known == name).then_some(value)
        })
    };
    let has = |name: &str| value(name).is_some();
    let mut seen = format!("KernelSel4Arch={arch}");
    let triple = match arch {
        // -mgeneral-regs-only, which the build sets when the kernel has no FPU, undefines __ARM_FP.
        "aarch64" if has("__aarch64__") && has("__ARM_FP") => Some("aarch64-unknown-none"),
        "aarch64" if has("__aarch64__") => Some("aarch64-unknown-none-softfloat"),
        "aarch32" | "arm_hyp" => value("__ARM_ARCH").and_then(|version| {
            seen += &format!(", __ARM_ARCH={version}");
            let new = version.parse::<u32>().is_ok_and(|version| version >= 7);
            match (new, has("__ARM_PCS_VFP")) {
                (true, true) => Some("armv7a-none-eabihf"),
                (true, false) => Some("armv7a-none-eabi"),
                (false, _) => None,
            }
        }),
        "riscv32" | "riscv64" => {
            let abi = macros.lines().find_map(|line| {
                let line = line.strip_prefix("#define __riscv_float_abi_")?;
                line.split(' ').next()
            });
            abi.and_then(|abi| {
                seen += &format!(", float ABI {abi}");
                if !has("__riscv_compressed") {
                    seen += ", no compressed instructions";
                    return None;
                }
                match (arch, abi) {
                    ("riscv64", "double") => Some("riscv64gc-unknown-none-elf"),
                    ("riscv64", "soft") => Some("riscv64imac-unknown-none-elf"),
                    ("riscv32", "soft") => Some("riscv32imac-unknown-none-elf"),
                    _ => None,
                }
            })
        }
        // x86_64-unknown-none passes doubles in integer registers; C here does so only without SSE.
        "x86_64" if has("__x86_64__") && has("__SSE2__") => Some("x86_64-unknown-linux-musl"),
        "x86_64" if has("__x86_64__") => Some("x86_64-unknown-none"),
        "ia32" if has("__i386__") => Some("i686-unknown-linux-musl"),
        _ => None,
    };
    triple.map(str::to_owned).ok_or(seen)
}

/// Returns the target whose prebuilt std fits code for `triple`.
fn with_std(triple: &str, call: &str, arch: &str) -> Result<String> {
    let missing = match triple {
        "aarch64-unknown-none" => return Ok("aarch64-unknown-linux-musl".to_owned()),
        "x86_64-unknown-linux-musl" => return Ok(triple.to_owned()),
        _ if triple.starts_with("aarch64") => {
            "Rust has no prebuilt std for muslc without hard floats"
        }
        _ => "libsel4std, which it stands on, is written for aarch64 and x86_64",
    };
    Err(Failure::new(format!(
        "{call}: there is no std for KernelSel4Arch `{arch}` (`{triple}`): {missing}."
    ))
    .help(
        "build for aarch64 or x86_64 with hard floats, or leave STD out and make the crate #![no_std]",
    ))
}

/// Returns the host's target and LLVM's major version, by `rustc -vV`.
///
/// # Errors
///
/// When rustc does not run or does not say.
pub fn host(rustc: &Path) -> Result<(String, u32)> {
    let failed = |why: String| {
        Failure::new(format!("cannot run `{} -vV`: {why}", rustc.display()))
            .help("install Rust from https://rustup.rs")
    };
    let output = Command::new(rustc).arg("-vV").output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let after = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let host = after("host: ").map(str::to_owned);
    let llvm = after("LLVM version: ").and_then(|version| version.split('.').next()?.parse().ok());
    host.zip(llvm)
        .ok_or_else(|| failed("it does not name its host and LLVM".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_float_abi_chooses_the_target() {
        for (arch, macros, expected) in [
            (
                "aarch64",
                "__aarch64__ 1;__ARM_FP 14",
                "aarch64-unknown-none",
            ),
            ("aarch64", "__aarch64__ 1", "aarch64-unknown-none-softfloat"),
            (
                "aarch32",
                "__ARM_ARCH 7;__ARM_PCS_VFP 1",
                "armv7a-none-eabihf",
            ),
            ("arm_hyp", "__ARM_ARCH 8", "armv7a-none-eabi"),
            (
                "riscv64",
                "__riscv_float_abi_double 1;__riscv_compressed 1",
                "riscv64gc-unknown-none-elf",
            ),
            (
                "riscv32",
                "__riscv_float_abi_soft 1;__riscv_compressed 1",
                "riscv32imac-unknown-none-elf",
            ),
            (
                "x86_64",
                "__x86_64__ 1;__SSE2__ 1",
                "x86_64-unknown-linux-musl",
            ),
            ("x86_64", "__x86_64__ 1", "x86_64-unknown-none"),
            ("ia32", "__i386__ 1", "i686-unknown-linux-musl"),
        ] {
            assert_eq!(fitting(arch, &defined(macros)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_fits_no_target_is_said() {
        for (arch, macros, expected) in [
            ("pdp11", "", "KernelSel4Arch=pdp11"),
            ("aarch64", "__x86_64__ 1", "KernelSel4Arch=aarch64"),
            (
                "aarch32",
                "__ARM_ARCH 6",
                "KernelSel4Arch=aarch32, __ARM_ARCH=6",
            ),
            (
                "riscv64",
                "__riscv_float_abi_double 1",
                "KernelSel4Arch=riscv64, float ABI double, no compressed instructions",
            ),
        ] {
            assert_eq!(fitting(arch, &defined(macros)), Err(expected.to_owned()));
        }
    }

    fn defined(macros: &str) -> String {
        let macros = macros.split(';').filter(|text| !text.is_empty());
        macros.map(|text| format!("#define {text}\n")).collect()
    }
}
