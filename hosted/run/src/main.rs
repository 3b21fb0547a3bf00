// SPDX-License-Identifier: BSD-2-Clause

//! Runs the root server of a build for x86_64 on the hosted platform: `sel4-hosted-run IMAGE FACTS`.
//!
//! IMAGE is the root server, an ELF file. FACTS is a text file with facts of the build, one a line:
//! `label NAME NUMBER` for invocations, `config NAME VALUE` for the kernel's configuration.
//! `tools/run/hosted.py` writes it.

mod elf;

use std::process::ExitCode;
use std::{env, fs};

use sel4_hosted::unmodified::Program;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let program = match arguments.as_slice() {
        [image, facts] => program(image, facts),
        _ => Err(
            "expected an image and the facts of its build\nhelp: tools/run/hosted.py BUILD".into(),
        ),
    };
    match program {
        Ok(program) => sel4_hosted::run_program(program),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn program(image: &str, facts: &str) -> Result<Program, String> {
    let read = |file: &str| {
        fs::read(file).map_err(|error| {
            format!("cannot read `{file}`: {error}\nhelp: build it first, with ninja")
        })
    };
    let mut program = elf::read(&read(image)?).map_err(|what| {
        format!("`{image}` {what}\nhelp: give the root server of a build for x86_64")
    })?;
    for (number, line) in String::from_utf8_lossy(&read(facts)?).lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["label", name, label] => {
                let label = label.parse().map_err(|_| format!("`{facts}`, line {}: `{label}` is not a number\nhelp: run tools/run/hosted.py BUILD, which writes this file", number + 1))?;
                program.labels.push(((*name).into(), label));
            }
            ["config", name, value @ ..] => program.config.push(((*name).into(), value.join(" "))),
            _ => {
                return Err(format!(
                    "`{facts}`, line {}: cannot read `{line}`\nhelp: run tools/run/hosted.py BUILD, which writes this file",
                    number + 1
                ));
            }
        }
    }
    Ok(program)
}
