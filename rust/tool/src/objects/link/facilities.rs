// SPDX-License-Identifier: BSD-2-Clause

//! Parts of Rust's std that seL4 does not support, recognised by the functions that they call.

/// Functions of C that each part of std calls, without the `64` that some end with.
const C: [(&str, &[&str]); 6] = [
    ("network", &["getaddrinfo", "gethostname", "socket"]),
    (
        "processes",
        &[
            "execve",
            "execvp",
            "fork",
            "kill",
            "posix_spawn",
            "posix_spawnp",
            "vfork",
            "waitid",
            "waitpid",
        ],
    ),
    (
        "signals",
        &[
            "pthread_sigmask",
            "raise",
            "sigaction",
            "signal",
            "sigprocmask",
        ],
    ),
    (
        "changes of files",
        &[
            "chmod",
            "chown",
            "copy_file_range",
            "fchmod",
            "fchown",
            "fdatasync",
            "flock",
            "fsync",
            "ftruncate",
            "futimens",
            "lchown",
            "link",
            "linkat",
            "mkdir",
            "mkfifo",
            "rename",
            "rmdir",
            "sendfile",
            "splice",
            "symlink",
            "truncate",
            "unlink",
            "unlinkat",
            "utimensat",
        ],
    ),
    ("another current folder", &["chdir", "chroot"]),
    (
        "watching of files",
        &["fanotify_init", "inotify_init", "inotify_init1", "signalfd"],
    ),
];

/// Path of the code in std that starts processes. It calls functions that stand for other parts elsewhere.
const STARTS_PROCESSES: &str = "std::sys::process::";

/// Functions of std that open a file for writing, which a call of C's `open` does not show. In an optimised build they may
/// be inlined and go unnoticed.
const RUST: [&str; 9] = [
    "std::fs::File::create",
    "std::fs::File::create_new",
    "std::fs::OpenOptions::append",
    "std::fs::OpenOptions::create",
    "std::fs::OpenOptions::create_new",
    "std::fs::OpenOptions::truncate",
    "std::fs::OpenOptions::write",
    "std::fs::copy",
    "std::fs::write",
];

/// Returns the unsupported part of std that a call of C's function `symbol` by `user` shows.
pub fn of_c(symbol: &str, user: Option<&str>) -> Option<&'static str> {
    let name = symbol.strip_suffix("64").unwrap_or(symbol);
    let (part, _) = C.iter().find(|(_, names)| names.contains(&name))?;
    let elsewhere =
        user.is_some_and(|user| user.replace(['<', '>'], "").starts_with(STARTS_PROCESSES));
    (*part == "processes" || !elsewhere).then_some(part)
}

/// Returns the unsupported part that std's function `path` belongs to. Paths are demangled symbols, such as
/// `<std::fs::File>::create::<&str>`.
pub fn of_rust(path: &str) -> Option<&'static str> {
    let path = path.replace(['<', '>'], "");
    let one = |known: &&str| {
        let rest = path.strip_prefix(*known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    RUST.iter().any(one).then_some("changes of files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_parts() {
        assert_eq!(of_c("socket", None), Some("network"));
        let starts = Some("<std::sys::process::unix::common::Command>::do_exec");
        assert_eq!(of_c("chdir", starts), None);
        assert_eq!(
            of_c("chdir", Some("std::env::set_current_dir")),
            Some("another current folder")
        );
        assert_eq!(of_c("execvp", starts), Some("processes"));
        assert_eq!(of_c("ftruncate64", None), Some("changes of files"));
        assert_eq!(of_c("open", None), None);
        assert_eq!(
            of_rust("<std::fs::File>::create::<&str>"),
            Some("changes of files")
        );
        assert_eq!(of_rust("std::fs::write::inner"), Some("changes of files"));
        assert_eq!(of_rust("std::fs::OpenOptions::open"), None);
        assert_eq!(of_rust("<std::fs::File>::created"), None);
    }
}
