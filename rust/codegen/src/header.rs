//! x
use std::path::PathBuf;
/// r
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Request {
    pub manifest: PathBuf,
    pub package: String,
    pub out: PathBuf,
    pub depfile: PathBuf,
    pub config: Option<PathBuf>,
    pub sys_includes: Vec<String>,
    pub features: Vec<String>,
    pub default_features: bool,
}
/// w
pub fn write(_r: &Request, _c: &crate::cargo::Cargo) -> crate::failure::Result<()> {
    Ok(())
}
