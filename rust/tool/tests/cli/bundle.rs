// SPDX-License-Identifier: BSD-2-Clause

//! `bundle`: one umbrella crate out of several libraries, and one lock out of theirs.

use std::process::Command;

use crate::fixture::{Fixture, Outcome};

/// A library as CMake describes it, one argument a line; `more` holds further ones.
fn library(fixture: &Fixture, folder: &str, package: &str, more: &str) -> String {
    let manifest = fixture.text(&format!("{folder}/Cargo.toml"));
    let lock = fixture.text(&format!("{folder}/Cargo.lock"));
    let more = more.replace(' ', "\n");
    format!(
        "--library\n{folder}\n--package\n{package}\n--manifest\n{manifest}\n--lock\n{lock}\n{more}"
    )
}

/// Writes the bundle of these libraries into `out`.
fn bundle(fixture: &Fixture, profile: &str, libraries: &[&str]) -> Outcome {
    bundle_with(
        fixture,
        &["--profile", profile, "--log-level", "info"],
        libraries,
    )
}

fn bundle_at_level(fixture: &Fixture, profile: &str, level: &str, libraries: &[&str]) -> Outcome {
    bundle_with(
        fixture,
        &["--profile", profile, "--log-level", level],
        libraries,
    )
}

fn bundle_with(fixture: &Fixture, more: &[&str], libraries: &[&str]) -> Outcome {
    if !fixture.path("rt").exists() {
        fixture.package(
            "rt",
            "libsel4-rt",
            "0.1.0",
            "[features]\nlog = []\nheap = []\nstd = []\n",
        );
        fixture.lock("rt");
    }
    let manifest = fixture.text("rt/Cargo.toml");
    let lock = fixture.text("rt/Cargo.lock");
    let mut arguments = vec!["bundle", "--out", "out", "--name", "sel4_rust_app"];
    arguments.extend(["--runtime.manifest", &manifest, "--runtime.lock", &lock]);
    arguments.extend(["--runtime.features", "heap"]);
    arguments.extend(["--runtime.std-features", "std"]);
    arguments.extend(more);
    arguments.extend(libraries.iter().flat_map(|library| library.lines()));
    fixture.step(&arguments)
}

#[test]
fn a_bundle_is_built_by_cargo_and_left_alone_afterwards() {
    let fixture = Fixture::new();
    fixture.library("greeter", "[features]\nfancy = []\n");
    let greeter = library(&fixture, "greeter", "greeter", "--features fancy");
    let before = fixture.listing("greeter");
    let outcome = bundle(&fixture, "release", &[&greeter]).succeeds();
    let manifest = fixture.read("out/Cargo.toml");
    assert!(
        manifest.contains("default-features = false, features = [\"heap\"]"),
        "{manifest}"
    );
    assert_eq!(outcome.stdout + &outcome.stderr, "");
    assert_eq!(
        fixture.listing("greeter"),
        before,
        "the source tree is not written to"
    );
    let files = [
        "out/Cargo.toml",
        "out/src/lib.rs",
        "out/Cargo.lock",
        "out/.cargo/config.toml",
    ];
    let listing = fixture.listing("out");
    assert_eq!(
        listing.len(),
        files.len() + 1,
        "nothing else stays behind: {listing:?}"
    );
    assert!(
        fixture
            .read("out/src/lib.rs")
            .contains("extern crate library_1 as _; // greeter\n")
    );

    let times = files.map(|file| fixture.modified(file));
    bundle(&fixture, "release", &[&greeter]).succeeds();
    assert_eq!(files.map(|file| fixture.modified(file)), times);
    // An input that is written again, without effect on the bundle.
    fixture.append("greeter/Cargo.toml", "# A comment.\n");
    bundle(&fixture, "release", &[&greeter]).succeeds();
    assert_eq!(files.map(|file| fixture.modified(file)), times);

    // Whatever is damaged is made again.
    let manifest = fixture.read("out/Cargo.toml");
    fixture.write("out/Cargo.toml", &manifest[..40]);
    let config = fixture.read("out/.cargo/config.toml");
    fixture.write("out/.cargo/config.toml", "[target");
    std::fs::remove_file(fixture.path("out/src/lib.rs")).expect("removed");
    bundle(&fixture, "release", &[&greeter]).succeeds();
    assert_eq!(fixture.read("out/Cargo.toml"), manifest);
    assert_eq!(fixture.read("out/.cargo/config.toml"), config);
    fixture.write("out/.stamp", "");
    bundle(&fixture, "release", &[&greeter]).succeeds();
    assert!(times[0] < fixture.modified("out/Cargo.toml"));

    // The libraries have no panic handler, which the real runtime brings.
    fixture.append(
        "rt/src/lib.rs",
        "#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n",
    );
    fixture.cargo("out", &["build", "--release", "--locked", "--offline"]);
    assert!(
        fixture
            .path("out/target/release/libsel4_rust_app.a")
            .is_file()
    );
}

