// SPDX-License-Identifier: BSD-2-Clause

//! `link`: runs the linker of an executable with Rust's std in it, then checks the executable.
//!
//! | defect | effect |
//! |---|---|
//! | an object of muslc whose system call is an instruction | seL4 takes the number of Linux for one of its own |
//! | muslc has another version than the musl that Rust's std was built for | types and calls between them may differ |
//! | more pages and objects than the root CNode has slots | the kernel does not start the root server, or it makes no threads |
//! | use of parts of std that seL4 does not support | they return errors, or do nothing |
//!
//! `--gc-sections` leaves only reachable code in the image, so that the image itself shows the parts of std that it uses.

mod facilities;
mod map;
mod paths;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};

use crate::failure::{Failure, Result};
use crate::objects::archive::{Archive, read};

/// Inputs of the link check.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// The linker's command line, as the build has it.
    #[serde(skip)]
    pub command: Vec<String>,
    /// The Rust archive that the command links.
    pub archive: PathBuf,
    /// The C library that the command links.
    pub libc: PathBuf,
    /// The C library that Rust's std was made with.
    pub rust_libc: PathBuf,
    /// Slots of the root CNode, and how many of them are for other things than the image's pages and libsel4std's objects.
    pub slots: (u64, u64),
    /// Makes errors of warnings: of parts of std that are not implemented, and of C libraries of two versions.
    #[serde(default)]
    pub strict: bool,
}

const COMMAND: &str = "give the linker's whole command line after `--`";

/// Links and checks an executable.
///
/// # Errors
///
/// When the linker fails, when code of the executable makes system calls of Linux, when the root CNode has too few slots
/// for the image, and if `strict` when the C libraries have different versions or unsupported parts of std are used. The
/// executable is then removed.
pub fn link(request: &Request) -> Result<()> {
    let (program, arguments) = request
        .command
        .split_first()
        .ok_or_else(|| Failure::new("there is no linker to run").help(COMMAND))?;
    let output = arguments
        .iter()
        .skip_while(|argument| *argument != "-o")
        .nth(1)
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("the linker's command line has no `-o`").help(COMMAND))?;
    let scratch = tempfile::tempdir().map_err(|error| {
        Failure::new(format!("cannot make a temporary folder: {error}"))
            .help("free some space in it, or name another folder in TMPDIR")
    })?;
    // A map that the project asks for serves here as well.
    let (map, own) = match map::asked_for(arguments) {
        Some(map) => (map, None),
        None => {
            let map = scratch.path().join("map");
            let option = format!("-Wl,-Map={}", map.display());
            (map, Some(option))
        }
    };
    let status = Command::new(program)
        .args(arguments)
        .args(own)
        .status()
        .map_err(|error| {
            Failure::new(format!("cannot run the linker `{program}`: {error}"))
                .help("configure a fresh build folder, so that CMake looks for the compiler again")
        })?;
    if !status.success() {
        return Err(
            Failure::new(format!("`{}` was not linked", output.display()))
                .help("the linker's own message is above"),
        );
    }
    check(request, &output, &map).inspect_err(|_| {
        // The check has failed already, and the next build links anew even if the file stays.
        let _ = fs::remove_file(&output);
    })
}

fn check(request: &Request, output: &Path, map: &Path) -> Result<()> {
    if let Some(failure) = different_version(&request.libc, &request.rust_libc)? {
        if request.strict {
            return Err(failure);
        }
        eprintln!("{}", failure.to_string().replacen("error", "warning", 1));
    }
    let map = fs::read(map).map_err(|error| Failure::io("read", map, &error))?;
    map::no_traps(&String::from_utf8_lossy(&map), &request.libc)?;

    let bytes = read(output)?;
    let image = object::File::parse(&*bytes).map_err(|error| {
        Failure::new(format!(
            "`{}` is not an ELF file: {error}",
            output.display()
        ))
        .help(
            "link an ELF executable, or switch this check off: configure with -DRUST_STD_CHECK=off",
        )
    })?;
    enough_slots(output, &image, request.slots)?;
    let archive = read(&request.archive)?;
    let archive = Archive::parse(&request.archive, &archive)?;
    let Some(missing) = paths::missing(&image, &archive) else {
        return Ok(());
    };
    let message = format!(
        "`{}` uses parts of Rust's std that are not implemented on seL4; they return errors or do nothing:\n{missing}",
        output.display()
    );
    if request.strict {
        return Err(Failure::new(message).help(
            "remove the calls; or, if the program handles the errors, configure with -DRUST_STD_CHECK=warn",
        ));
    }
    eprintln!(
        "warning: {message}\nhelp: remove the calls; -DRUST_STD_CHECK=error makes this an error, and -DRUST_STD_CHECK=off silences it"
    );
    Ok(())
}

