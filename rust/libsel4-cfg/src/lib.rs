// SPDX-License-Identifier: BSD-2-Clause

//! The configuration of the kernel as `cfg`s, for build scripts.
//!
//! Cargo passes what libsel4-sys knows of the build only to crates that depend on it directly:
//!
//! ```toml
//! [dependencies]
//! libsel4-kit-sys = { path = "../sel4-rust-kit/rust/libsel4-sys" }
//!
//! [build-dependencies]
//! libsel4-cfg = { path = "../sel4-rust-kit/rust/libsel4-cfg" }
//! ```
//!
//! The function `main` of the build script `build.rs` is then one line:
//!
//! ```no_run
//! libsel4_cfg::emit();
//! ```
//!
//! `#[cfg(CONFIG_KERNEL_MCS)]` and `#[cfg(CONFIG_ARCH = "arm")]` mean what `#ifdef` means in C, and a name that
//! no configuration has is a warning.

/// Has cargo give the crate whose build script calls this each value of the kernel's and libsel4's
/// configuration as a `cfg`, and those of the C libraries in BINDS of `add_rust_library()`. The script runs again when a
/// configuration changes.
///
/// # Panics
///
/// If the crate neither depends on libsel4-kit-sys nor is built with BINDS, or a file that is named cannot be read.
pub fn emit() {
    println!("cargo::rerun-if-env-changed=SEL4_BINDS_CFG");
    let libraries = std::env::var_os("SEL4_BINDS_CFG").unwrap_or_default();
    let mut files: Vec<_> = std::env::split_paths(&libraries)
        .filter(|file| !file.as_os_str().is_empty())
        .collect();
    files.extend(std::env::var_os("DEP_SEL4_CFG").map(Into::into));
    assert!(
        !files.is_empty(),
        "no configuration of libsel4\nhelp: add libsel4-kit-sys to this crate's dependencies"
    );
    // Only the hosted platform sets it, so a kernel's configuration does not declare it.
    println!("cargo::rustc-check-cfg=cfg(CONFIG_PLAT_HOSTED)");
    for path in files {
        let path = path.display();
        println!("cargo::rerun-if-changed={path}");
        match std::fs::read_to_string(path.to_string()) {
            Ok(lines) => print!("{lines}"),
            Err(error) => {
                panic!("cannot read `{path}`: {error}\nhelp: build the project's bindings again")
            }
        }
    }
}
