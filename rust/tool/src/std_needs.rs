// SPDX-License-Identifier: BSD-2-Clause

//! What must be configured for Rust's std in a root server: variables of CMake, checked before anything is built.

use std::collections::BTreeMap;

use crate::failure::{Failure, Result};

/// Values of CMake's variables that are defined, by name.
pub type Variables = BTreeMap<String, String>;

/// Largest `RUST_STD_GROWTH`: libsel4std reserves one slot and one index for each large page.
const MOST_GROWTH: u64 = 1 << 30;
/// Smallest stack of `main`: what std itself needs for messages and threads, and as much again.
const LEAST_MAIN_STACK: u64 = 64 << 10;
/// The kernel puts a capability of each page of an image into the root CNode.
const PAGE: u64 = 4096;

/// Checks the configuration for `call`, which asks for std.
///
/// # Errors
///
/// When an option is not a number in its range or not one of its choices, or when the kernel or muslc are configured
/// without what std needs.
pub fn check(variables: &Variables, call: &str) -> Result<()> {
    let text = |name: &str| variables.get(name).map_or("", String::as_str);
    let is_true = |name: &str| !is_false(text(name));
    if is_true("KernelArchARM") && !is_true("KernelArmExportVCNTUser") {
        return Err(Failure::new(format!(
            "{call}: KernelArmExportVCNTUser is `{}`, and std's clock reads that counter.",
            text("KernelArmExportVCNTUser")
        ))
        .help("configure a fresh build folder with -DKernelArmExportVCNTUser=ON"));
    }
    if let Some(off) = variables.get("LibSel4UseThreadLocals")
        && is_false(off)
    {
        return Err(Failure::new(format!(
            "{call}: LibSel4UseThreadLocals is `{off}`, so that threads would share one IPC buffer."
        ))
        .help("configure a fresh build folder with -DLibSel4UseThreadLocals=ON"));
    }
    let above_zero = |name: &str| {
        number(text(name))
            .filter(|value| *value > 0)
            .ok_or_else(|| {
                Failure::new(format!(
                    "{name} is `{}`; it must be a number above 0.",
                    text(name)
                ))
                .help(format!("configure with -D{name}= a number"))
            })
    };
    let memory = above_zero("RUST_STD_MEMORY")?;
    let stack = above_zero("RUST_STD_STACK")?;
    above_zero("RUST_STD_THREADS")?;
    if stack >= memory {
        return Err(Failure::new(format!(
            "{call}: RUST_STD_STACK is `{stack}`, and such a stack does not fit into the `{memory}` bytes of RUST_STD_MEMORY."
        ))
        .help("configure with a smaller -DRUST_STD_STACK= or a larger -DRUST_STD_MEMORY="));
    }
    let main_stack = stack.max(number(text("Sel4RuntimeRootStack")).unwrap_or(0));
    if main_stack < LEAST_MAIN_STACK {
        return Err(Failure::new(format!(
            "{call}: main() has a stack of `{main_stack}` bytes, the larger of RUST_STD_STACK and Sel4RuntimeRootStack, and std needs {LEAST_MAIN_STACK}."
        ))
        .help(format!("configure with -DSel4RuntimeRootStack={LEAST_MAIN_STACK} or more, or a larger -DRUST_STD_STACK=")));
    }
    let growth = text("RUST_STD_GROWTH");
    if number(growth).is_none_or(|bytes| bytes > MOST_GROWTH) {
        return Err(Failure::new(format!(
            "RUST_STD_GROWTH is `{growth}`; it must be a number from 0 to {MOST_GROWTH}, 1 GiB."
        ))
        .help("configure with -DRUST_STD_GROWTH= a number"));
    }
    let panic = text("RUST_STD_PANIC");
    if !["unwind", "abort"].contains(&panic) {
        return Err(Failure::new(format!("RUST_STD_PANIC is `{panic}`."))
            .help("configure with -DRUST_STD_PANIC= one of: unwind, abort"));
    }
    let fault = text("RUST_STD_FAULT");
    if !["stop", "exit"].contains(&fault) {
        return Err(Failure::new(format!("RUST_STD_FAULT is `{fault}`."))
            .help("configure with -DRUST_STD_FAULT= one of: stop, exit"));
    }
    // Known here are the memory of std and that of malloc; the step `link` sees the whole image.
    let morecore = number(text("LibSel4MuslcSysMorecoreBytes")).unwrap_or(0);
    let pages = memory.saturating_add(morecore) / PAGE;
    let bits = number(text("KernelRootCNodeSizeBits")).filter(|bits| *bits < 64);
    if let Some(bits) = bits
        && pages >= 1 << bits
    {
        return Err(Failure::new(format!(
            "{call}: KernelRootCNodeSizeBits is `{bits}`, {} slots, and the pages of RUST_STD_MEMORY and LibSel4MuslcSysMorecoreBytes alone take {pages}.",
            1_u64 << bits
        ))
        .help("configure a fresh build folder with a larger -DKernelRootCNodeSizeBits=, or a smaller -DRUST_STD_MEMORY="));
    }
    Ok(())
}

