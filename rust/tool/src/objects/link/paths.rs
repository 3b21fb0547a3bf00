// SPDX-License-Identifier: BSD-2-Clause

//! Call graph of a Rust archive: the paths from a user's functions to the parts of std that seL4 does not support.
//!
//! rustc gives each function and each table of functions its own section, and a section's relocations name the functions
//! that it uses. The nodes of the graph are sections; those whose functions are not in the image are left out.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write as _;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags, SymbolKind};

use super::facilities;
use crate::objects::archive::Archive;
use crate::objects::names::demangled;

/// Number of the user's functions that are listed for each part; the rest is counted.
const SHOWN: usize = 3;

/// Crates of Rust's own library, as symbols name them.
const SYSROOT: [&str; 18] = [
    "__rustc",
    "addr2line",
    "adler2",
    "alloc",
    "cfg_if",
    "compiler_builtins",
    "core",
    "gimli",
    "hashbrown",
    "libc",
    "memchr",
    "miniz_oxide",
    "object",
    "panic_abort",
    "panic_unwind",
    "rustc_demangle",
    "std",
    "unwind",
];

/// Lists the unsupported parts of std that the executable `image` uses: a line for each part, and below it the paths
/// there from functions of the user's crates.
pub fn missing(image: &object::File<'_>, archive: &Archive<'_>) -> Option<String> {
    let present: HashSet<&[u8]> = image
        .symbols()
        .filter(ObjectSymbol::is_definition)
        .filter_map(|symbol| symbol.name_bytes().ok())
        .collect();
    let graph = Graph::new(archive, &present);

    // Functions that show the use of each part.
    let mut parts: BTreeMap<&str, Vec<CallPath>> = BTreeMap::new();
    for (symbol, users) in &graph.users_of_c {
        if !present.contains(symbol.as_bytes()) {
            continue;
        }
        let mut by_part: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for &user in users {
            if let Some(part) = facilities::of_c(symbol, graph.nodes[user].name.as_deref()) {
                by_part.entry(part).or_default().push(user);
            }
        }
        for (part, users) in by_part {
            let found = graph.paths(users, Some(symbol));
            parts.entry(part).or_default().extend(found);
        }
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(name) = &node.name
            && let Some(part) = facilities::of_rust(name)
        {
            let found = graph.paths([index], None);
            parts.entry(part).or_default().extend(found);
        }
    }
    let mut text = String::new();
    for (part, mut found) in parts {
        // The shortest path from each function.
        found.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        let mut listed = HashSet::new();
        found.retain(|path| listed.insert(path[0].clone()));
        // A write to a String does not fail.
        let _ = writeln!(text, "  {part}");
        for path in found.iter().take(SHOWN) {
            let _ = writeln!(text, "    {}", path.join(" → "));
        }
        if found.len() > SHOWN {
            let _ = writeln!(text, "    and {} more", found.len() - SHOWN);
        }
    }
    text.truncate(text.trim_end().len());
    (!text.is_empty()).then_some(text)
}

/// Functions on a path, the user's first.
type CallPath = Vec<String>;

struct Node {
    /// Demangled name of the function in the section.
    name: Option<String>,
    users: Vec<usize>,
}

struct Graph {
    nodes: Vec<Node>,
    users_of_c: BTreeMap<String, Vec<usize>>,
}

impl Graph {
    /// Builds the graph of the sections whose functions are `present`, with edges from the used to the user.
    fn new(archive: &Archive<'_>, present: &HashSet<&[u8]>) -> Self {
        let mut graph = Self {
            nodes: Vec::new(),
            users_of_c: BTreeMap::new(),
        };
        let objects: Vec<_> = archive
            .contents()
            .filter_map(|data| object::File::parse(data).ok())
            .collect();
        let mut places = HashMap::new();
        let mut definitions = HashMap::new();
        for (member, object) in objects.iter().enumerate() {
            let mut names = HashMap::new();
            for symbol in object.symbols().filter(ObjectSymbol::is_definition) {
                let (Some(section), Ok(name)) = (symbol.section_index(), symbol.name_bytes())
                else {
                    continue;
                };
                if symbol.kind() == SymbolKind::Text {
                    names.entry(section).or_insert(name);
                }
                if symbol.is_global() {
                    definitions.entry(name).or_insert((member, section));
                }
            }
            for section in object.sections().filter(is_of_the_image) {
                let name = names.get(&section.index());
                if name.is_some_and(|name| !present.contains(name)) {
                    continue;
                }
                places.insert((member, section.index()), graph.nodes.len());
                graph.nodes.push(Node {
                    name: name.map(|name| demangled(name)),
                    users: Vec::new(),
                });
            }
        }
        for (member, object) in objects.iter().enumerate() {
            for section in object.sections() {
                let Some(&user) = places.get(&(member, section.index())) else {
                    continue;
                };
                for (_, relocation) in section.relocations() {
                    graph.add(
                        user,
                        relocation.target(),
                        member,
                        object,
                        &places,
                        &definitions,
                    );
                }
            }
        }
        graph
    }

