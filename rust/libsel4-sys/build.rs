// SPDX-License-Identifier: BSD-2-Clause

//! Finds the bindings that `sel4-rust bindings` wrote for this build, or runs it. If no environment
//! variable names a libsel4, uses that of the hosted platform, provided the target is hosted.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    if let Err(message) = run() {
        println!("cargo::error={message}");
    }
}

fn run() -> Result<(), String> {
    let dir = match variable("SEL4_SYS_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => match (
            variable("SEL4_INCLUDE_DIRS"),
            env::var_os("DEP_SEL4_HOSTED_DIR"),
        ) {
            (None, Some(hosted)) => PathBuf::from(hosted),
            (includes, _) => generate(includes)?,
        },
    };
    let cfg = dir.join("cfg");
    let lines = std::fs::read_to_string(&cfg).map_err(|error| {
        format!("cannot read `{}`: {error}; SEL4_SYS_DIR names a folder that `sel4-rust bindings` wrote", cfg.display())
    })?;
    print!("{lines}");
    for file in ["bindings.rs", "config.rs", "cfg"] {
        watch(&dir.join(file));
    }
    plain_calls(&dir, &lines);
    println!("cargo::rustc-env=SEL4_SYS_DIR={}", dir.display());
    // For the build scripts of dependants, as DEP_SEL4_CFG and DEP_SEL4_DIR.
    println!("cargo::metadata=CFG={}", cfg.display());
    println!("cargo::metadata=DIR={}", dir.display());
    Ok(())
}

/// Takes functions of Rust in the place of some of C's, where a build says that C's are called and not inlined.
fn plain_calls(dir: &Path, cfg: &str) {
    println!("cargo::rustc-check-cfg=cfg(reads_ipc_buffer, passes_words)");
    let file = dir.join("calls");
    let Ok(calls) = std::fs::read_to_string(&file) else {
        return;
    };
    watch(&file);
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    // There C passes fewer words in registers.
    if calls.trim() != "plain" || architecture == "x86" {
        return;
    }
    println!("cargo::rustc-cfg=passes_words");
    let known = ["aarch64", "arm", "riscv64", "x86_64"].contains(&&*architecture);
    if known && cfg.contains("cargo::rustc-cfg=CONFIG_LIB_SEL4_USE_THREAD_LOCALS") {
        println!("cargo::rustc-cfg=reads_ipc_buffer");
    }
}

/// Without a build system, runs the generator into this crate's output folder.
fn generate(includes: Option<OsString>) -> Result<PathBuf, String> {
    let Some(includes) = includes else {
        return Err("no libsel4 is named: build through CMake with add_rust_library(), or set SEL4_SYS_DIR (a folder that `sel4-rust bindings` wrote), or SEL4_INCLUDE_DIRS and SEL4_CONFIG_JSON".into());
    };
    let out = PathBuf::from(variable("OUT_DIR").unwrap_or_default());
    let tool = variable("SEL4_RUST_TOOL").unwrap_or_else(|| "sel4-rust".into());
    let target = variable("SEL4_TARGET").or_else(|| variable("TARGET"));
    let include = env::split_paths(&includes).collect();
    let system = list("SEL4_SYSTEM_INCLUDE_DIRS");
    let defines = variable("SEL4_DEFINES").unwrap_or_default();
    let defines = defines.to_string_lossy();
    // Literal strings of TOML, in which nothing is escaped.
    let text = |value: &OsStr| format!("'''{}'''", value.to_string_lossy());
    let mut request = format!("out = {}\n", text(out.as_os_str()));
    request += &format!("target = {}\n", text(&target.unwrap_or_default()));
    for (key, paths) in [
        ("include-dirs", &include),
        ("system-include-dirs", &system),
        ("configs", &list("SEL4_CONFIG_JSON")),
    ] {
        paths.iter().for_each(|path| watch(path));
        let items: Vec<String> = paths.iter().map(|path| text(path.as_os_str())).collect();
        request += &format!("{key} = [{}]\n", items.join(", "));
    }
    let items: Vec<String> = defines
        .split_whitespace()
        .map(|define| text(define.as_ref()))
        .collect();
    request += &format!("defines = [{}]\n", items.join(", "));
    let file = out.join("request.toml");
    std::fs::write(&file, request)
        .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    let mut command = Command::new(&tool);
    command.arg("bindings").arg(&file);
    succeed(&mut command, "name the program in SEL4_RUST_TOOL")?;

    if let Some(compiler) = variable("SEL4_CC") {
        compile(&out, &compiler, [include, system].concat(), &defines)?;
    }
    Ok(out)
}

/// Compiles the C wrappers, and writes the archive that Rust links.
fn compile(
    out: &Path,
    compiler: &OsString,
    includes: Vec<PathBuf>,
    defines: &str,
) -> Result<(), String> {
    let flags = variable("SEL4_CFLAGS").unwrap_or_default();
    let mut archive = Command::new(variable("SEL4_AR").unwrap_or_else(|| "ar".into()));
    archive.arg("rcsD").arg(out.join("libsel4_sys_wrappers.a"));
    for source in ["wrappers", "layout"] {
        let object = out.join(source).with_extension("o");
        let mut command = Command::new(compiler);
        command
            .args(flags.to_string_lossy().split_whitespace())
            .args(
                defines
                    .split_whitespace()
                    .map(|define| format!("-D{define}")),
            )
            .args(
                includes
                    .iter()
                    .flat_map(|dir| ["-I".as_ref(), dir.as_os_str()]),
            )
            .args(["-w", "-ffunction-sections", "-c", "-o"])
            .arg(&object)
            .arg(out.join(source).with_extension("c"));
        succeed(
            &mut command,
            "name the C compiler of the image in SEL4_CC and its flags in SEL4_CFLAGS",
        )?;
        archive.arg(object);
    }
    succeed(&mut archive, "name the archiver in SEL4_AR")?;
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=static=sel4_sys_wrappers");
    Ok(())
}

fn succeed(command: &mut Command, help: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|error| format!("cannot run `{program}`: {error}; {help}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!(
            "`{program}` failed ({status}); its messages are above"
        ))
    }
}

/// Returns an environment variable that is set and not empty. Its changes run this script again.
fn variable(name: &str) -> Option<OsString> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var_os(name).filter(|value| !value.is_empty())
}

fn list(name: &str) -> Vec<PathBuf> {
    let paths = variable(name).unwrap_or_default();
    let given = |path: &PathBuf| !path.as_os_str().is_empty();
    env::split_paths(&paths).filter(given).collect()
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
