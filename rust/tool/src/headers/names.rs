// SPDX-License-Identifier: BSD-2-Clause

//! Names of the crates, resolved as Rust resolves them: modules, `use`, re-exports, globs and the names of crates.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use syn::ext::IdentExt;
use syn::{Item, UseTree, Visibility};

use super::crates::{Crates, Parsed, item_ident, type_ident};
use super::source::SourceItem;

/// Number of an item of the crates, in the order of crates and of their sources.
pub type Id = usize;

/// The two namespaces that matter to C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Types and modules.
    Types,
    /// Constants, statics and functions.
    Values,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Items; more than one if they exclude each other by their `#[cfg]`s.
    Items(Vec<Id>),
    /// A module.
    Module(usize),
    /// A path into a crate that is not parsed, the crate's name first.
    Foreign(Vec<String>),
    /// A name that nothing defines, and that the language or its prelude may know.
    Unknown,
}

/// Path of a `use`.
#[derive(Debug, Clone)]
struct Use {
    path: Vec<String>,
    public: bool,
}

/// Meaning of a name in a module.
#[derive(Debug, Clone)]
enum Meaning {
    Item(Id),
    Module(usize),
    Use(Use),
}

#[derive(Debug, Default)]
struct Module {
    krate: usize,
    parent: Option<usize>,
    public: bool,
    block: bool,
    names: BTreeMap<(Space, String), Vec<Meaning>>,
    globs: Vec<Use>,
    /// Crates that are linked for what they export alone: `use x as _` and `extern crate x`.
    linked: Vec<String>,
}

/// All names.
pub struct Names<'a> {
    pub crates: &'a Crates<'a>,
    /// Crate and index of each item.
    items: Vec<(usize, usize)>,
    modules: Vec<Module>,
    /// First module of each crate.
    roots: Vec<usize>,
    /// Names that are being looked up, since a `use` may lead to itself.
    open: RefCell<BTreeSet<(usize, Space, String)>>,
}

/// Items that a public path of a crate leads to.
#[derive(Debug, Default)]
pub struct Public {
    pub items: BTreeSet<Id>,
    /// Other crates that are re-exported as a whole.
    pub crates: BTreeSet<usize>,
    /// Path from the root of the crate of each item that has one.
    pub paths: BTreeMap<Id, String>,
    seen: BTreeSet<usize>,
}

impl<'a> Names<'a> {
    /// Collects the names of the crates.
    pub fn new(crates: &'a Crates<'a>) -> Self {
        let mut all = Self {
            crates,
            items: Vec::new(),
            modules: Vec::new(),
            roots: Vec::new(),
            open: RefCell::default(),
        };
        for (krate, parsed) in crates.all.iter().enumerate() {
            let base = all.modules.len();
            all.roots.push(base);
            for (index, module) in parsed.sources.modules.iter().enumerate() {
                let parent = module.parent.map(|parent| base + parent);
                all.modules.push(Module {
                    krate,
                    parent,
                    public: module.public,
                    block: module.block,
                    ..Module::default()
                });
                if let Some(parent) = parent.filter(|_| !module.block) {
                    let meaning = Meaning::Module(base + index);
                    all.add(parent, Space::Types, module.name.clone(), meaning);
                }
            }
            for (index, source) in parsed.sources.items.iter().enumerate() {
                let id = all.items.len();
                all.items.push((krate, index));
                all.item(base + source.module, id, &source.item);
            }
        }
        all
    }

    fn add(&mut self, module: usize, space: Space, name: String, meaning: Meaning) {
        let names = &mut self.modules[module].names;
        names.entry((space, name)).or_default().push(meaning);
    }

    fn item(&mut self, module: usize, id: Id, item: &Item) {
        match item {
            Item::Use(item) => {
                let public = matches!(item.vis, Visibility::Public(_));
                let mut start = Vec::new();
                if item.leading_colon.is_some() {
                    start.push(String::new());
                }
                self.tree(module, &item.tree, &start, public);
            }
            Item::ExternCrate(item) => {
                let named = item.ident.unraw().to_string();
                let public = matches!(item.vis, Visibility::Public(_));
                let path = match &*named {
                    "self" => vec!["crate".to_owned()],
                    _ => vec![String::new(), named.clone()],
                };
                let name = item
                    .rename
                    .as_ref()
                    .map(|(_, name)| name.unraw().to_string());
                // With a name of its own, the crate is used by that name.
                let used = name.as_ref().is_some_and(|name| name != "_");
                if !public && named != "self" && !used {
                    self.modules[module].linked.push(named.clone());
                }
                let meaning = Meaning::Use(Use { path, public });
                self.add(module, Space::Types, name.unwrap_or(named), meaning);
            }
            item => {
                let Some(ident) = item_ident(item) else {
                    return;
                };
                let space = match type_ident(item) {
                    Some(_) => Space::Types,
                    None => Space::Values,
                };
                self.add(module, space, ident.unraw().to_string(), Meaning::Item(id));
            }
        }
    }