/// Symbol of libsel4std, whose value is the number of slots that it reserves (`objects.c`).
const RESERVED: &str = "sel4std_slots";

/// Refuses an image with more pages and objects than slots. The kernel puts capabilities of each page, and of the tables that
/// map them, into the root CNode.
fn enough_slots(path: &Path, image: &object::File<'_>, (slots, others): (u64, u64)) -> Result<()> {
    const PAGE: u64 = 4096;
    const PAGES_OF_A_TABLE: u64 = 512;
    const TABLES_ABOVE: u64 = 3;
    let start = image.segments().map(|segment| segment.address()).min();
    let end = image
        .segments()
        .map(|segment| segment.address() + segment.size())
        .max();
    let pages = end.unwrap_or(0).div_ceil(PAGE) - start.unwrap_or(0) / PAGE;
    let reserved = (image.symbols())
        .find(|symbol| symbol.name() == Ok(RESERVED))
        .map_or(0, |symbol| symbol.address());
    let others = others + reserved + pages / PAGES_OF_A_TABLE + TABLES_ABOVE;
    if pages + others <= slots {
        return Ok(());
    }
    let bits = (pages + others).next_power_of_two().ilog2();
    Err(Failure::new(format!(
        "`{}` has {pages} pages, each of which takes a slot of the root CNode, and {others} more are needed; KernelRootCNodeSizeBits is `{}`, {slots} slots",
        path.display(),
        slots.ilog2()
    ))
    .help(format!(
        "configure a fresh build folder with -DKernelRootCNodeSizeBits={bits}, or with smaller -DRUST_STD_MEMORY= and -DRUST_STD_GROWTH="
    )))
}

/// Compares the version of muslc with that of the musl that Rust's std was made with. `None` if they agree.
fn different_version(libc: &Path, rust_libc: &Path) -> Result<Option<Failure>> {
    let ours = version(libc)?;
    let rusts = match version(rust_libc) {
        Ok(rusts) if rusts == ours => return Ok(None),
        Ok(rusts) => rusts,
        Err(failure) => return Ok(Some(failure)),
    };
    let failure = Failure::new(format!(
        "muslc has version `{ours}`, but Rust's std for this target was built with musl `{rusts}`, `{}`",
        rust_libc.display()
    ));
    Ok(Some(failure.help(
        "use a muslc and a Rust with the same version of musl; to build anyway, configure with -DRUST_STD_CHECK=off and test well",
    )))
}

/// The version that a musl of an archive says it is of.
fn version(path: &Path) -> Result<String> {
    const SYMBOL: &str = "__libc_version";
    let bytes = read(path)?;
    let archive = Archive::parse(path, &bytes)?;
    let text = || {
        let member = archive.member_of(SYMBOL.as_bytes())?;
        let object = object::File::parse(member).ok()?;
        let symbol = object
            .symbols()
            .find(|symbol| symbol.name() == Ok(SYMBOL))?;
        let section = object.section_by_index(symbol.section_index()?).ok()?;
        let text = section.data().ok()?.get(symbol.address() as usize..)?;
        let text = text.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    text().ok_or_else(|| {
        Failure::new(format!(
            "`{}` is not musl: it has no `{SYMBOL}`",
            path.display()
        ))
        .help("Rust's std for this target needs musllibc as the C library")
    })
}
