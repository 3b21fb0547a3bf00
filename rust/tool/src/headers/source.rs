// SPDX-License-Identifier: BSD-2-Clause

//! Modules of a crate, parsed and laid flat, with their `#[cfg]`s evaluated as far as they are known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

use super::macros;

/// Items of a crate in order, with those of nested modules.
#[derive(Debug, Default)]
pub struct Sources {
    /// Files that were read, the root first.
    pub files: Vec<PathBuf>,
    /// Items other than modules.
    pub items: Vec<SourceItem>,
    /// Modules, the crate itself first.
    pub modules: Vec<Module>,
    /// `include!` lines whose file is not known, with the file and line that they are in.
    pub unread: Vec<(usize, usize)>,
    /// `mod` lines whose file does not exist. A build that succeeds has them behind a `#[cfg]`.
    pub missing: Vec<Missing>,
    /// Files that are being read, each a module of the one before it.
    open: Vec<PathBuf>,
}

/// An item and its file.
#[derive(Debug)]
pub struct SourceItem {
    /// Index into [`Sources::files`].
    pub file: usize,
    /// Index into [`Sources::modules`].
    pub module: usize,
    /// Parsed item.
    pub item: Item,
}

/// A module, or a block of code with items in it.
#[derive(Debug, Default)]
pub struct Module {
    /// Module around it; `None` for the crate.
    pub parent: Option<usize>,
    /// Name of the module; empty for the crate and for blocks.
    pub name: String,
    /// `true` if the module is `pub`.
    pub public: bool,
    /// `true` for a block, in which the names of the module around it count as well.
    pub block: bool,
}

/// A `mod` line without a file.
#[derive(Debug)]
pub struct Missing {
    /// Name of the module.
    pub name: String,
    /// Index into [`Sources::files`].
    pub file: usize,
    /// Line, from 1.
    pub line: usize,
}

/// A file that does not parse as Rust.
#[derive(Debug)]
pub struct SyntaxError {
    /// Path of the file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Message of the parser.
    pub message: String,
}

/// Presence of an item in the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The item is part of the build.
    Yes,
    /// The item is not part of the build.
    No,
    /// The presence depends on something unknown.
    Unknown,
}

/// Configuration of a build, as far as it is known. Tests are never part of the build.
#[derive(Debug, Default, Clone)]
pub struct Cfg {
    /// Enabled features, if known.
    pub features: Option<BTreeSet<String>>,
    /// Target triple; `None` for the machine itself.
    pub target: Option<String>,
    /// Folders that the build script of the package wrote to, the newest first.
    pub out_dirs: Vec<PathBuf>,
    /// All cfgs but those of features, if they are all known.
    pub known: Option<BTreeSet<String>>,
    /// Environment variables of the build that the project sets.
    pub variables: BTreeMap<String, String>,
}

