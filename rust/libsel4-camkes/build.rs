// SPDX-License-Identifier: BSD-2-Clause

//! Finds the bindings of camkes.h that the build wrote for this instance. Without any, as in tests on the host, the
//! component has no interfaces.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=SEL4_CAMKES_DIR");
    let named = env::var_os("SEL4_CAMKES_DIR").filter(|dir| !dir.is_empty());
    let dir = named.map_or_else(without_interfaces, PathBuf::from);
    for file in ["bindings.rs", "camkes.rs"] {
        println!("cargo::rerun-if-changed={}", dir.join(file).display());
    }
    println!("cargo::rustc-env=SEL4_CAMKES_DIR={}", dir.display());
}

/// Writes bindings of a component without interfaces into the output folder.
fn without_interfaces() -> PathBuf {
    let dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let write = |name: &str, text: &str| {
        let path = Path::new(&dir).join(name);
        if let Err(error) = fs::write(&path, text) {
            println!("cargo::error=cannot write `{}`: {error}", path.display());
        }
    };
    write(
        "bindings.rs",
        "unsafe extern \"C\" {\n    /// Returns the name of this instance.\n    \
         pub fn get_instance_name() -> *const ::core::ffi::c_char;\n}\n",
    );
    write("camkes.rs", "");
    dir
}
