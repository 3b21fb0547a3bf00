// SPDX-License-Identifier: BSD-2-Clause

//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;

use crate::cargo::Cargo;
use crate::failure::Result;
use crate::{bindings, bundle, check, header, seal};

const USAGE: &str = "\
usage: sel4-rust-codegen crate  --manifest-path Cargo.toml [--package NAME]
       sel4-rust-codegen bundle --spec FILE.json --out FOLDER
       sel4-rust-codegen header --manifest-path Cargo.toml --package NAME --out FILE.h --depfile FILE.d
                                [--config cbindgen.toml] [--sys-include FILE.h]...
                                [--features A,B]... [--no-default-features]
       sel4-rust-codegen bindings --target TRIPLE --out FOLDER [--depfile FILE.d]
                                --include-dir DIR... [--system-include-dir DIR]... [--define NAME[=VALUE]]...
                                [--header sel4/sel4.h]... [--config gen_config.json]...
       sel4-rust-codegen seal   --archive IN.a --out OUT.a [--provided-by LIB.a]...
                                [--inlined OBJECT.o] [--no-unwind-tables]

crate, bundle and header also take --cargo PROGRAM (default: $CARGO, or cargo)
and --target TRIPLE (without it the dependencies of every platform count).
";

/// Subcommands and those of their options that may be given more than once.
const REPEATABLE: [(&str, &str); 8] = [
    ("header", "sys-include"),
    ("header", "features"),
    ("bindings", "include-dir"),
    ("bindings", "system-include-dir"),
    ("bindings", "define"),
    ("bindings", "header"),
    ("bindings", "config"),
    ("seal", "provided-by"),
];

/// Runs the tool with the arguments of a process, the program's name first.
/// The exit code is 0, 1 when the work failed, and 2 when it was not understood.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match parse(arguments) {
        Ok(Command::Help) => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(command) => match command.execute() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("{failure}");
                ExitCode::from(1)
            }
        },
        Err(misuse) => {
            eprint!("error: {misuse}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

enum Command {
    Help,
    Crate {
        manifest: PathBuf,
        package: Option<String>,
        cargo: Cargo,
    },
    Bundle {
        spec: PathBuf,
        out: PathBuf,
        cargo: Cargo,
    },
    Header {
        request: header::Request,
        cargo: Cargo,
    },
    Bindings(bindings::Request),
    Seal {
        archive: PathBuf,
        out: PathBuf,
        provided_by: Vec<PathBuf>,
        inlined: Option<PathBuf>,
        unwind_tables: bool,
    },
}

impl Command {
    fn execute(self) -> Result<()> {
        match self {
            Self::Help => Ok(()),
            Self::Crate {
                manifest,
                package,
                cargo,
            } => {
                let facts = check::check(&manifest, package.as_deref(), &cargo)?;
                print!("{facts}");
                Ok(())
            }
            Self::Bundle { spec, out, cargo } => {
                for library in bundle::write(&spec, &out, &cargo)? {
                    println!("LINKS={library}");
                }
                Ok(())
            }
            Self::Header { request, cargo } => header::write(&request, &cargo),
            Self::Bindings(request) => bindings::write(&request),
            Self::Seal {
                archive,
                out,
                provided_by,
                inlined,
                unwind_tables,
            } => seal::seal(
                &archive,
                &out,
                &provided_by,
                inlined.as_deref(),
                unwind_tables,
            ),
        }
    }
}

type Misuse = lexopt::Error;

fn parse(arguments: impl IntoIterator<Item = OsString>) -> std::result::Result<Command, Misuse> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    let name = match parser.next()? {
        Some(Value(name)) => name.string()?,
        Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(other) => return Err(other.unexpected()),
        None => return Err("a subcommand is missing".into()),
    };
    let own: &[&str] = match &*name {
        "crate" => &["manifest-path", "package", "cargo", "target"],
        "bundle" => &["spec", "out", "cargo", "target"],
        "header" => &[
            "manifest-path",
            "package",
            "out",
            "depfile",
            "config",
            "sys-include",
            "features",
            "no-default-features",
            "cargo",
            "target",
        ],
        "bindings" => &[
            "target",
            "out",
            "depfile",
            "include-dir",
            "system-include-dir",
            "define",
            "header",
            "config",
        ],
        "seal" => &[
            "archive",
            "out",
            "provided-by",
            "inlined",
            "no-unwind-tables",
        ],
        "help" => return Ok(Command::Help),
        other => return Err(format!("there is no subcommand `{other}`").into()),
    };
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        let option = match argument {
            Long(option) if own.contains(&option) => option.to_owned(),
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        };
        if ["no-default-features", "no-unwind-tables"].contains(&&*option) {
            given.flags.push(option);
            continue;
        }
        let value = parser.value()?;
        let repeatable = REPEATABLE.contains(&(&*name, &*option));
        if !repeatable && given.values.iter().any(|(known, _)| *known == option) {
            return Err(format!("--{option} is given twice").into());
        }
        given.values.push((option, value));
    }
    Ok(match &*name {
        "crate" => Command::Crate {
            manifest: given.need("manifest-path")?.into(),
            package: given.text("package")?,
            cargo: given.cargo()?,
        },
        "bundle" => Command::Bundle {
            spec: given.need("spec")?.into(),
            out: given.need("out")?.into(),
            cargo: given.cargo()?,
        },
        "header" => Command::Header {
            request: header::Request {
                manifest: given.need("manifest-path")?.into(),
                package: given.need("package")?.string()?,
                out: given.need("out")?.into(),
                depfile: given.need("depfile")?.into(),
                config: given.take("config").map(PathBuf::from),
                sys_includes: given.texts("sys-include")?,
                features: given
                    .texts("features")?
                    .iter()
                    .flat_map(|list| list.split([',', ' ']))
                    .filter(|feature| !feature.is_empty())
                    .map(str::to_owned)
                    .collect(),
                default_features: !given.flag("no-default-features"),
            },
            cargo: given.cargo()?,
        },
        "bindings" => Command::Bindings(bindings::Request {
            headers: match given.texts("header")? {
                none if none.is_empty() => vec!["sel4/sel4.h".to_owned()],
                headers => headers,
            },
            include_dirs: given.some("include-dir")?,
            system_include_dirs: given.paths("system-include-dir"),
            defines: given.texts("define")?,
            configs: given.paths("config"),
            target: given.need("target")?.string()?,
            out: given.need("out")?.into(),
            depfile: given.take("depfile").map(PathBuf::from),
        }),
        _ => Command::Seal {
            archive: given.need("archive")?.into(),
            out: given.need("out")?.into(),
            provided_by: given.paths("provided-by"),
            inlined: given.take("inlined").map(PathBuf::from),
            unwind_tables: !given.flag("no-unwind-tables"),
        },
    })
}

