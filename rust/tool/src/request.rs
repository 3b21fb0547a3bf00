// SPDX-License-Identifier: BSD-2-Clause

//! Requests of CMake: one TOML file for one step.

use std::ffi::OsString;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::output;

/// Reasons for which nothing was done: the exit code is 2 and the usage is shown, or it is 1.
#[derive(Debug)]
pub enum Stop {
    /// Command line or request that is not understood.
    Misuse(String),
    /// Work that failed.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Reads the request that is the only argument.
///
/// # Errors
///
/// When there are other arguments, when the file cannot be read, or when it is not a request of type `T`.
pub fn alone<T: DeserializeOwned>(arguments: &[OsString]) -> Result<T, Stop> {
    let [path] = arguments else {
        return Err(Stop::Misuse(
            "a step takes one argument, the file of its request".to_owned(),
        ));
    };
    let path = Path::new(path);
    let text = output::read(path)?;
    toml::from_str(&text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        let line = 1 + text.get(..place).unwrap_or_default().matches('\n').count();
        Stop::Misuse(format!("{}:{line}: {}", path.display(), error.message()))
    })
}
