// SPDX-License-Identifier: BSD-2-Clause

//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;

use crate::cargo::Cargo;
use crate::cargo::check;
use crate::failure::Result;
use crate::objects::{link, seal};
use crate::{bindings, bundle, headers};

const USAGE: &str = "\
usage: sel4-rust crate  --manifest-path Cargo.toml [--package NAME]
       sel4-rust bundle --out FOLDER --name NAME --profile PROFILE --log-level LEVEL
                                --runtime Cargo.toml --runtime-lock Cargo.lock [--runtime-feature F]...
                                [--rustflag FLAG]... [--env NAME=VALUE]... [--bindings-dir FOLDER]
                                [--std [--panic-abort]]
                                [--library TARGET --package NAME --manifest-path Cargo.toml --lock Cargo.lock
                                 [--feature F]... [--no-default-features] [--library-profile PROFILE]]...
       sel4-rust header --manifest-path Cargo.toml --package NAME --out FILE.h --depfile FILE.d
                                [--config cbindgen.toml] [--sys-include FILE.h]...
                                [--features A,B]... [--no-default-features]
       sel4-rust bindings ...
       sel4-rust libclang
       sel4-rust seal   --archive IN.a --out OUT.a [--provided-by LIB.a]...
                                [--inlined OBJECT.o] [--no-unwind-tables] [--no-symbolizer] [--no-read-tp]
       sel4-rust link   --archive SEALED.a --libc LIBC.a --rust-libc LIBC.a --slots N --other-slots N [--strict]
                                -- LINKER ARGUMENT...

crate, bundle and header also take --cargo PROGRAM (default: $CARGO, or cargo)
and --target TRIPLE (without it the dependencies of every platform count).
";

/// Subcommands and those of their options that may be given more than once.
const REPEATABLE: [(&str, &str); 6] = [
    ("bundle", "runtime-feature"),
    ("bundle", "rustflag"),
    ("bundle", "env"),
    ("header", "sys-include"),
    ("header", "features"),
    ("seal", "provided-by"),
];

/// Options without a value.
const FLAGS: [&str; 7] = [
    "no-default-features",
    "no-read-tp",
    "no-symbolizer",
    "no-unwind-tables",
    "panic-abort",
    "std",
    "strict",
];