#[test]
fn equal_and_odd_names_do_not_clash() {
    let fixture = Fixture::new();
    fixture.package("one", "core-extras", "0.1.0", "");
    fixture.package("two", "core-extras", "0.2.0", "[lib]\nname = \"runtime\"\n");
    fixture.package("library_1", "library_1", "0.1.0", "");
    for folder in ["one", "two", "library_1"] {
        fixture.lock(folder);
    }
    let libraries = [
        library(&fixture, "one", "core-extras", ""),
        library(&fixture, "two", "core-extras", ""),
        library(&fixture, "library_1", "library_1", ""),
    ];
    bundle(
        &fixture,
        "dev",
        &libraries.each_ref().map(|library| &**library),
    )
    .succeeds();

    fixture.package("three", "core-extras", "0.2.0", "");
    fixture.lock("three");
    let three = library(&fixture, "three", "core-extras", "");
    let twins = [&*libraries[1], &three];
    bundle(&fixture, "dev", &twins).fails(
        "two packages are called `core-extras` 0.2.0",
        "another name or version",
    );
}

#[test]
fn a_crate_named_twice_is_built_once() {
    let fixture = Fixture::new();
    fixture.library("greeter", "[features]\na = []\nb = []\n");
    let one = library(
        &fixture,
        "greeter",
        "greeter",
        "--features a --no-default-features",
    );
    let two = library(&fixture, "greeter", "greeter", "--features b");
    bundle(&fixture, "dev", &[&one, &two]).succeeds();
    let manifest = fixture.read("out/Cargo.toml");
    assert!(
        manifest.contains("default-features = true, features = [\"a\", \"b\"]"),
        "{manifest}"
    );
    assert!(!manifest.contains("library_2"), "{manifest}");

    let wrong = library(&fixture, "greeter", "greeter", "--features aa");
    bundle(&fixture, "dev", &[&one, &wrong]).fails("has no feature `aa`", "did you mean `a`?");
    let fast = library(&fixture, "greeter", "greeter", "--profile release");
    let slow = library(&fixture, "greeter", "greeter", "--profile dev");
    bundle(&fixture, "dev", &[&fast, &slow]).fails("the profiles `release`", "the same PROFILE");
}

#[test]
fn profiles_of_a_library_are_honoured() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("x", "1.0.0", "", "");
    fixture.unlocked("helper", "");
    fixture.library(
        "greeter",
        "[workspace]\n[dependencies]\nx = \"1\"\nhelper = { path = \"../helper\" }\n\
         [profile.release]\nopt-level = 2\nlto = \"thin\"\npanic = \"unwind\"\n\
         [profile.fast]\ninherits = \"release\"\nopt-level = 3\noverflow-checks = true\n\
         [profile.fast.package.\"*\"]\nopt-level = 1\n[profile.fast.package.helper]\ncodegen-units = 4\n",
    );
    bundle(
        &fixture,
        "minsizerel",
        &[&library(&fixture, "greeter", "greeter", "")],
    )
    .succeeds();
    let manifest = fixture.read("out/Cargo.toml");
    assert!(
        manifest.contains("[profile.minsizerel.package.\"greeter\"]\nopt-level = 2\n"),
        "{manifest}"
    );
    assert!(!manifest.contains("thin"), "{manifest}");

    let fast = library(&fixture, "greeter", "greeter", "--profile fast");
    bundle(&fixture, "dev", &[&fast]).succeeds();
    let manifest: toml::Table = fixture.read("out/Cargo.toml").parse().expect("TOML");
    let packages = &manifest["profile"]["dev"]["package"];
    assert_eq!(packages["greeter"]["opt-level"].as_integer(), Some(3));
    assert_eq!(packages["greeter"]["overflow-checks"].as_bool(), Some(true));
    assert_eq!(
        packages["greeter"]["debug-assertions"].as_bool(),
        Some(false)
    );
    assert_eq!(packages["x"]["opt-level"].as_integer(), Some(1));
    assert_eq!(packages["helper"]["codegen-units"].as_integer(), Some(4));

    let unknown = library(&fixture, "greeter", "greeter", "--profile fats");
    bundle(&fixture, "dev", &[&unknown]).fails(
        "has no profile `fats`",
        "did you mean `fast`? The known profiles are:",
    );
}