    fn add(
        &mut self,
        user: usize,
        target: RelocationTarget,
        member: usize,
        object: &object::File<'_>,
        places: &HashMap<(usize, object::SectionIndex), usize>,
        definitions: &HashMap<&[u8], (usize, object::SectionIndex)>,
    ) {
        let place = match target {
            RelocationTarget::Section(section) => Some((member, section)),
            RelocationTarget::Symbol(index) => {
                let Ok(symbol) = object.symbol_by_index(index) else {
                    return;
                };
                let name = symbol.name_bytes().unwrap_or_default();
                match symbol.section_index() {
                    Some(section) => Some((member, section)),
                    None => match definitions.get(name) {
                        Some(place) => Some(*place),
                        None => {
                            let name = String::from_utf8_lossy(name).into_owned();
                            self.users_of_c.entry(name).or_default().push(user);
                            None
                        }
                    },
                }
            }
            _ => None,
        };
        if let Some(used) = place.and_then(|place| places.get(&place))
            && *used != user
        {
            self.nodes[*used].users.push(user);
        }
    }

    /// Returns the shortest paths to `ends`, and from there to C's `symbol`, from the nearest functions of the user's;
    /// from the start of the path if no function on it is the user's.
    fn paths(&self, ends: impl IntoIterator<Item = usize>, symbol: Option<&str>) -> Vec<CallPath> {
        let mut next: HashMap<usize, Option<usize>> = HashMap::new();
        let mut queue = VecDeque::new();
        for end in ends {
            if next.insert(end, None).is_none() {
                queue.push_back(end);
            }
        }
        let mut found = Vec::new();
        let mut last = None;
        while let Some(index) = queue.pop_front() {
            last = self.nodes[index].name.is_some().then_some(index).or(last);
            if self.nodes[index]
                .name
                .as_deref()
                .is_some_and(is_of_the_user)
            {
                found.push(self.path(index, &next, symbol));
                continue;
            }
            for &user in &self.nodes[index].users {
                next.entry(user).or_insert_with(|| {
                    queue.push_back(user);
                    Some(index)
                });
            }
        }
        if found.is_empty() {
            found.extend(last.map(|index| self.path(index, &next, symbol)));
        }
        found
    }

    fn path(
        &self,
        from: usize,
        next: &HashMap<usize, Option<usize>>,
        symbol: Option<&str>,
    ) -> CallPath {
        let mut path = Vec::new();
        let mut at = Some(from);
        while let Some(index) = at {
            path.extend(self.nodes[index].name.clone());
            at = next.get(&index).copied().flatten();
        }
        path.extend(symbol.map(str::to_owned));
        path
    }
}

/// Returns whether a section is loaded, and its relocations are uses. Tables for unwinding do not count.
fn is_of_the_image<'data>(section: &impl ObjectSection<'data>) -> bool {
    let SectionFlags::Elf { sh_flags } = section.flags() else {
        return false;
    };
    let tables = section
        .name_bytes()
        .is_ok_and(|name| name.starts_with(b".eh_frame") || name.starts_with(b".gcc_except_table"));
    sh_flags & u64::from(object::elf::SHF_ALLOC) != 0 && !tables
}

/// Returns whether a function is outside Rust's own library. `<T as Trait>::function` belongs to the crate of `T`, or to
/// that of `Trait` if `T` is a primitive type.
fn is_of_the_user(name: &str) -> bool {
    let in_front = |c: char| !c.is_alphanumeric() && c != '_';
    let mut path = name.trim_start_matches(in_front);
    for word in ["mut ", "const ", "dyn "] {
        path = path.strip_prefix(word).unwrap_or(path);
    }
    if let Some((kind, of)) = path.split_once(" as ")
        && !kind.contains("::")
    {
        path = of;
    }
    let own = path.split("::").next().unwrap_or_default();
    !SYSROOT.contains(&own) && !own.starts_with("__rust") && !own.starts_with("rust_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_belong_to_crates() {
        for name in [
            "tour::files",
            "<tour::Reader as std::io::Read>::read",
            "serve",
            "<&mut tour::X as Y>::z",
        ] {
            assert!(is_of_the_user(name), "{name}");
        }
        for name in [
            "std::fs::write",
            "<std::fs::File>::open::<&str>",
            "<&mut core::x as Y>::z",
            "__rustc::__rust_alloc",
            "rust_eh_personality",
            "<alloc::vec::Vec<tour::X> as Drop>::drop",
        ] {
            assert!(!is_of_the_user(name), "{name}");
        }
    }
}
