// SPDX-License-Identifier: BSD-2-Clause

//! The bundle that CMake asks for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::cargo::Cargo;
use crate::compiler::{Compiler, inline};
use crate::objects::witness;

/// The bundle that CMake asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Which cargo to ask. Its target is ignored if `compiler` is there.
    #[serde(default)]
    pub cargo: Cargo,
    /// C compiler and flags of the executable.
    pub compiler: Option<Compiler>,
    /// Mode of inlining C's functions, for the bundle that calls them.
    pub inline: Option<inline::Mode>,
    /// Path of objcopy.
    pub objcopy: Option<PathBuf>,
    /// The folder to write into.
    pub out: PathBuf,
    /// The bundle's package name.
    pub name: String,
    /// Settings of the build.
    pub profile: BundleProfile,
    /// Level up to which calls of the `log` crate are compiled in.
    pub log_level: LogLevel,
    /// The runtime crate.
    pub runtime: Runtime,
    /// The user's libraries.
    #[serde(default, rename = "library")]
    pub libraries: Vec<Library>,
    /// Further arguments of rustc.
    #[serde(default)]
    pub rustflags: Vec<String>,
    /// Names and values in the environment of the build.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Folder of the bindings of libsel4, for a bundle that uses them.
    pub bindings_dir: Option<String>,
    /// The executable, as CMake calls it.
    #[serde(default)]
    pub executable: String,
    /// Set if panics end the program even with std.
    #[serde(default)]
    pub panic_abort: bool,
    /// Set if panics with std print a backtrace, which names functions by the unwind tables and the line tables.
    #[serde(default)]
    pub backtrace: bool,
    /// Crates whose code may enter the kernel by instructions of its own.
    #[serde(default)]
    pub trap_crates: Vec<String>,
    /// The C library.
    pub libc: Option<PathBuf>,
    /// File to write the request of the step `seal` into.
    pub seal: Option<PathBuf>,
    /// Functions that C refers to weakly; see [`seal::Request::callbacks`](crate::objects::seal::Request::callbacks).
    #[serde(default)]
    pub callbacks: Vec<String>,
    /// Folder that cargo builds in.
    pub target_folder: Option<PathBuf>,
    /// Reaction to an export without a prototype.
    #[serde(default)]
    pub export_check: witness::Check,
}

impl Request {
    /// Returns whether Rust's std is in the executable: if so, panics unwind.
    #[must_use]
    pub fn std(&self) -> bool {
        self.libraries.iter().any(|library| library.std)
    }
}

/// The profiles a bundle has, one per CMake build type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BundleProfile {
    /// `Debug`.
    Dev,
    /// `Release`.
    Release,
    /// `RelWithDebInfo`.
    RelWithDebInfo,
    /// `MinSizeRel`.
    MinSizeRel,
}

impl BundleProfile {
    /// Returns whether images are made small, without what only debuggers read.
    pub(super) fn is_small(self) -> bool {
        matches!(self, Self::Release | Self::MinSizeRel)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
            Self::RelWithDebInfo => "relwithdebinfo",
            Self::MinSizeRel => "minsizerel",
        }
    }

    pub(super) fn base(self) -> &'static str {
        if self == Self::Dev { "dev" } else { "release" }
    }
}

/// Levels of the `log` crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are the log crate's own names")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(super) fn feature(self) -> &'static str {
        match self {
            Self::Off => "max_level_off",
            Self::Error => "max_level_error",
            Self::Warn => "max_level_warn",
            Self::Info => "max_level_info",
            Self::Debug => "max_level_debug",
            Self::Trace => "max_level_trace",
        }
    }
}

/// The runtime crate, libsel4-rt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Runtime {
    /// `Cargo.toml` of the package.
    pub manifest: PathBuf,
    /// `Cargo.lock` of the package's workspace.
    pub lock: PathBuf,
    /// The features to turn on, instead of the default ones. None: the default ones.
    #[serde(default)]
    pub features: Vec<String>,
    /// Those to turn on beside Rust's std.
    #[serde(default)]
    pub std_features: Vec<String>,
}

/// One `add_rust_library`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Library {
    /// The CMake target.
    pub target: String,
    /// The package.
    pub package: String,
    /// `Cargo.toml` of the package.
    pub manifest: PathBuf,
    /// `Cargo.lock` of the package's workspace.
    pub lock: PathBuf,
    /// The features to turn on.
    #[serde(default)]
    pub features: Vec<String>,
    /// Keeps the default features off.
    #[serde(default)]
    pub no_default_features: bool,
    /// The profile of its own workspace to take settings from.
    pub profile: Option<String>,
    /// Set if it uses Rust's std.
    #[serde(default)]
    pub std: bool,
    /// Its C header.
    pub header: Option<PathBuf>,
}