#[derive(Default)]
struct Given {
    values: Vec<(String, OsString)>,
    /// Options without a value.
    flags: Vec<String>,
}

impl Given {
    fn flag(&self, option: &str) -> bool {
        self.flags.iter().any(|given| given == option)
    }

    fn all<'a>(&'a self, option: &'a str) -> impl Iterator<Item = OsString> + 'a {
        let same = move |(known, _): &&(String, OsString)| known == option;
        self.values
            .iter()
            .filter(same)
            .map(|(_, value)| value.clone())
    }

    fn take(&self, option: &str) -> Option<OsString> {
        self.all(option).next()
    }

    fn paths(&self, option: &str) -> Vec<PathBuf> {
        self.all(option).map(PathBuf::from).collect()
    }

    fn some(&self, option: &str) -> std::result::Result<Vec<PathBuf>, Misuse> {
        self.need(option)?;
        Ok(self.paths(option))
    }

    fn need(&self, option: &str) -> std::result::Result<OsString, Misuse> {
        self.take(option)
            .ok_or_else(|| format!("--{option} is missing").into())
    }

    fn text(&self, option: &str) -> std::result::Result<Option<String>, Misuse> {
        self.take(option).map(|value| value.string()).transpose()
    }

    fn texts(&self, option: &str) -> std::result::Result<Vec<String>, Misuse> {
        self.all(option).map(|value| value.string()).collect()
    }

    fn cargo(&self) -> std::result::Result<Cargo, Misuse> {
        let program = self
            .take("cargo")
            .or_else(|| std::env::var_os("CARGO"))
            .unwrap_or_else(|| "cargo".into());
        Ok(Cargo {
            program,
            target: self.text("target")?,
        })
    }
}