/// Runs the tool with the arguments of a process, the program's name first.
/// The exit code is 0, 1 when the work failed, and 2 when it was not understood.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(subcommand) = arguments.get(1)
        && (subcommand == "bindings" || subcommand == "libclang")
    {
        eprintln!("{}", bindings::execute(&arguments[1..]));
        return ExitCode::from(1);
    }
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
        request: bundle::Request,
        cargo: Cargo,
    },
    Header {
        request: headers::Request,
        cargo: Cargo,
    },
    Seal {
        archive: PathBuf,
        out: PathBuf,
        provided_by: Vec<PathBuf>,
        inlined: Option<PathBuf>,
        options: seal::SealOptions,
    },
    Link(link::Request),
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
            Self::Bundle { request, cargo } => {
                for library in bundle::write(&request, &cargo)? {
                    println!("LINKS={library}");
                }
                Ok(())
            }
            Self::Header { request, cargo } => headers::write(&request, &cargo),
            Self::Seal {
                archive,
                out,
                provided_by,
                inlined,
                options,
            } => seal::seal(&archive, &out, &provided_by, inlined.as_deref(), options),
            Self::Link(request) => link::link(&request),
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
        "bundle" => &[
            "out",
            "name",
            "profile",
            "log-level",
            "runtime",
            "runtime-lock",
            "runtime-feature",
            "rustflag",
            "env",
            "bindings-dir",
            "std",
            "panic-abort",
            "library",
            "cargo",
            "target",
        ],
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
        "seal" => &[
            "archive",
            "out",
            "provided-by",
            "inlined",
            "no-unwind-tables",
            "no-symbolizer",
            "no-read-tp",
        ],
        "link" => &[
            "archive",
            "libc",
            "rust-libc",
            "slots",
            "other-slots",
            "strict",
        ],
        "help" => return Ok(Command::Help),
        other => return Err(format!("there is no subcommand `{other}`").into()),
    };
    let mut given = Given::default();
    let mut libraries: Vec<bundle::Library> = Vec::new();
    let mut command = Vec::new();
    while let Some(argument) = parser.next()? {
        let option = match argument {
            // What follows a library is said of it.
            Long(option) if !libraries.is_empty() && OF_A_LIBRARY.contains(&option) => {
                let option = option.to_owned();
                if let Some(library) = libraries.last_mut() {
                    describe(library, &option, &mut parser)?;
                }
                continue;
            }
            Long("library") if name == "bundle" => {
                libraries.push(bundle::Library::new(parser.value()?.string()?));
                continue;
            }
            Long(option) if own.contains(&option) => option.to_owned(),
            Value(first) if name == "link" => {
                command.push(first.string()?);
                for argument in parser.raw_args()? {
                    command.push(argument.string()?);
                }
                break;
            }
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        };
        if FLAGS.contains(&&*option) {
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
            request: bundle::Request {
                out: given.need("out")?.into(),
                name: given.need("name")?.string()?,
                profile: given
                    .need("profile")?
                    .parse_with(bundle::BundleProfile::named)?,
                log_level: given
                    .need("log-level")?
                    .parse_with(bundle::LogLevel::named)?,
                runtime: bundle::Runtime {
                    manifest: given.need("runtime")?.into(),
                    lock: given.need("runtime-lock")?.into(),
                    features: given.texts("runtime-feature")?,
                },
                libraries: whole(libraries)?,
                rustflags: given.texts("rustflag")?,
                environment: given
                    .texts("env")?
                    .iter()
                    .map(|pair| variable(pair))
                    .collect::<std::result::Result<_, _>>()?,
                bindings_dir: given.text("bindings-dir")?,
                std: given.flag("std"),
                panic_abort: given.flag("panic-abort"),
            },
            cargo: given.cargo()?,
        },
        "header" => Command::Header {
            request: headers::Request {
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
        "link" => Command::Link(link::Request {
            command,
            archive: given.need("archive")?.into(),
            libc: given.need("libc")?.into(),
            rust_libc: given.need("rust-libc")?.into(),
            slots: (
                given.need("slots")?.parse()?,
                given.need("other-slots")?.parse()?,
            ),
            strict: given.flag("strict"),
        }),
        _ => Command::Seal {
            archive: given.need("archive")?.into(),
            out: given.need("out")?.into(),
            provided_by: given.paths("provided-by"),
            inlined: given.take("inlined").map(PathBuf::from),
            options: seal::SealOptions {
                unwind_tables: !given.flag("no-unwind-tables"),
                symbolizer: !given.flag("no-symbolizer"),
                read_tp: !given.flag("no-read-tp"),
            },
        },
    })
}

/// Options of `bundle` that belong to the `--library` before them.
const OF_A_LIBRARY: [&str; 6] = [
    "package",
    "manifest-path",
    "lock",
    "feature",
    "no-default-features",
    "library-profile",
];

/// Splits `NAME=VALUE`.
fn variable(pair: &str) -> std::result::Result<(String, String), Misuse> {
    let (name, value) = pair
        .split_once('=')
        .ok_or_else(|| format!("--env {pair} sets no variable"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Takes in what such an option says.
fn describe(
    library: &mut bundle::Library,
    option: &str,
    parser: &mut lexopt::Parser,
) -> std::result::Result<(), Misuse> {
    if option == "no-default-features" {
        library.default_features = false;
        return Ok(());
    }
    let value = parser.value()?;
    match option {
        "package" => library.package = value.string()?,
        "manifest-path" => library.manifest = value.into(),
        "lock" => library.lock = value.into(),
        "feature" => library.features.push(value.string()?),
        _ => library.profile = Some(value.string()?),
    }
    Ok(())
}

/// Sees to it that each library is described.
fn whole(libraries: Vec<bundle::Library>) -> std::result::Result<Vec<bundle::Library>, Misuse> {
    for library in &libraries {
        let missing = [
            ("package", library.package.is_empty()),
            ("manifest-path", library.manifest.as_os_str().is_empty()),
            ("lock", library.lock.as_os_str().is_empty()),
        ];
        if let Some((option, _)) = missing.iter().find(|(_, missing)| *missing) {
            return Err(format!("--library {} has no --{option}", library.target).into());
        }
    }
    Ok(libraries)
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