#[test]
fn own_packages_are_optimised_for_speed_in_a_release_build() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("x", "1.0.0", "", "");
    fixture.unlocked("helper", "");
    let level = |profile: &str, name: &str| {
        let manifest: toml::Table = fixture.read("out/Cargo.toml").parse().expect("TOML");
        let package = manifest["profile"][profile].get("package");
        let package = package.and_then(|packages| packages.get(name));
        package.map(|package| package["opt-level"].clone())
    };
    let manifest = "[workspace]\n[dependencies]\nx = \"1\"\nhelper = { path = \"../helper\" }\n";
    fixture.library("greeter", manifest);
    let greeter = library(&fixture, "greeter", "greeter", "");
    for (profile, own) in [
        ("release", Some(2)),
        ("relwithdebinfo", Some(2)),
        ("minsizerel", None),
        ("dev", None),
    ] {
        bundle(&fixture, profile, &[&greeter]).succeeds();
        assert_eq!(level(profile, "greeter"), own.map(toml::Value::Integer));
        assert_eq!(level(profile, "x"), None);
        assert_eq!(level(profile, "helper"), None);
    }
    fixture.library(
        "greeter",
        &format!("{manifest}[profile.release]\nopt-level = \"s\"\n"),
    );
    bundle(&fixture, "release", &[&greeter]).succeeds();
    assert_eq!(level("release", "greeter"), Some(toml::Value::from("s")));
}

#[test]
fn with_std_panics_unwind_unless_they_are_to_abort() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    let settings = ["--profile", "release", "--log-level", "info"];
    for (std, options, panic, attribute) in [
        ("", &[][..], "abort", true),
        ("--std", &[], "unwind", false),
        ("--std", &["--panic-abort"], "abort", false),
    ] {
        let greeter = library(&fixture, "greeter", "greeter", std);
        let more: Vec<&str> = settings.iter().chain(options).copied().collect();
        bundle_with(&fixture, &more, &[&greeter]).succeeds();
        let manifest = fixture.read("out/Cargo.toml");
        let feature = if attribute { "heap" } else { "std" };
        assert!(
            manifest.contains(&format!("features = [\"{feature}\"]")),
            "{manifest}"
        );
        let profiles = manifest.matches("panic = ").count();
        let right = format!("panic = \"{panic}\"");
        assert_eq!(
            (profiles, manifest.matches(&right).count()),
            (2, 2),
            "{manifest}"
        );
        let root = fixture.read("out/src/lib.rs");
        assert_eq!(root.contains("#![no_std]"), attribute, "{root}");
    }
}

