// SPDX-License-Identifier: BSD-2-Clause

//! Passes the configuration of the build to this crate as `cfg`s.

fn main() {
    let cfg = std::env::var("DEP_SEL4_CFG").expect("libsel4-kit-sys among the dependencies");
    println!("cargo::rerun-if-changed={cfg}");
    print!(
        "{}",
        std::fs::read_to_string(cfg).expect("the configuration of libsel4")
    );
}
