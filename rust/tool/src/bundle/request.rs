// SPDX-License-Identifier: BSD-2-Clause

//! What CMake asks for.

use std::path::PathBuf;

/// What CMake asks for.
#[derive(Debug)]
pub struct Request {
    /// The folder to write into.
    pub out: PathBuf,
    /// The bundle's package name.
    pub name: String,
    /// How to build it.
    pub profile: BundleProfile,
    /// What of the `log` crate's calls is compiled in.
    pub log_level: LogLevel,
    /// The runtime crate.
    pub runtime: Runtime,
    /// The user's libraries.
    pub libraries: Vec<Library>,
    /// What rustc is told besides.
    pub rustflags: Vec<String>,
    /// Names and values in the environment of the build.
    pub environment: Vec<(String, String)>,
    /// Where the bindings of libsel4 will be, for the bundle that wants them.
    pub bindings_dir: Option<String>,
    /// Whether Rust's std is in the executable, and with it panics that unwind.
    pub std: bool,
    /// Whether panics end the program even so.
    pub panic_abort: bool,
}

/// The profiles a bundle has, one per CMake build type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    const ALL: [Self; 4] = [
        Self::Dev,
        Self::Release,
        Self::RelWithDebInfo,
        Self::MinSizeRel,
    ];

    /// The one that is called so.
    ///
    /// # Errors
    ///
    /// When none is.
    pub fn named(name: &str) -> std::result::Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|profile| profile.name() == name)
            .ok_or_else(|| format!("a bundle has no profile `{name}`"))
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    const ALL: [Self; 6] = [
        Self::Off,
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    /// The one that is called so.
    ///
    /// # Errors
    ///
    /// When none is.
    pub fn named(name: &str) -> std::result::Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|level| level.feature().strip_prefix("max_level_") == Some(name))
            .ok_or_else(|| format!("the log crate has no level `{name}`"))
    }

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
#[derive(Debug)]
pub struct Runtime {
    /// Its `Cargo.toml`.
    pub manifest: PathBuf,
    /// Its workspace's lock.
    pub lock: PathBuf,
    /// The features to turn on, instead of the default ones. None: the default ones.
    pub features: Vec<String>,
}

/// One `add_rust_library`.
#[derive(Debug)]
pub struct Library {
    /// The CMake target.
    pub target: String,
    /// The package.
    pub package: String,
    /// Its `Cargo.toml`.
    pub manifest: PathBuf,
    /// Its workspace's lock.
    pub lock: PathBuf,
    /// The features to turn on.
    pub features: Vec<String>,
    /// Whether its default features are on.
    pub default_features: bool,
    /// The profile of its own workspace to take settings from.
    pub profile: Option<String>,
}

impl Library {
    /// A library of which nothing is said yet but its name in CMake.
    #[must_use]
    pub fn new(target: String) -> Self {
        Self {
            target,
            package: String::new(),
            manifest: PathBuf::new(),
            lock: PathBuf::new(),
            features: Vec::new(),
            default_features: true,
            profile: None,
        }
    }
}