#[test]
fn the_request_to_seal_follows_from_profile_std_and_panics() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    for (profile, std, options, flags) in [
        ("dev", "", &[][..], (false, false)),
        ("dev", "--std", &["--panic-abort"], (false, false)),
        ("relwithdebinfo", "--std", &[], (false, false)),
        ("release", "", &[], (true, false)),
        ("minsizerel", "--std", &[], (false, true)),
        ("release", "--std", &["--panic-abort"], (true, true)),
        (
            "release",
            "--std",
            &["--panic-abort", "--backtrace"],
            (false, true),
        ),
    ] {
        let greeter = library(&fixture, "greeter", "greeter", std);
        let mut more = vec!["--profile", profile, "--log-level", "info"];
        more.extend(["--libc", "libc.a", "--seal", "requests/seal.toml"]);
        more.extend(options);
        let outcome = bundle_with(&fixture, &more, &[&greeter]).succeeds();
        let asked = if std.is_empty() { &[][..] } else { &["ON"] };
        assert_eq!(outcome.values("STD"), asked);
        let text = fixture.read("requests/seal.toml");
        let seal: toml::Table = text.parse().expect("TOML");
        let seen = ["no-unwind-tables", "no-symbolizer"].map(|key| seal[key].as_bool());
        assert_eq!(seen, [Some(flags.0), Some(flags.1)], "{profile} {text}");
        let provided_by = seal["provided-by"].as_array().expect("a list");
        assert_eq!(provided_by[0].as_str(), Some("libc.a"));
        for (key, name) in [
            ("archive", "out/archive/libsel4_rust_app.a"),
            ("out", "out/libsel4_rust_app.a"),
        ] {
            assert_eq!(seal[key].as_str(), Some(&*fixture.text(name)));
        }
        let config = fixture.read("out/.cargo/config.toml");
        let lines = config.contains("-Cdebuginfo=line-tables-only");
        assert_eq!(lines, options.contains(&"--backtrace"), "{config}");
    }
}

#[test]
fn two_headers_of_one_name_are_refused() {
    let fixture = Fixture::new();
    fixture.library("one", "");
    fixture.library("two", "");
    let [one, two] = ["one", "two"].map(|name| library(&fixture, name, name, "--header greeter.h"));
    let more = [
        "--profile",
        "dev",
        "--log-level",
        "info",
        "--executable",
        "app",
    ];
    bundle_with(&fixture, &more, &[&one, &two]).fails(
        "`app` links `one` and `two`, whose headers are both called `greeter.h`",
        "add_rust_library(two HEADER two.h)",
    );
    assert!(!fixture.path("out").exists());
    bundle_with(&fixture, &more, &[&one]).succeeds();
}

#[test]
fn the_logger_comes_with_the_first_use() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published(
        "log",
        "0.4.20",
        "[features]\nmax_level_info = []\nmax_level_off = []\n",
        "",
    );
    fixture.published("talker", "1.0.0", "[dependencies]\nlog = \"0.4\"\n", "");
    fixture.library("quiet", "");
    fixture.library("loud", "[dependencies]\ntalker = \"1\"\n");
    let quiet = library(&fixture, "quiet", "quiet", "");
    bundle(&fixture, "dev", &[&quiet]).succeeds();
    assert!(!fixture.read("out/Cargo.toml").contains("log"));
    bundle(
        &fixture,
        "dev",
        &[&quiet, &library(&fixture, "loud", "loud", "")],
    )
    .succeeds();
    let manifest = fixture.read("out/Cargo.toml");
    assert!(
        manifest.contains("features = [\"heap\", \"log\"]"),
        "{manifest}"
    );
    assert!(
        manifest.contains("features = [\"max_level_info\"]"),
        "{manifest}"
    );

    let loud = library(&fixture, "loud", "loud", "");
    bundle_at_level(&fixture, "dev", "off", &[&loud]).succeeds();
    let manifest = fixture.read("out/Cargo.toml");
    assert!(!manifest.contains("\"heap\", \"log\""), "{manifest}");
    assert!(manifest.contains("\"max_level_off\""), "{manifest}");
}