    fn tree(&mut self, module: usize, tree: &UseTree, before: &[String], public: bool) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            path.push(name.unraw().to_string());
            path
        };
        let (mut path, name) = match tree {
            UseTree::Path(inner) => {
                return self.tree(module, &inner.tree, &with(&inner.ident), public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(module, tree, before, public);
                }
                return;
            }
            UseTree::Glob(_) => {
                let path = before.to_vec();
                self.modules[module].globs.push(Use { path, public });
                return;
            }
            UseTree::Name(inner) => (with(&inner.ident), inner.ident.unraw().to_string()),
            UseTree::Rename(inner) => (with(&inner.ident), inner.rename.unraw().to_string()),
        };
        let mut name = name;
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        if name == "_" {
            self.modules[module].linked.extend(path.first().cloned());
            return;
        }
        for space in [Space::Types, Space::Values] {
            let path = path.clone();
            self.add(
                module,
                space,
                name.clone(),
                Meaning::Use(Use { path, public }),
            );
        }
    }

    /// Returns the crate and the source of an item.
    pub fn source(&self, id: Id) -> (&'a Parsed<'a>, &'a SourceItem) {
        let (krate, index) = self.items[id];
        let parsed = &self.crates.all[krate];
        (parsed, &parsed.sources.items[index])
    }

    /// Returns the index of an item's crate.
    pub fn krate(&self, id: Id) -> usize {
        self.items[id].0
    }

    /// Returns an item.
    pub fn get(&self, id: Id) -> &'a Item {
        &self.source(id).1.item
    }

    /// Returns the module of an item.
    pub fn module(&self, id: Id) -> usize {
        let (krate, _) = self.items[id];
        self.roots[krate] + self.source(id).1.module
    }

    /// Returns the `file:line` of a place in the file of an item.
    pub fn place(&self, id: Id, span: proc_macro2::Span) -> String {
        let (parsed, source) = self.source(id);
        parsed.place(source, span.start().line)
    }

    /// Returns the types of the crate itself that are called `name`, in whatever module.
    pub fn types_named(&self, name: &str) -> Vec<Id> {
        let own = self.of_crate(0);
        own.filter(|id| type_ident(self.get(*id)).is_some_and(|ident| ident.unraw() == name))
            .collect()
    }

    /// Returns the place of a macro among the items of the crates that is given the word `name`.
    pub fn macro_that_names(&self, name: &str) -> Option<String> {
        fn has(tokens: proc_macro2::TokenStream, name: &str) -> bool {
            tokens.into_iter().any(|token| match token {
                proc_macro2::TokenTree::Ident(ident) => ident == name,
                proc_macro2::TokenTree::Group(group) => has(group.stream(), name),
                _ => false,
            })
        }
        let mut items = 0..self.items.len();
        items.find_map(|id| match self.get(id) {
            Item::Macro(item) if item.ident.is_none() && has(item.mac.tokens.clone(), name) => {
                Some(self.place(id, item.mac.path.segments[0].ident.span()))
            }
            _ => None,
        })
    }

    /// Lists the items of a crate.
    pub fn of_crate(&self, krate: usize) -> impl Iterator<Item = Id> {
        let items = self.items.iter().enumerate();
        items
            .filter(move |(_, (owner, _))| *owner == krate)
            .map(|(id, _)| id)
    }

    /// Returns what a path in a module leads to.
    pub fn resolve(&self, module: usize, path: &[String], space: Space) -> Found {
        let mut rest = path;
        let mut at = module;
        let leave_blocks = |mut at: usize| {
            while self.modules[at].block {
                at = self.modules[at].parent.unwrap_or(0);
            }
            at
        };
        let mut found = match path.first().map(|first| &**first) {
            None => return Found::Unknown,
            Some("") => {
                rest = &path[1..];
                match rest.first() {
                    Some(first) => self.extern_crate(module, first, rest),
                    None => return Found::Unknown,
                }
            }
            Some("crate" | "$crate") => Found::Module(self.roots[self.modules[module].krate]),
            Some("self") => Found::Module(leave_blocks(module)),
            Some("super") => match self.modules[leave_blocks(module)].parent {
                Some(parent) => Found::Module(leave_blocks(parent)),
                None => return Found::Unknown,
            },
            Some(first) => {
                let wanted = if rest.len() > 1 { Space::Types } else { space };
                loop {
                    match self.named(at, first, wanted) {
                        Found::Unknown => {}
                        found => break found,
                    }
                    match self.modules[at].parent {
                        Some(parent) if self.modules[at].block => at = parent,
                        _ => break self.extern_crate(module, first, rest),
                    }
                }
            }
        };
        for (index, name) in rest.iter().enumerate().skip(1) {
            let wanted = if index + 1 < rest.len() {
                Space::Types
            } else {
                space
            };
            found = match found {
                Found::Module(module) if name == "super" => match self.modules[module].parent {
                    Some(parent) => Found::Module(leave_blocks(parent)),
                    None => return Found::Unknown,
                },
                Found::Module(module) => self.named(module, name, wanted),
                Found::Foreign(mut path) => {
                    path.push(name.clone());
                    Found::Foreign(path)
                }
                // A constant or a variant of a type: no item.
                Found::Items(_) | Found::Unknown => return Found::Unknown,
            };
        }
        found
    }

    fn extern_crate(&self, module: usize, name: &str, path: &[String]) -> Found {
        let parsed = &self.crates.all[self.modules[module].krate];
        match parsed.dependencies.get(name) {
            Some(Some(krate)) => Found::Module(self.roots[*krate]),
            Some(None) => Found::Foreign(vec![name.to_owned()]),
            None if ["core", "alloc", "std"].contains(&name) => {
                Found::Foreign(vec![name.to_owned()])
            }
            // In the edition 2015, paths start at the crate.
            None if path.len() > 1 => {
                let root = self.roots[self.modules[module].krate];
                self.named(root, name, Space::Types)
            }
            None => Found::Unknown,
        }
    }

    /// Returns what a name in a module stands for, without the modules around it.
    fn named(&self, module: usize, name: &str, space: Space) -> Found {
        let key = (module, space, name.to_owned());
        if !self.open.borrow_mut().insert(key.clone()) {
            return Found::Unknown;
        }
        let found = self.look_up(module, name, space);
        self.open.borrow_mut().remove(&key);
        found
    }

    fn look_up(&self, module: usize, name: &str, space: Space) -> Found {
        let known = &self.modules[module];
        let mut items = Vec::new();
        for meaning in known
            .names
            .get(&(space, name.to_owned()))
            .into_iter()
            .flatten()
        {
            match meaning {
                Meaning::Item(id) => items.push(*id),
                Meaning::Module(module) => return Found::Module(*module),
                Meaning::Use(target) => match self.resolve(module, &target.path, space) {
                    Found::Items(more) => items.extend(more),
                    Found::Unknown => {}
                    found => return found,
                },
            }
        }
        if items.is_empty() {
            for glob in &known.globs {
                let found = match self.resolve(module, &glob.path, Space::Types) {
                    Found::Module(target) => self.named(target, name, space),
                    _ => Found::Unknown,
                };
                match found {
                    Found::Items(more) => items.extend(more),
                    Found::Unknown => {}
                    found => return found,
                }
            }
        }
        items.sort_unstable();
        items.dedup();
        if items.is_empty() {
            Found::Unknown
        } else {
            Found::Items(items)
        }
    }

    /// Returns what public paths of the crate lead to.
    pub fn public(&self) -> Public {
        let mut public = Public::default();
        for (index, module) in self.modules.iter().enumerate() {
            for name in module.linked.iter().filter(|_| module.krate == 0) {
                let path = [String::new(), name.clone()];
                if let Found::Module(target) = self.resolve(index, &path, Space::Types) {
                    self.visit(target, None, &mut public);
                }
            }
        }
        self.visit(self.roots[0], Some(""), &mut public);
        public.crates.remove(&0);
        public
    }

    fn visit(&self, module: usize, path: Option<&str>, public: &mut Public) {
        if !public.seen.insert(module) {
            return;
        }
        if self.roots.contains(&module) {
            public.crates.insert(self.modules[module].krate);
        }
        // A glob has the names of what it leads to.
        let mut go = |found: Found, name: Option<&str>| match found {
            Found::Items(items) => {
                if let (Some(path), Some(name)) = (path, name) {
                    for id in &items {
                        let path = format!("{path}{name}");
                        public.paths.entry(*id).or_insert(path);
                    }
                }
                public.items.extend(items);
            }
            Found::Module(module) => {
                let name = name.map_or_else(String::new, |name| format!("{name}::"));
                let path = path.map(|path| format!("{path}{name}"));
                self.visit(module, path.as_deref(), public);
            }
            _ => {}
        };
        for ((space, name), meanings) in &self.modules[module].names {
            for meaning in meanings {
                match meaning {
                    Meaning::Item(id) if is_public(self.get(*id)) => {
                        go(Found::Items(vec![*id]), Some(name))
                    }
                    Meaning::Module(inner) if self.modules[*inner].public => {
                        go(Found::Module(*inner), Some(name));
                    }
                    Meaning::Use(target) if target.public => {
                        go(self.resolve(module, &target.path, *space), Some(name));
                    }
                    _ => {}
                }
            }
        }
        for glob in self.modules[module].globs.iter().filter(|glob| glob.public) {
            go(self.resolve(module, &glob.path, Space::Types), None);
        }
    }

    /// Returns the crate that a crate calls `name`.
    pub fn dependency(&self, name: &str) -> Option<usize> {
        let name = name.replace('-', "_");
        let mut all = self.crates.all.iter();
        all.position(|parsed| parsed.package.name.replace('-', "_") == name)
    }
}

fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Fn(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Const(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Union(item) => &item.vis,
        Item::Type(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}