/// Returns the number that consists of these digits.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Returns whether CMake's `if()` takes the value for false.
fn is_false(value: &str) -> bool {
    let value = value.to_ascii_uppercase();
    ["", "0", "OFF", "NO", "FALSE", "N", "IGNORE", "NOTFOUND"].contains(&&*value)
        || value.ends_with("-NOTFOUND")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the defaults with other values of some variables; returns what is refused.
    fn refused(others: &[(&str, &str)]) -> Option<String> {
        let defaults = [
            ("KernelArchARM", "ON"),
            ("KernelArmExportVCNTUser", "ON"),
            ("KernelRootCNodeSizeBits", "13"),
            ("LibSel4MuslcSysMorecoreBytes", "1048576"),
            ("LibSel4UseThreadLocals", "ON"),
            ("RUST_STD_MEMORY", "4194304"),
            ("RUST_STD_STACK", "131072"),
            ("RUST_STD_THREADS", "16"),
            ("RUST_STD_GROWTH", "0"),
            ("RUST_STD_PANIC", "unwind"),
            ("RUST_STD_FAULT", "stop"),
        ];
        let variables = defaults.iter().chain(others);
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let failure = check(&variables.collect(), "add_rust_library(x STD)").err();
        failure.map(|failure| failure.to_string())
    }

    #[test]
    fn a_configuration_without_what_std_needs_is_refused() {
        assert_eq!(refused(&[]), None);
        assert_eq!(
            refused(&[("KernelArchARM", ""), ("KernelArmExportVCNTUser", "OFF")]),
            None
        );
        assert_eq!(refused(&[("RUST_STD_GROWTH", "1073741824")]), None);
        let small = [
            ("RUST_STD_STACK", "16384"),
            ("Sel4RuntimeRootStack", "65536"),
        ];
        assert_eq!(refused(&small), None);
        for (name, value, says) in [
            ("KernelArmExportVCNTUser", "OFF", "std's clock reads"),
            ("LibSel4UseThreadLocals", "no", "share one IPC buffer"),
            ("RUST_STD_MEMORY", "4M", "RUST_STD_MEMORY is `4M`"),
            ("RUST_STD_MEMORY", "131072", "does not fit into the"),
            ("RUST_STD_MEMORY", "33554432", "alone take 8448"),
            ("RUST_STD_STACK", "0", "must be a number above 0"),
            (
                "RUST_STD_STACK",
                "16384",
                "main() has a stack of `16384` bytes",
            ),
            ("RUST_STD_THREADS", "many", "-DRUST_STD_THREADS="),
            ("RUST_STD_GROWTH", "1073741825", "from 0 to 1073741824"),
            ("RUST_STD_GROWTH", "", "RUST_STD_GROWTH is ``"),
            ("RUST_STD_PANIC", "ignore", "one of: unwind, abort"),
            ("RUST_STD_FAULT", "report", "one of: stop, exit"),
        ] {
            let text = refused(&[(name, value)]).unwrap_or_default();
            assert!(text.contains(says), "{name}={value}: {text}");
        }
    }
}