#[test]
fn the_lock_takes_versions_from_the_libraries_only() {
    let fixture = Fixture::new();
    fixture.registry();
    for version in ["1.0.1", "1.0.4", "1.0.10", "1.0.20"] {
        fixture.published("x", version, "", "");
    }
    fixture.published("y", "2.0.0", "[dependencies]\nx = \"1\"\n", "");
    fixture.library("old", "[dependencies]\ny = \"2\"\nx = \"1\"\n");
    fixture.pin("old", "x", "1.0.1");
    fixture.library("new", "[dependencies]\nx = \"1\"\n");
    fixture.pin("new", "x", "1.0.10");
    let version = || {
        let lock: toml::Table = fixture.read("out/Cargo.lock").parse().expect("TOML");
        let packages = lock["package"].as_array().expect("packages").clone();
        let mut found = packages
            .iter()
            .filter(|package| package["name"].as_str() == Some("x"));
        let version = found.next().expect("x")["version"]
            .as_str()
            .expect("a version")
            .to_owned();
        assert!(found.next().is_none(), "one x only");
        version
    };

    let old = library(&fixture, "old", "old", "");
    let new = library(&fixture, "new", "new", "");
    bundle(&fixture, "dev", &[&old]).succeeds();
    assert_eq!(version(), "1.0.1");
    bundle(&fixture, "dev", &[&old, &new]).succeeds();
    assert_eq!(version(), "1.0.10");

    // One that insists on an older version gets it, if the others can live with it.
    fixture.library("strict", "[dependencies]\nx = \"=1.0.1\"\n");
    let strict = library(&fixture, "strict", "strict", "");
    bundle(&fixture, "dev", &[&new, &strict]).succeeds();
    assert_eq!(version(), "1.0.1");

    // A version that only exists in between stands in no lock.
    fixture.library("below", "[dependencies]\nx = \">=1, <1.0.5\"\n");
    fixture.pin("below", "x", "1.0.1");
    fixture.library("above", "[dependencies]\nx = \"1.0.3\"\n");
    let below = library(&fixture, "below", "below", "");
    let above = library(&fixture, "above", "above", "");
    bundle(&fixture, "dev", &[&below, &above]).fails(
        "need `x` 1.0.4, which the Cargo.lock of none",
        "cargo update -p x --precise 1.0.4",
    );
    // And what nothing satisfies is cargo's to tell.
    bundle(&fixture, "dev", &[&strict, &above])
        .fails("`strict`, `above` cannot be built together", "cargo update");
}

#[test]
fn vendored_sources_are_found_from_outside() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("x", "1.0.0", "", "");
    fixture.unlocked("greeter", "[dependencies]\nx = \"1\"\n");
    // Only the library's own folder knows of the vendored sources.
    for folder in [".cargo", "vendor"] {
        let (from, to) = (fixture.path(folder), fixture.path("greeter").join(folder));
        std::fs::rename(from, to).expect("moved");
    }
    fixture.lock("greeter");
    fixture.unplug();
    let greeter = library(&fixture, "greeter", "greeter", "");
    bundle(&fixture, "dev", &[&greeter]).succeeds();
    assert!(fixture.read("out/Cargo.lock").contains("name = \"x\""));

    // A runtime whose crates are not among them.
    fixture.append("rt/Cargo.toml", "[dependencies]\nspin = \"0.9\"\n");
    bundle(&fixture, "dev", &[&greeter])
        .fails("no matching package named `spin`", "cargo vendor --sync /");
}

#[test]
fn a_repository_stays_at_its_revision() {
    let fixture = Fixture::new();
    fixture.unlocked("remote", "");
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(fixture.path("remote"))
            .output()
            .expect("git");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "one"]);
    let one = git(&["rev-parse", "HEAD"]);
    fixture.unlocked(
        "greeter",
        &format!(
            "[dependencies]\nremote = {{ git = \"file://{}\" }}\n",
            fixture.text("remote")
        ),
    );
    fixture.cargo("greeter", &["generate-lockfile"]);
    fixture.append("remote/src/lib.rs", "// More.\n");
    git(&["commit", "-q", "-a", "-m", "two"]);
    bundle(
        &fixture,
        "dev",
        &[&library(&fixture, "greeter", "greeter", "")],
    )
    .succeeds();
    assert!(fixture.read("out/Cargo.lock").contains(&one));
}

#[test]
fn patches_of_a_workspace_come_along() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("x", "1.0.0", "", "");
    fixture.package("own-x", "x", "1.0.0", "");
    fixture.library(
        "greeter",
        "[workspace]\n[dependencies]\nx = \"1\"\n[patch.crates-io]\nx = { path = \"../own-x\" }\n",
    );
    let greeter = library(&fixture, "greeter", "greeter", "");
    bundle(&fixture, "dev", &[&greeter]).succeeds();
    assert!(
        fixture
            .read("out/Cargo.toml")
            .contains(&fixture.text("own-x"))
    );
    assert!(!fixture.read("out/Cargo.lock").contains("registry+"));
    fixture.package("other-x", "x", "1.0.0", "");
    fixture.library("other", "[workspace]\n[dependencies]\nx = \"1\"\n[patch.crates-io]\nx = { path = \"../other-x\" }\n");
    bundle(
        &fixture,
        "dev",
        &[&greeter, &library(&fixture, "other", "other", "")],
    )
    .fails("patches `x` to something other", "[patch.crates-io]");
}