impl Cfg {
    /// Replaces each `#[cfg_attr]` that is decided by its attributes or by nothing.
    ///
    /// An export under a condition that is not known counts as an item under that condition.
    fn expand(&self, attributes: &mut Vec<Attribute>) {
        if !attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("cfg_attr"))
        {
            return;
        }
        for attribute in std::mem::take(attributes) {
            let parts = attribute
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .unwrap_or_default();
            if !attribute.path().is_ident("cfg_attr") || parts.is_empty() {
                attributes.push(attribute);
                continue;
            }
            let condition = &parts[0];
            let presence = self.holds(condition);
            let mut more: Vec<Attribute> = parts
                .iter()
                .skip(1)
                .map(|meta| syn::parse_quote!(#[#meta]))
                .collect();
            match presence {
                Presence::No => continue,
                Presence::Unknown if !more.iter().any(is_export) => continue,
                Presence::Unknown => attributes.push(syn::parse_quote!(#[cfg(#condition)])),
                Presence::Yes => {}
            }
            self.expand(&mut more);
            attributes.extend(more);
        }
    }

    /// Evaluates the `#[cfg]`s among `attributes` together.
    pub fn presence(&self, attributes: &[Attribute]) -> Presence {
        let all = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .map(|attribute| match attribute.parse_args::<Meta>() {
                Ok(meta) => self.holds(&meta),
                Err(_) => Presence::Unknown,
            });
        every(all)
    }

    /// Returns whether a crate with this root file has std in it.
    pub fn has_std(&self, root: &syn::File) -> Presence {
        let words = ["no_std", "no_core"];
        let is_without = |meta: &Meta| words.iter().any(|word| meta.path().is_ident(word));
        let without = root.attrs.iter().map(|attribute| {
            let parts = attribute
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .unwrap_or_default();
            if is_without(&attribute.meta) {
                Presence::Yes
            } else if attribute.path().is_ident("cfg_attr") && parts.iter().skip(1).any(is_without)
            {
                self.holds(&parts[0])
            } else {
                Presence::No
            }
        });
        // With one of the attributes, a crate can still name std.
        let named = root.items.iter().map(|item| match item {
            Item::ExternCrate(item) if item.ident == "std" => self.presence(&item.attrs),
            _ => Presence::No,
        });
        let without = opposite(every(without.map(opposite)));
        let named = opposite(every(named.map(opposite)));
        opposite(every([without, opposite(named)].into_iter()))
    }

    /// Removes the `#[cfg]`s that hold.
    fn settle(&self, attributes: &mut Vec<Attribute>) {
        attributes.retain(|attribute| {
            !attribute.path().is_ident("cfg")
                || self.presence(std::slice::from_ref(attribute)) != Presence::Yes
        });
    }

    /// Removes fields, variants and methods that are not built, and the `#[cfg]`s that hold from the others.
    fn settle_inside(&self, item: &mut Item) {
        let fields = |fields: &mut syn::Fields| match fields {
            syn::Fields::Named(syn::FieldsNamed { named: list, .. })
            | syn::Fields::Unnamed(syn::FieldsUnnamed { unnamed: list, .. }) => {
                self.settle_list(list, |field| &mut field.attrs);
            }
            syn::Fields::Unit => {}
        };
        match item {
            Item::Fn(item) => self.settle_list(&mut item.sig.inputs, |input| match input {
                syn::FnArg::Receiver(input) => &mut input.attrs,
                syn::FnArg::Typed(input) => &mut input.attrs,
            }),
            Item::Struct(item) => fields(&mut item.fields),
            Item::Union(item) => self.settle_list(&mut item.fields.named, |field| &mut field.attrs),
            Item::Enum(item) => {
                self.settle_list(&mut item.variants, |variant| &mut variant.attrs);
                for variant in &mut item.variants {
                    fields(&mut variant.fields);
                }
            }
            Item::Impl(item) => {
                item.items.retain_mut(|item| {
                    let attributes = match item {
                        syn::ImplItem::Fn(item) => &mut item.attrs,
                        syn::ImplItem::Const(item) => &mut item.attrs,
                        _ => return true,
                    };
                    self.expand(attributes);
                    let built = self.presence(attributes) != Presence::No;
                    self.settle(attributes);
                    built
                });
            }
            _ => {}
        }
    }

    fn settle_list<T, P: Default>(
        &self,
        list: &mut Punctuated<T, P>,
        attributes: impl Fn(&mut T) -> &mut Vec<Attribute>,
    ) {
        let all = std::mem::take(list).into_iter();
        *list = all
            .filter_map(|mut entry| {
                let attributes = attributes(&mut entry);
                self.expand(attributes);
                let built = self.presence(attributes) != Presence::No;
                self.settle(attributes);
                built.then_some(entry)
            })
            .collect();
    }

    /// Returns whether a cfg is set, where that is known of all.
    fn is_set(&self, meta: &Meta) -> Option<bool> {
        let known = self.known.as_ref()?;
        let cfg = match meta {
            Meta::Path(path) => path.get_ident()?.to_string(),
            Meta::NameValue(pair) => {
                format!("{}={:?}", pair.path.get_ident()?, literal(&pair.value)?)
            }
            Meta::List(_) => return None,
        };
        let apart = ["feature", "panic"]
            .iter()
            .any(|name| cfg.starts_with(&format!("{name}=")));
        (!apart).then(|| known.contains(&cfg))
    }

    fn holds(&self, meta: &Meta) -> Presence {
        match meta {
            Meta::Path(path)
                if ["doctest", "test", "windows"]
                    .iter()
                    .any(|name| path.is_ident(name)) =>
            {
                Presence::No
            }
            Meta::Path(path) if path.is_ident("unix") => match &self.target {
                Some(target) if target.contains("-none") => Presence::No,
                _ => Presence::Yes,
            },
            Meta::Path(_) | Meta::NameValue(_) if self.is_set(meta).is_some() => {
                match self.is_set(meta) {
                    Some(true) => Presence::Yes,
                    _ => Presence::No,
                }
            }
            Meta::NameValue(pair) if pair.path.is_ident("feature") => {
                let (Some(features), Some(name)) = (&self.features, literal(&pair.value)) else {
                    return Presence::Unknown;
                };
                if features.contains(&name) {
                    Presence::Yes
                } else {
                    Presence::No
                }
            }
            Meta::List(list) => {
                let Ok(parts) =
                    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                else {
                    return Presence::Unknown;
                };
                let parts = parts.iter().map(|part| self.holds(part));
                if list.path.is_ident("all") {
                    every(parts)
                } else if list.path.is_ident("any") {
                    opposite(every(parts.map(opposite)))
                } else if list.path.is_ident("not") {
                    opposite(every(parts))
                } else {
                    Presence::Unknown
                }
            }
            _ => Presence::Unknown,
        }
    }
}

fn every(parts: impl Iterator<Item = Presence>) -> Presence {
    let mut known = Presence::Yes;
    for part in parts {
        match part {
            Presence::No => return Presence::No,
            Presence::Unknown => known = Presence::Unknown,
            Presence::Yes => {}
        }
    }
    known
}

fn opposite(presence: Presence) -> Presence {
    match presence {
        Presence::Yes => Presence::No,
        Presence::No => Presence::Yes,
        Presence::Unknown => Presence::Unknown,
    }
}

fn literal(value: &syn::Expr) -> Option<String> {
    match value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// Returns the attributes of an item.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the attributes of an item, to change them.
pub fn attributes_mut(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    Some(match item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::ExternCrate(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::ForeignMod(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Macro(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Union(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        _ => return None,
    })
}

/// Place of items while they are read.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: usize,
    /// Folder that `#[path]` is relative to inside an inline module.
    here: &'a Path,
    /// Folder of the submodules' files.
    children: &'a Path,
    module: usize,
}

/// Returns whether an attribute exports its item to C.
pub fn is_export(attribute: &Attribute) -> bool {
    let name = |path: &syn::Path| path.is_ident("no_mangle") || path.is_ident("export_name");
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("unsafe") => list
            .parse_args::<Meta>()
            .is_ok_and(|meta| name(meta.path())),
        meta => name(meta.path()),
    }
}

impl Sources {
    /// Reads the crate whose root file is `root`, without the items that `cfg` excludes.
    /// Items inherit the `#[cfg]`s of their modules.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or parsed.
    pub fn load(root: &Path, cfg: &Cfg) -> std::result::Result<Self, SyntaxError> {
        let mut sources = Self::default();
        let folder = root.parent().unwrap_or(Path::new("/"));
        sources.modules.push(Module {
            public: true,
            ..Module::default()
        });
        sources.file(root, folder, &[], 0, cfg)?;
        Ok(sources)
    }

    /// Returns the file of an item.
    pub fn path(&self, item: &SourceItem) -> &Path {
        &self.files[item.file]
    }

    /// Reads the file `path`. `children` is the folder of its submodules.
    fn file(
        &mut self,
        path: &Path,
        children: &Path,
        outer: &[Attribute],
        module: usize,
        cfg: &Cfg,
    ) -> std::result::Result<(), SyntaxError> {
        let failed = |line: usize, message: String| SyntaxError {
            file: path.to_owned(),
            line,
            message,
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(1, error.to_string()))?;
        let full = path
            .canonicalize()
            .map_err(|error| failed(1, error.to_string()))?;
        if self.open.contains(&full) {
            return Err(failed(1, "the file is a module of itself".to_owned()));
        }
        let parsed = syn::parse_file(&text)
            .map_err(|error| failed(error.span().start().line, error.to_string()))?;
        self.files.push(path.to_owned());
        let file = self.files.len() - 1;
        let mut inner = outer.to_vec();
        inner.extend(
            parsed
                .attrs
                .into_iter()
                .filter(|attribute| attribute.path().is_ident("cfg")),
        );
        if cfg.presence(&inner) == Presence::No {
            return Ok(());
        }
        self.open.push(full);
        let place = Place {
            file,
            here: children,
            children,
            module,
        };
        self.items(place, parsed.items, &inner, cfg)?;
        self.open.pop();
        Ok(())
    }

    /// Adds items, and reads their modules, included files and blocks.
    fn items(
        &mut self,
        place: Place<'_>,
        items: Vec<Item>,
        outer: &[Attribute],
        cfg: &Cfg,
    ) -> std::result::Result<(), SyntaxError> {
        for mut item in items {
            if let Some(attributes) = attributes_mut(&mut item) {
                cfg.expand(attributes);
            }
            if cfg.presence(attributes(&item)) == Presence::No {
                continue;
            }
            match item {
                Item::Mod(module) => self.module(place, module, outer, cfg)?,
                Item::Macro(item) if item.ident.is_none() => {
                    let mut cfgs = outer.to_vec();
                    let own = item.attrs.iter();
                    cfgs.extend(own.filter(|each| each.path().is_ident("cfg")).cloned());
                    self.invocation(place, item, &cfgs, cfg)?;
                }
                mut item => {
                    if let Some(attributes) = attributes_mut(&mut item) {
                        attributes.extend(outer.iter().cloned());
                        cfg.settle(attributes);
                    }
                    cfg.settle_inside(&mut item);
                    let blocks = macros::blocks_in(&item);
                    let module = place.module;
                    let file = place.file;
                    self.items.push(SourceItem { file, module, item });
                    self.blocks(place, blocks, outer, cfg)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the items in blocks of code.
    fn blocks(
        &mut self,
        place: Place<'_>,
        blocks: Vec<macros::Block>,
        outer: &[Attribute],
        cfg: &Cfg,
    ) -> std::result::Result<(), SyntaxError> {
        for block in blocks {
            let module = self.enter(Module {
                parent: Some(place.module),
                block: true,
                ..Module::default()
            });
            let place = Place { module, ..place };
            self.items(place, block.items, outer, cfg)?;
            self.blocks(place, block.inner, outer, cfg)?;
        }
        Ok(())
    }

    fn enter(&mut self, module: Module) -> usize {
        self.modules.push(module);
        self.modules.len() - 1
    }

    /// Adds the items that a macro of a known meaning makes, and any other macro as an item.
    fn invocation(
        &mut self,
        place: Place<'_>,
        item: syn::ItemMacro,
        outer: &[Attribute],
        cfg: &Cfg,
    ) -> std::result::Result<(), SyntaxError> {
        let span = item.mac.path.segments[0].ident.span();
        match macros::expand(&item.mac) {
            Some(macros::Expansion::Include(name)) => {
                let beside = self.files[place.file].parent().unwrap_or(Path::new("/"));
                let path = match name {
                    macros::Name::Beside(name) => Some(beside.join(name)),
                    macros::Name::Package(name) => {
                        let mut folders = self.files[0].ancestors();
                        let package = folders.find(|folder| folder.join("Cargo.toml").is_file());
                        package.map(|package| package.join(name))
                    }
                    macros::Name::Out(name) => {
                        let mut files = cfg.out_dirs.iter().map(|folder| folder.join(&name));
                        files.find(|file| file.is_file())
                    }
                    macros::Name::Variable(name) => cfg.variables.get(&name).map(PathBuf::from),
                    macros::Name::Unknown => None,
                };
                let Some(path) = path.filter(|path| path.is_file()) else {
                    self.unread.push((place.file, span.start().line));
                    return Ok(());
                };
                let folder = path.parent().unwrap_or(beside).to_owned();
                self.file(&path, &folder, outer, place.module, cfg)
            }
            Some(macros::Expansion::Arms(arms)) => {
                for (condition, items) in arms {
                    let mut outer = outer.to_vec();
                    outer.push(syn::parse_quote!(#[cfg(#condition)]));
                    if cfg.presence(&outer) != Presence::No {
                        self.items(place, items, &outer, cfg)?;
                    }
                }
                Ok(())
            }
            Some(macros::Expansion::Items(items)) => self.items(place, items, outer, cfg),
            None => {
                self.items.push(SourceItem {
                    file: place.file,
                    module: place.module,
                    item: Item::Macro(item),
                });
                Ok(())
            }
        }
    }

    fn module(
        &mut self,
        place: Place<'_>,
        module: syn::ItemMod,
        outer: &[Attribute],
        cfg: &Cfg,
    ) -> std::result::Result<(), SyntaxError> {
        let Place {
            file,
            here,
            children,
            module: parent,
        } = place;
        use syn::ext::IdentExt;
        let name = module.ident.unraw().to_string();
        let mut cfgs = outer.to_vec();
        cfgs.extend(
            module
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("cfg"))
                .cloned(),
        );
        let inner = self.enter(Module {
            parent: Some(parent),
            name: name.clone(),
            public: matches!(module.vis, syn::Visibility::Public(_)),
            block: false,
        });
        let named = module
            .attrs
            .iter()
            .find_map(|attribute| match &attribute.meta {
                Meta::NameValue(pair) if pair.path.is_ident("path") => literal(&pair.value),
                _ => None,
            });
        if let Some((_, items)) = module.content {
            let inside = children.join(named.as_deref().unwrap_or(&name));
            let place = Place {
                file,
                here: &inside,
                children: &inside,
                module: inner,
            };
            return self.items(place, items, &cfgs, cfg);
        }
        if let Some(named) = named {
            // Outside inline modules a path counts from the file that names it.
            let base = if here == children && self.files[file].parent() != Some(children) {
                let beside = self.files[file].parent().unwrap_or(here);
                if beside.join(&named).is_file() {
                    beside
                } else {
                    here
                }
            } else {
                here
            };
            let path = base.join(named);
            let folder = path.parent().unwrap_or(base).to_owned();
            if path.is_file() {
                return self.file(&path, &folder, &cfgs, inner, cfg);
            }
        }
        let flat = children.join(format!("{name}.rs"));
        let nested = children.join(&name).join("mod.rs");
        let submodules = children.join(&name);
        if flat.is_file() {
            self.file(&flat, &submodules, &cfgs, inner, cfg)
        } else if nested.is_file() {
            self.file(&nested, &submodules, &cfgs, inner, cfg)
        } else {
            self.missing.push(Missing {
                name,
                file,
                line: module.ident.span().start().line,
            });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfgs_are_decided_as_far_as_they_are_known() {
        let cfg = Cfg {
            features: Some(BTreeSet::from(["a".to_owned()])),
            target: Some("aarch64-unknown-none".to_owned()),
            out_dirs: Vec::new(),
            known: None,
            variables: BTreeMap::new(),
        };
        let presence = |text: &str| {
            let item: syn::ItemFn =
                syn::parse_str(&format!("{text} fn f() {{}}")).expect("a function");
            cfg.presence(&item.attrs)
        };
        let exact = Cfg {
            known: Some(BTreeSet::from([
                "sel4".to_owned(),
                "board=\"a\"".to_owned(),
            ])),
            ..cfg.clone()
        };
        for (text, is) in [
            (
                "#[cfg(all(sel4, board = \"a\", feature = \"a\"))]",
                Presence::Yes,
            ),
            (
                "#[cfg(any(board = \"b\", CONFIG_KERNEL_MCS, debug_assertions))]",
                Presence::No,
            ),
            ("#[cfg(panic = \"abort\")]", Presence::Unknown),
        ] {
            let item: syn::ItemFn =
                syn::parse_str(&format!("{text} fn f() {{}}")).expect("a function");
            assert_eq!(exact.presence(&item.attrs), is, "{text}");
        }
        assert_eq!(presence(""), Presence::Yes);
        assert_eq!(presence("#[cfg(test)]"), Presence::No);
        assert_eq!(presence("#[cfg(not(test))]"), Presence::Yes);
        assert_eq!(presence("#[cfg(any(unix, windows))]"), Presence::No);
        assert_eq!(presence("#[cfg(feature = \"a\")]"), Presence::Yes);
        assert_eq!(presence("#[cfg(feature = \"b\")]"), Presence::No);
        assert_eq!(
            presence("#[cfg(any(test, feature = \"a\"))]"),
            Presence::Yes
        );
        assert_eq!(
            presence("#[cfg(all(not(test), target_os = \"none\"))]"),
            Presence::Unknown
        );
        assert_eq!(
            presence("#[cfg(all(test, target_os = \"none\"))]"),
            Presence::No
        );
    }
}
