//! x
/// s
pub fn seal(
    _a: &std::path::Path,
    _o: &std::path::Path,
    _p: &[std::path::PathBuf],
) -> crate::failure::Result<()> {
    Ok(())
}