#[test]
fn what_cargo_is_told_keeps_every_sign() {
    let fixture = Fixture::new();
    let folder = r#"odd "signs\ and = here"#;
    fixture.package(
        folder,
        "greeter",
        "0.1.0",
        "links = \"sel4\"\nbuild = \"build.rs\"\n",
    );
    fixture.write(&format!("{folder}/build.rs"), "fn main() {}\n");
    fixture.lock(folder);
    let more = [
        "--profile",
        "dev",
        "--log-level",
        "info",
        "--cargo.target",
        "x86_64-unknown-linux-musl",
        "--rustflags",
        r#"--remap-path-prefix=/a "b\c=d"#,
        "--environment.ODD",
        r#"a "b\c=d"#,
        "--bindings-dir",
        r#"/a "b\c"#,
    ];
    let outcome = bundle_with(
        &fixture,
        &more,
        &[&library(&fixture, folder, "greeter", "")],
    );
    assert_eq!(outcome.succeeds().values("LINKS"), ["sel4"]);
    let config: toml::Table = fixture
        .read("out/.cargo/config.toml")
        .parse()
        .expect("cargo's configuration");
    let flags = &config["target"]["x86_64-unknown-linux-musl"]["rustflags"];
    assert_eq!(flags[0].as_str(), Some(r#"--remap-path-prefix=/a "b\c=d"#));
    for (name, value) in [("ODD", r#"a "b\c=d"#), ("SEL4_SYS_DIR", r#"/a "b\c"#)] {
        assert_eq!(config["env"][name]["value"].as_str(), Some(value));
        assert_eq!(config["env"][name]["force"].as_bool(), Some(true));
    }
}

#[test]
fn a_request_that_is_none() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    let greeter = library(&fixture, "greeter", "greeter", "");
    let misuse = |outcome: Outcome, message: &str| {
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    };
    misuse(
        bundle(&fixture, "quick", &[&greeter]),
        "unknown variant `quick`, expected one of `dev`, `release`, `relwithdebinfo`, `minsizerel`",
    );
    misuse(
        bundle_at_level(&fixture, "dev", "loud", &[&greeter]),
        "unknown variant `loud`, expected one of `off`, `error`",
    );
    misuse(
        bundle(&fixture, "dev", &["--library\nalone\n--package\nalone"]),
        "missing field `manifest`",
    );
    misuse(
        bundle_with(
            &fixture,
            &[
                "--profile",
                "dev",
                "--log-level",
                "info",
                "--environment",
                "ALONE",
            ],
            &[&greeter],
        ),
        "invalid type: string \"ALONE\", expected a map",
    );
    assert!(!fixture.path("out").exists(), "nothing stays behind");
}

#[test]
fn locks_that_disagree_on_a_checksum_are_refused() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("x", "1.0.1", "", "");
    for folder in ["one", "two"] {
        fixture.library(folder, "[dependencies]\nx = \"1\"\n");
    }
    let one = library(&fixture, "one", "one", "");
    let two = library(&fixture, "two", "two", "");
    bundle(&fixture, "dev", &[&one, &two]).succeeds();
    let good = fixture.read("two/Cargo.lock");
    let (start, rest) = good.split_once("checksum = \"").expect("a checksum");
    let bad = format!("{start}checksum = \"{}{}", "0".repeat(64), &rest[64..]);
    fixture.write("two/Cargo.lock", bad);
    bundle(&fixture, "dev", &[&one, &two]).fails(
        "give different checksums for `x 1.0.1`",
        "cargo fetch --locked",
    );
    fixture.write("two/Cargo.lock", good);
    bundle(&fixture, "dev", &[&one, &two]).succeeds();
}

#[test]
fn std_without_a_library_that_asks_for_it_is_refused() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("part", "1.0.0", "", "");
    fixture.published(
        "numbers",
        "1.0.0",
        "[features]\ndefault = [\"std\"]\nstd = []\n[dependencies]\npart = \"1\"\n",
        "#[cfg(feature = \"std\")] extern crate std;\n",
    );
    fixture.unlocked("derive", "[lib]\nproc-macro = true\n");
    fixture.write("derive/src/lib.rs", "");
    let numbers = |more: &str| {
        format!(
            "[dependencies]\nderive = {{ path = \"../derive\" }}\nnumbers = {{ version = \"1\"{more} }}\n"
        )
    };
    fixture.library("greeter", &numbers(""));
    let step = |fixture: &Fixture, more: &str| {
        bundle(
            fixture,
            "dev",
            &[&library(fixture, "greeter", "greeter", more)],
        )
    };
    step(&fixture, "").fails(
        "the crate `numbers`, which `greeter` depends on, has its feature `std` on and needs std (`",
        "default-features = false",
    );
    step(&fixture, "--std").succeeds();
    fixture.library("greeter", &numbers(", default-features = false"));
    step(&fixture, "").succeeds();
    // The step looks again where a manifest changes.
    std::fs::remove_dir_all(fixture.path("out")).expect("a bundle");
    fixture.write("vendor/part-1.0.0/src/lib.rs", "");
    step(&fixture, "").fails(
        "the crate `part`, which `greeter` depends on, needs std (`",
        "drop the dependency",
    );
    fixture.library("greeter", "");
    fixture.write("greeter/src/lib.rs", "");
    step(&fixture, "").fails("the crate `greeter` needs std (`", "#![no_std]");
}

