// SPDX-License-Identifier: BSD-2-Clause

//! Reading with std: files and folders of an archive, standard input, the environment; and calls that fail.

use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::process::exit;

/// Opens a file, and says what came of it.
///
/// # Safety
/// `name` must be a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn files_opens(name: *const c_char) {
    // SAFETY: the caller gives a C string.
    let name = unsafe { CStr::from_ptr(name) }.to_str().unwrap_or_default();
    println!(
        "{:?}",
        File::open(name).map_err(|error| error.kind()).map(|_| name)
    );
}

/// Ends the program from a thread that is not the first.
#[unsafe(no_mangle)]
pub extern "C" fn files_ends() {
    println!("The program ends");
    let _ = std::thread::spawn(|| exit(3)).join();
}

/// Shows each facility on a line of its own.
#[unsafe(no_mangle)]
pub extern "C" fn files_shows() {
    let shows: [fn() -> io::Result<()>; 8] = [
        folders,
        metadata,
        reading,
        seeking,
        many,
        refused,
        standard_input,
        surroundings,
    ];
    for show in shows {
        if let Err(error) = show() {
            println!("WRONG: {error}");
        }
    }
}

fn folders() -> io::Result<()> {
    for folder in ["/", "poems", "./poems//old/"] {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let mark = if entry.file_type()?.is_dir() { "/" } else { "" };
            names.push(entry.file_name().into_string().unwrap_or_default() + mark);
        }
        println!("{folder} has {names:?}");
    }
    let kinds = ["nothing", "lines.txt", ""]
        .map(|name| fs::read_dir(name).map(|_| ()).map_err(|error| error.kind()));
    println!("no folders: {kinds:?}");
    Ok(())
}

fn metadata() -> io::Result<()> {
    let (file, folder) = (
        fs::metadata("/poems/old/winter.txt")?,
        fs::metadata("poems/old")?,
    );
    println!(
        "winter.txt: {} bytes, file {}, readonly {}, from after 2020 {}; old: folder {}",
        file.len(),
        file.is_file(),
        file.permissions().readonly(),
        file.modified()?
            .duration_since(std::time::UNIX_EPOCH)
            .is_ok_and(|time| time.as_secs() > 1_577_836_800),
        folder.is_dir()
    );
    println!(
        "{} {} {}",
        fs::canonicalize("poems/./spring.txt")?.display(),
        fs::exists("poems/spring.txt")?,
        fs::exists("poems/summer.txt")?
    );
    Ok(())
}

fn reading() -> io::Result<()> {
    let lines: Vec<_> = io::BufReader::new(File::open("lines.txt")?)
        .lines()
        .collect::<Result<_, _>>()?;
    let mut part = [0; 4];
    File::open("lines.txt")?.read_exact_at(&mut part, 5)?;
    let copied = io::copy(&mut File::open("poems/autumn.txt")?, &mut io::stdout())?;
    println!(
        "{lines:?}, at 5 {:?}, {copied} copied, {} in empty",
        part.escape_ascii().to_string(),
        fs::read("empty")?.len()
    );
    let mut folder = File::open("poems")?;
    println!(
        "a folder as a file: {:?}",
        folder.read(&mut part).map_err(|error| error.kind())
    );
    Ok(())
}

fn seeking() -> io::Result<()> {
    let mut file = File::open("lines.txt")?;
    let places = [
        file.seek(SeekFrom::End(-5))?,
        file.seek(SeekFrom::Current(1))?,
        file.seek(SeekFrom::Start(1 << 40))?,
    ];
    let mut rest = Vec::new();
    let beyond = file.read_to_end(&mut rest)?;
    let before = file
        .seek(SeekFrom::Current(-(1 << 41)))
        .map_err(|error| error.kind());
    file.seek(SeekFrom::Start(15))?;
    file.read_to_end(&mut rest)?;
    println!(
        "{places:?}, {beyond} beyond the end, {before:?} before the start, {:?}",
        rest.escape_ascii().to_string()
    );
    Ok(())
}

/// More files than can be open, and that a file that is dropped makes room.
fn many() -> io::Result<()> {
    for _ in 0..2 {
        let mut open = Vec::new();
        let error = loop {
            match File::open("empty") {
                Ok(file) => open.push(file),
                Err(error) => break error,
            }
        };
        println!("{} files are open, then: {error}", open.len());
    }
    Ok(())
}

fn refused() -> io::Result<()> {
    let file = File::open("lines.txt")?;
    let answers = [
        File::create("new.txt").map(|_| ()),
        (&file).write_all(b"text"),
        file.set_len(0),
        fs::write("lines.txt", "text"),
        fs::remove_file("lines.txt"),
        fs::rename("lines.txt", "new.txt"),
        fs::create_dir("folder"),
        fs::remove_dir("poems"),
        fs::hard_link("lines.txt", "new.txt"),
        fs::set_permissions("lines.txt", file.metadata()?.permissions()),
        std::env::set_current_dir("poems"),
        file.try_clone().map(|_| ()),
    ];
    println!(
        "{:?}",
        answers.map(|answer| answer.map_err(|error| error.kind()))
    );
    Ok(())
}

fn standard_input() -> io::Result<()> {
    let lines: Vec<_> = io::stdin().lines().collect::<Result<_, _>>()?;
    println!(
        "{lines:?}, and then {}",
        io::stdin().read_line(&mut String::new())?
    );
    Ok(())
}

fn surroundings() -> io::Result<()> {
    let words: HashMap<_, _> = [("one", 1), ("two", 2)].into();
    println!(
        "{} words, folder {}, arguments {:?}, stack {:?}, nothing {:?}",
        words.len(),
        std::env::current_dir()?.display(),
        std::env::args().collect::<Vec<_>>(),
        std::env::var("RUST_MIN_STACK"),
        std::env::var("NOTHING")
    );
    Ok(())
}
