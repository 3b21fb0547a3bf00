// SPDX-License-Identifier: BSD-2-Clause

//! Gives this crate the configuration of the build as `cfg`s, and what only some releases of seL4 have.

use std::path::Path;

/// Functions that not all releases have: `cfg(sel4_has = "…")` says that this libsel4 has it.
const NOT_EVERYWHERE: [&str; 4] = [
    "seL4_DomainSet_ScheduleConfigure",
    "seL4_DomainSet_ScheduleSetStart",
    "seL4_IRQControl_IssueSGISignal",
    "seL4_TCB_SetFlags",
];

/// Configuration values that only some architectures or releases declare.
const CONFIGURATION: &str = "CONFIG_ARCH_ARM, CONFIG_ARCH_RISCV, CONFIG_ARCH_X86, CONFIG_ALLOW_SMC_CALLS, \
    CONFIG_ARM_HYPERVISOR_SUPPORT, CONFIG_ARM_SMMU, CONFIG_TK1_SMMU, CONFIG_IOMMU, CONFIG_KERNEL_X86_DANGEROUS_MSR, CONFIG_VTX";

fn main() {
    println!("cargo::rustc-check-cfg=cfg({CONFIGURATION})");
    libsel4_cfg::emit();
    refuse_a_shared_ipc_buffer();
    let dir = std::env::var("DEP_SEL4_DIR").expect("libsel4-kit-sys among the dependencies");
    let bindings = bindings(Path::new(&dir));
    for name in NOT_EVERYWHERE {
        println!("cargo::rustc-check-cfg=cfg(sel4_has, values(\"{name}\"))");
        if bindings.contains(&format!("fn {name}(")) {
            println!("cargo::rustc-cfg=sel4_has=\"{name}\"");
        }
    }
}

/// Refuses a libsel4 without thread-locals, where all threads share one IPC buffer. Old releases have no
/// such option, and the hosted platform finds each thread's buffer in its own way.
fn refuse_a_shared_ipc_buffer() {
    const OPTION: &str = "CONFIG_LIB_SEL4_USE_THREAD_LOCALS";
    let path = std::env::var("DEP_SEL4_CFG").unwrap_or_default();
    let cfg = std::fs::read_to_string(path).unwrap_or_default();
    let has = |kind, name| {
        cfg.lines()
            .any(|line| line.starts_with(&format!("cargo::{kind}{name}")))
    };
    if has("rustc-check-cfg=cfg(", OPTION)
        && !has("rustc-cfg=", OPTION)
        && !has("rustc-cfg=", "CONFIG_PLAT_HOSTED")
    {
        println!(
            "cargo::error=libsel4 keeps one IPC buffer for all threads: configure with -DLibSel4UseThreadLocals=ON"
        );
    }
}

/// All Rust that libsel4-sys is made of in this build.
fn bindings(dir: &Path) -> String {
    let files = std::fs::read_dir(dir).expect("the folder of the bindings of libsel4");
    let paths = files.flatten().map(|file| file.path());
    let sources = paths.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    sources
        .map(|path| {
            println!("cargo::rerun-if-changed={}", path.display());
            std::fs::read_to_string(path).expect("the bindings of libsel4")
        })
        .collect()
}