#[test]
fn a_runtime_behind_a_feature_that_another_library_turns_on_is_refused() {
    let fixture = Fixture::new();
    fixture.unlocked("shared", "[features]\nhalt = []\n");
    fixture.append(
        "shared/src/lib.rs",
        "#[cfg(feature = \"halt\")]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n",
    );
    fixture.library("one", "[dependencies]\nshared = { path = \"../shared\" }\n");
    fixture.library(
        "two",
        "[dependencies]\nshared = { path = \"../shared\", features = [\"halt\"] }\n",
    );
    let [one, two] = ["one", "two"].map(|name| library(&fixture, name, name, ""));
    bundle(&fixture, "dev", &[&one]).succeeds();
    bundle(&fixture, "dev", &[&one, &two]).fails(
        "the crate `shared`, which `one` depends on, has its own `#[panic_handler]`",
        "feature",
    );
}

#[test]
fn crate_types_for_c_are_left_out_by_a_wrapper_of_rustc() {
    let fixture = Fixture::new();
    fixture.library("plain", "");
    bundle(&fixture, "dev", &[&library(&fixture, "plain", "plain", "")]).succeeds();
    assert!(
        !fixture
            .read("out/.cargo/config.toml")
            .contains("rustc-wrapper")
    );
    fixture.library(
        "both",
        "[lib]\ncrate-type = [\"lib\", \"staticlib\", \"cdylib\"]\n",
    );
    bundle(&fixture, "dev", &[&library(&fixture, "both", "both", "")]).succeeds();
    assert!(
        fixture
            .read("out/.cargo/config.toml")
            .contains("rustc-wrapper = ")
    );
    // A program in the place of rustc lists its arguments.
    fixture.write("list", "#!/bin/sh\nprintf '%s\\n' \"$@\" > arguments\n");
    fixture.tool("chmod", &["+x", "list"]);
    let list = fixture.text("list");
    let wrapper = fixture.text("out/rustc.sh");
    let name = [
        "--crate-name",
        "both",
        "--out-dir",
        "out",
        "-C",
        "extra-filename=-01",
    ];
    let types = [
        "--crate-type",
        "lib",
        "--crate-type",
        "staticlib",
        "--crate-type",
        "cdylib",
    ];
    fixture.tool(&wrapper, &[&[&*list][..], &name, &types, &["a b"]].concat());
    let kept = [&name[..], &["--crate-type", "lib", "a b"]].concat();
    assert_eq!(fixture.read("arguments").lines().collect::<Vec<_>>(), kept);
    for file in ["out/libboth-01.a", "out/libboth-01.so"] {
        assert_eq!(fixture.read(file), "");
    }
    fixture.tool(&wrapper, &[&list, "--crate-type", "staticlib"]);
    assert_eq!(fixture.read("arguments"), "--crate-type\nstaticlib\n");
}
