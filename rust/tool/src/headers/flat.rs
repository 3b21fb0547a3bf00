// SPDX-License-Identifier: BSD-2-Clause

//! The single source file that cbindgen reads: exports, and what they reach.
//!
//! The file has no modules, as C has none. Each path is resolved as Rust resolves it and replaced by the item's own
//! name, or by a type that cbindgen knows. Private items that no export reaches are not in it, and types whose layout
//! is Rust's own are in it by name only.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, GenericArgument, Item, Meta, PathArguments, Token, Type, parse_quote};

use super::complaints::undefined_type;
use super::exports;
use super::names::{Found, Id, Names, Space};
use super::settings::Settings;
use super::source::is_export;
use super::values::{NUMBERS, Scope, Values, segments};
use crate::failure::{Failure, Result};
use crate::objects::types::Number;

/// Name of the file. cbindgen takes its stem for the name of the crate.
pub const FILE: &str = "flat.rs";

/// Name of a function that is in the file and not in the header.
pub const FIRST: &str = "sel4_rust_first";

/// Types that cbindgen writes as numbers of C, and those that it leaves out.
const PLAIN: [&str; 34] = [
    "PhantomData",
    "PhantomPinned",
    "RawFd",
    "VaList",
    "VaListImpl",
    "c_char",
    "c_double",
    "c_float",
    "c_int",
    "c_long",
    "c_longlong",
    "c_schar",
    "c_short",
    "c_uchar",
    "c_uint",
    "c_ulong",
    "c_ulonglong",
    "c_ushort",
    "c_void",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "intptr_t",
    "ptrdiff_t",
    "size_t",
    "ssize_t",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    "uintptr_t",
    "va_list",
    "void",
];

/// Types of Rust's library that cbindgen knows, by value or as opaque structs.
const KNOWN: [&str; 17] = [
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "Box",
    "HashMap",
    "HashSet",
    "LinkedList",
    "ManuallyDrop",
    "MaybeUninit",
    "NonNull",
    "Option",
    "Rc",
    "RefCell",
    "Result",
    "String",
    "Vec",
    "VecDeque",
];

/// End of a name that tells a type of the crates from one of Rust's library.
const OWN: &str = "_own";

/// Types of Rust's library with the layout of their parameter.
const WRAPPERS: [&str; 8] = [
    "Cell",
    "ManuallyDrop",
    "MaybeUninit",
    "Pin",
    "Saturating",
    "SyncUnsafeCell",
    "UnsafeCell",
    "Wrapping",
];

/// Types of Rust's library whose pointers have two words.
const UNSIZED: [&str; 4] = ["ByteStr", "CStr", "OsStr", "Path"];

/// An item of the file.
pub struct FlatItem {
    pub item: Item,
    /// `file:line` of the item.
    pub place: String,
    /// Reason why C does not get the layout of the type, if it does not.
    pub opaque: Option<String>,
    /// Item of a crate that is not parsed, with its path.
    pub foreign: Option<String>,
    /// Alignment that no field exceeds, of `#[repr(packed(2))]`.
    pub packed: Option<String>,
}

/// The items of the file.
pub struct Flat(pub Vec<FlatItem>);

/// Place of a type.
struct At {
    id: Id,
    module: usize,
    /// Type parameters and constant parameters.
    generics: Vec<String>,
    own: Option<Id>,
}

/// State of a run of [`Flattener::flatten`].
#[derive(Default)]
struct Run {
    queue: Vec<Id>,
    done: BTreeMap<Id, Option<FlatItem>>,
    foreign: BTreeMap<String, FlatItem>,
}

/// Makes such files.
pub struct Flattener<'a> {
    names: &'a Names<'a>,
    settings: &'a Settings,
    pointer: u32,
    /// 64-bit atomics have another alignment than 64-bit numbers have in C.
    ia32: bool,
    impls: BTreeMap<Id, Vec<Id>>,
    /// Constants that become macros.
    constants: BTreeMap<Id, &'static str>,
    /// Values that the compiler gave.
    asked: BTreeMap<Id, Number>,
}

impl<'a> Flattener<'a> {
    pub fn new(names: &'a Names<'a>, settings: &'a Settings, target: Option<&str>) -> Self {
        let target = target.unwrap_or(std::env::consts::ARCH);
        let wide = ["aarch64", "riscv64", "x86_64"]
            .iter()
            .any(|arch| target.starts_with(arch));
        let mut all = Self {
            names,
            settings,
            pointer: if wide { 64 } else { 32 },
            ia32: target.starts_with('i') || target == "x86",
            impls: BTreeMap::new(),
            constants: BTreeMap::new(),
            asked: BTreeMap::new(),
        };
        for krate in 0..names.crates.all.len() {
            for id in names.of_crate(krate) {
                if let Item::Impl(item) = names.get(id)
                    && let Type::Path(path) = &*item.self_ty
                    && let Found::Items(types) =
                        names.resolve(names.module(id), &segments(&path.path), Space::Types)
                {
                    for ty in types {
                        all.impls.entry(ty).or_default().push(id);
                    }
                }
            }
        }
        all
    }

    fn values(&self) -> Values<'_> {
        Values {
            names: self.names,
            impls: &self.impls,
            asked: &self.asked,
            pointer: self.pointer,
            depth: Cell::new(0),
        }
    }

    /// Chooses the constants among `items` that become macros, and returns those whose values only the compiler knows.
    pub fn add_constants(&mut self, items: &BTreeSet<Id>) -> Vec<(Id, &'static str)> {
        let mut unknown = Vec::new();
        for id in items {
            if let Item::Const(item) = self.names.get(*id)
                && let Some(kind) = self.values().kind(&item.ty, self.names.module(*id))
            {
                match self.constant(item, *id) {
                    Some(_) => drop(self.constants.insert(*id, kind)),
                    None => unknown.push((*id, kind)),
                }
            }
        }
        unknown
    }

    /// Takes the values of constants from the compiler.
    pub fn add_values(&mut self, values: Vec<(Id, &'static str, Number)>) {
        for (id, kind, value) in values {
            self.constants.insert(id, kind);
            self.asked.insert(id, value);
        }
    }

    /// Returns whether a pointer has 64 bits.
    pub fn is_wide(&self) -> bool {
        self.pointer == 64
    }

    /// Returns the constants that become macros, with their types.
    pub fn constants(&self) -> &BTreeMap<Id, &'static str> {
        &self.constants
    }

    fn constant(&self, item: &syn::ItemConst, id: Id) -> Option<Expr> {
        let scope = Scope {
            module: self.names.module(id),
            own: None,
        };
        match self.asked.get(&id) {
            None => self.expression(&item.expr, &item.ty, scope),
            Some(value) => {
                let kind = self.values().kind(&item.ty, scope.module)?;
                match value {
                    Number::Integer(number) => self.literal(*number, kind),
                    Number::Float(bits) => float(f64::from_bits(*bits), kind),
                }
            }
        }
    }

    /// Returns an expression with the value and the type of a constant that means the same in C.
    fn expression(&self, value: &Expr, ty: &Type, scope: Scope) -> Option<Expr> {
        let values = self.values();
        let kind = values.kind(ty, scope.module)?;
        match value {
            // C's letters have no code above 127, and its escapes are others.
            Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Char(letter),
                ..
            }) if matches!(letter.value(), ' '..='~') => Some(value.clone()),
            _ if kind.starts_with('f') => {
                let text = value.to_token_stream().to_string();
                let text = text.replace(['_', ' '], "");
                let text = text.trim_end_matches("f32").trim_end_matches("f64");
                let is_number = |letter: char| letter.is_ascii_digit() || ".eE+-".contains(letter);
                if !text.chars().all(is_number) {
                    return None;
                }
                match kind {
                    "f32" => float(text.parse::<f32>().ok()?.into(), kind),
                    _ => float(text.parse().ok()?, kind),
                }
            }
            _ => self.literal(values.of(value, scope, Some(kind))?.number, kind),
        }
    }

    /// Returns a literal, which cbindgen writes with the suffix that keeps its type in C. C promotes narrow types.
    fn literal(&self, number: i128, kind: &str) -> Option<Expr> {
        let wide = self.is_wide();
        let suffix = match kind {
            "bool" => {
                let value = number != 0;
                return Some(parse_quote!(#value));
            }
            "u32" | "u64" | "i64" => kind,
            "usize" if wide => "u64",
            "usize" => "u32",
            "isize" if wide => "i64",
            _ => "",
        };
        // C has no literals for the smallest numbers.
        let text = match number {
            n if n == i64::MIN.into() => "-9223372036854775807i64 - 1".to_owned(),
            n if n == i32::MIN.into() && suffix.is_empty() => "-2147483647 - 1".to_owned(),
            _ => format!("{number}{suffix}"),
        };
        syn::parse_str(&text).ok()
    }

    /// Returns `roots` and what they reach, in the order of the sources.
    pub fn flatten(&self, roots: &[Id]) -> Result<Flat> {
        let mut run = Run {
            queue: roots.to_vec(),
            ..Run::default()
        };
        while let Some(id) = run.queue.pop() {
            if run.done.contains_key(&id) {
                continue;
            }
            run.done.insert(id, None);
            let item = self.item(id, roots.contains(&id), &mut run)?;
            run.done.insert(id, item);
            run.queue.extend(self.impls.get(&id).into_iter().flatten());
        }
        let own = run.done.into_values().flatten();
        Ok(Flat(own.chain(run.foreign.into_values()).collect()))
    }

    fn at(&self, id: Id, generics: &syn::Generics) -> At {
        let names = generics.params.iter().filter_map(|param| match param {
            syn::GenericParam::Type(param) => Some(param.ident.unraw().to_string()),
            syn::GenericParam::Const(param) => Some(param.ident.unraw().to_string()),
            syn::GenericParam::Lifetime(_) => None,
        });
        At {
            id,
            module: self.names.module(id),
            generics: names.collect(),
            own: super::crates::type_ident(self.names.get(id)).map(|_| id),
        }
    }

    fn item(&self, id: Id, root: bool, run: &mut Run) -> Result<Option<FlatItem>> {
        let source = self.names.get(id);
        let (mut opaque, mut packed) = (None, None);
        let span =
            super::crates::item_ident(source).map_or_else(|| source.span(), syn::Ident::span);
        let item = match source {
            Item::Fn(item) => {
                let mut item = item.clone();
                let at = self.at(id, &item.sig.generics);
                self.signature(&mut item.sig, &at, run)?;
                item.vis = parse_quote!(pub);
                item.block.stmts.clear();
                clean(&mut item.attrs);
                Item::Fn(item)
            }
            Item::Static(item) => {
                let mut item = item.clone();
                let changes = self.changes(&item.ty, self.names.module(id), 0);
                self.ty(&mut item.ty, &self.at(id, &syn::Generics::default()), run)?;
                item.vis = parse_quote!(pub);
                item.expr = parse_quote!(0);
                // Of a function, cbindgen would write that its result is constant.
                if is_function(&item.ty) || changes {
                    item.mutability = parse_quote!(mut);
                }
                clean(&mut item.attrs);
                Item::Static(item)
            }
            Item::Const(item) => {
                let Some(value) = self.constant(item, id) else {
                    return Ok(None);
                };
                let mut item = item.clone();
                item.expr = Box::new(value);
                let at = self.at(id, &syn::Generics::default());
                if self.ty(&mut item.ty, &at, run).is_err() {
                    return Ok(None);
                }
                clean(&mut item.attrs);
                Item::Const(item)
            }
            Item::Type(item) => {
                let mut item = item.clone();
                let at = self.at(id, &item.generics);
                plain(&mut item.generics);
                if self.is_unsized(&item.ty, &at, 0) {
                    let place = self.names.place(id, item.ident.span());
                    return Err(wide(
                        &format!("an export (`{place}`)"),
                        &item.ident.to_string(),
                    ));
                }
                self.ty(&mut item.ty, &at, run)?;
                item.ident = own_name(&item.ident);
                clean(&mut item.attrs);
                Item::Type(item)
            }
            Item::Struct(_) | Item::Union(_) | Item::Enum(_) => {
                let (item, layout) = self.composite(id, source, run)?;
                match layout {
                    Ok(most) => packed = most,
                    Err(reason) => opaque = Some(reason),
                }
                item
            }
            Item::Impl(item) => match self.block(id, item, root, run)? {
                Some(item) => Item::Impl(item),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(FlatItem {
            item,
            place: self.names.place(id, span),
            opaque,
            foreign: None,
            packed,
        }))
    }

    /// Returns whether a value of this type may change while others only read it, so that C must not take it for constant.
    fn changes(&self, ty: &Type, module: usize, depth: u32) -> bool {
        const CELLS: [&str; 5] = [
            "Cell",
            "OnceCell",
            "RefCell",
            "SyncUnsafeCell",
            "UnsafeCell",
        ];
        let Type::Path(path) = ty else {
            return matches!(ty, Type::Array(array) if self.changes(&array.elem, module, depth));
        };
        let Some(last) = path.path.segments.last().filter(|_| depth < 20) else {
            return false;
        };
        if argument(last).is_some_and(|inner| self.changes(inner, module, depth + 1)) {
            return true;
        }
        let found = self
            .names
            .resolve(module, &segments(&path.path), Space::Types);
        let Found::Items(ids) = found else {
            let name = last.ident.to_string();
            return name.starts_with("Atomic")
                || CELLS.contains(&&*name)
                || matches!(found, Found::Foreign(path) if !self.is_std(&path));
        };
        ids.iter().any(|id| {
            let any = |fields: &syn::Fields| {
                let module = self.names.module(*id);
                fields
                    .iter()
                    .any(|field| self.changes(&field.ty, module, depth + 1))
            };
            match self.names.get(*id) {
                Item::Type(item) => self.changes(&item.ty, self.names.module(*id), depth + 1),
                Item::Struct(item) => any(&item.fields),
                Item::Union(item) => any(&syn::Fields::Named(item.fields.clone())),
                Item::Enum(item) => item.variants.iter().any(|variant| any(&variant.fields)),
                _ => false,
            }
        })
    }

    /// Returns the one item of the crates that a type names.
    fn named(&self, ty: &Type, at: &At) -> Option<Id> {
        let Type::Path(path) = ty else {
            return None;
        };
        let names = segments(&path.path);
        if path.qself.is_some() || names.len() == 1 && at.generics.contains(&names[0]) {
            return None;
        }
        match self.names.resolve(at.module, &names, Space::Types) {
            Found::Items(ids) => ids.first().copied(),
            _ => None,
        }
    }

    /// Returns whether a type has no size of its own.
    fn is_unsized(&self, ty: &Type, at: &At, depth: u32) -> bool {
        if matches!(ty, Type::Slice(_) | Type::TraitObject(_))
            || matches!(ty, Type::Path(path) if path.path.is_ident("str"))
        {
            return true;
        }
        let Some(id) = self.named(ty, at).filter(|_| depth < 20) else {
            return false;
        };
        match self.names.get(id) {
            Item::Type(item) => self.is_unsized(&item.ty, &self.at(id, &item.generics), depth + 1),
            Item::Struct(item) => item.fields.iter().next_back().is_some_and(|last| {
                self.is_unsized(&last.ty, &self.at(id, &item.generics), depth + 1)
            }),
            _ => false,
        }
    }

    /// Returns whether a type takes no room, and moves no field behind it. C++ has no such types.
    fn is_empty(&self, ty: &Type, at: &At, depth: u32) -> bool {
        if is_marker(ty) {
            return true;
        }
        if let Type::Array(array) = ty {
            return self.is_empty(&array.elem, at, depth);
        }
        let Some(id) = self.named(ty, at).filter(|_| depth < 20) else {
            return false;
        };
        let Item::Struct(item) = self.names.get(id) else {
            return false;
        };
        let at = self.at(id, &item.generics);
        let mut fields = item.fields.iter();
        fields.all(|field| self.is_empty(&field.ty, &at, depth + 1))
            && reprs(&item.attrs)
                .iter()
                .all(|repr| !repr.starts_with("align"))
    }

    fn signature(&self, signature: &mut syn::Signature, at: &At, run: &mut Run) -> Result<()> {
        if let Some(abi) = &mut signature.abi
            && let Some(name) = &abi.name
            && ["C-unwind", "system", "system-unwind"].contains(&&*name.value())
        {
            *abi = parse_quote!(extern "C");
        }
        for input in &mut signature.inputs {
            match input {
                syn::FnArg::Typed(input) => {
                    input.attrs.clear();
                    match &mut *input.pat {
                        syn::Pat::Ident(pat) => beside_keywords(&mut pat.ident),
                        // A pattern gives names to parts of the argument, and none to the whole.
                        pat => *pat = parse_quote!(_),
                    }
                    self.ty(&mut input.ty, at, run)?;
                }
                syn::FnArg::Receiver(input) if input.colon_token.is_some() => {
                    self.ty(&mut input.ty, at, run)?;
                }
                syn::FnArg::Receiver(_) => {}
            }
        }
        if let syn::ReturnType::Type(_, ty) = &mut signature.output {
            self.ty(ty, at, run)?;
        }
        Ok(())
    }

    /// Returns a struct, a union or an enum, and its packing; by name only if C cannot have its layout, and the reason.
    fn composite(&self, id: Id, source: &Item, run: &mut Run) -> Result<(Item, Packing)> {
        let mut item = source.clone();
        if let Item::Enum(inner) = &mut item {
            for variant in inner
                .variants
                .iter_mut()
                .filter(|each| each.fields.is_empty())
            {
                variant.fields = syn::Fields::Unit;
            }
            // A transparent enum has one variant, and is its field.
            let variant = inner
                .variants
                .first()
                .filter(|_| is_transparent(&inner.attrs));
            let mut fields = variant.iter().flat_map(|variant| &variant.fields);
            if let Some(field) = fields.find(|field| !is_marker(&field.ty)) {
                let (attrs, ident, ty) = (&inner.attrs, &inner.ident, &field.ty);
                let generics = &inner.generics;
                item = parse_quote!(#(#attrs)* pub struct #ident #generics(#ty););
            }
        }
        let (Item::Struct(syn::ItemStruct {
            attrs,
            generics,
            ident,
            ..
        })
        | Item::Union(syn::ItemUnion {
            attrs,
            generics,
            ident,
            ..
        })
        | Item::Enum(syn::ItemEnum {
            attrs,
            generics,
            ident,
            ..
        })) = &mut item
        else {
            return Ok((item, Ok(None)));
        };
        let at = self.at(id, generics);
        plain(generics);
        clean(attrs);
        *ident = own_name(ident);
        if let Item::Struct(item) = source
            && let Some(last) = item.fields.iter().next_back()
            && self.is_unsized(&last.ty, &at, 0)
        {
            let place = self.names.place(id, ident.span());
            return Err(wide(&format!("an export (`{place}`)"), &ident.to_string()));
        }
        let layout = match source {
            Item::Enum(item) if item.variants.is_empty() => Err("it has no values".to_owned()),
            _ => shared_layout(attrs, matches!(source, Item::Enum(_))),
        };
        // Each instance of a generic type has a name of its own in C.
        let layout = match layout {
            Ok(Some(most)) if generics.type_params().next().is_some() => Err(format!(
                "C has no generic types of `#[repr(packed({most}))]`"
            )),
            layout => layout,
        };
        let packed = match layout {
            Ok(packed) => packed,
            reason => {
                attrs.retain(|attribute| !attribute.path().is_ident("repr"));
                return Ok((
                    parse_quote!(#(#attrs)* pub struct #ident #generics;),
                    reason,
                ));
            }
        };
        let mut fields = |fields: &mut syn::Fields| {
            for field in fields {
                clean(&mut field.attrs);
                if let Some(ident) = &mut field.ident {
                    beside_keywords(ident);
                }
                if self.is_empty(&field.ty, &at, 0) {
                    // cbindgen leaves it out.
                    field.ty = parse_quote!(());
                }
                self.ty(&mut field.ty, &at, run)?;
            }
            Ok(())
        };
        match &mut item {
            Item::Struct(item) => fields(&mut item.fields)?,
            Item::Union(item) => {
                for field in &mut item.fields.named {
                    clean(&mut field.attrs);
                    if let Some(ident) = &mut field.ident {
                        beside_keywords(ident);
                    }
                    self.ty(&mut field.ty, &at, run)?;
                }
            }
            Item::Enum(item) => {
                for variant in &mut item.variants {
                    clean(&mut variant.attrs);
                    fields(&mut variant.fields)?;
                    if let Some((_, value)) = &mut variant.discriminant {
                        self.discriminant(value, &at, &variant.ident)?;
                    }
                }
            }
            _ => {}
        }
        Ok((item, Ok(packed)))
    }

    fn discriminant(&self, value: &mut Expr, at: &At, variant: &syn::Ident) -> Result<()> {
        let scope = Scope {
            module: at.module,
            own: at.own,
        };
        let reprs = reprs(super::source::attributes(self.names.get(at.id)));
        let kind = NUMBERS
            .into_iter()
            .find(|kind| reprs.iter().any(|repr| repr == kind));
        let computed = self.values().of(value, scope, kind.or(Some("isize")));
        let Some(literal) = computed.and_then(|value| number(value.number)) else {
            return Err(Failure::new(format!(
                "the value of `{}` (`{}`) cannot be computed without the compiler",
                variant.unraw(),
                self.names.place(at.id, variant.span())
            ))
            .help("write a number, a constant, or arithmetic on them"));
        };
        *value = literal;
        Ok(())
    }

    /// Returns an `impl` block with its exported functions, if it is a root, and its public constants.
    fn block(
        &self,
        id: Id,
        source: &syn::ItemImpl,
        root: bool,
        run: &mut Run,
    ) -> Result<Option<syn::ItemImpl>> {
        let mut block = source.clone();
        let mut at = self.at(id, &block.generics);
        if let Type::Path(path) = &*source.self_ty
            && let Found::Items(types) =
                self.names
                    .resolve(at.module, &segments(&path.path), Space::Types)
        {
            at.own = types.first().copied();
        }
        // cbindgen has methods of types without arguments only.
        let own = match &*source.self_ty {
            Type::Path(path)
                if path
                    .path
                    .segments
                    .iter()
                    .any(|part| !part.arguments.is_none()) =>
            {
                let own = BTreeMap::from([("Self".to_owned(), (*source.self_ty).clone())]);
                let part = path.path.segments.last().map(|part| &part.ident);
                block.self_ty = parse_quote!(#part);
                block.generics.type_params().next().is_none().then_some(own)
            }
            _ => None,
        };
        let mut items = Vec::new();
        for item in std::mem::take(&mut block.items) {
            match item {
                syn::ImplItem::Fn(mut item) if root && item.attrs.iter().any(is_export) => {
                    let mut generics = at.generics.clone();
                    generics.extend(self.at(id, &item.sig.generics).generics);
                    let at = At { generics, ..at };
                    if let Some(own) = &own {
                        of_instance(&mut item.sig, own);
                    }
                    self.signature(&mut item.sig, &at, run)?;
                    item.vis = parse_quote!(pub);
                    item.block.stmts.clear();
                    clean(&mut item.attrs);
                    items.push(syn::ImplItem::Fn(item));
                }
                syn::ImplItem::Const(mut item)
                    if source.trait_.is_none()
                        && matches!(item.vis, syn::Visibility::Public(_)) =>
                {
                    let scope = Scope {
                        module: at.module,
                        own: at.own,
                    };
                    if let Some(value) = self.expression(&item.expr, &item.ty, scope) {
                        item.expr = value;
                        self.ty(&mut item.ty, &at, run)?;
                        clean(&mut item.attrs);
                        items.push(syn::ImplItem::Const(item));
                    }
                }
                _ => {}
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        block.items = items;
        block.trait_ = None;
        clean(&mut block.attrs);
        plain(&mut block.generics);
        self.ty(&mut block.self_ty, &at, run)?;
        Ok(Some(block))
    }

    /// Replaces the paths in a type.
    fn ty(&self, ty: &mut Type, at: &At, run: &mut Run) -> Result<()> {
        match ty {
            Type::Paren(inner) => *ty = (*inner.elem).clone(),
            Type::Group(inner) => *ty = (*inner.elem).clone(),
            Type::Ptr(inner) => return self.ty(&mut inner.elem, at, run),
            Type::Reference(inner) => return self.ty(&mut inner.elem, at, run),
            Type::Array(array) => {
                self.ty(&mut array.elem, at, run)?;
                return self.length(&mut array.len, at);
            }
            Type::BareFn(function) => {
                for input in &mut function.inputs {
                    self.ty(&mut input.ty, at, run)?;
                }
                if let syn::ReturnType::Type(_, ty) = &mut function.output {
                    self.ty(ty, at, run)?;
                }
                return Ok(());
            }
            Type::Path(path) => {
                let replaced = self.path(path.clone(), at, run)?;
                *ty = replaced;
                return Ok(());
            }
            // Without the parentheses, a pointer takes one bound.
            Type::TraitObject(object) => {
                object.bounds = object.bounds.first().cloned().into_iter().collect();
                return Ok(());
            }
            _ => return Ok(()),
        }
        self.ty(ty, at, run)
    }

    /// Replaces the length of an array, or a constant argument, by a name that C knows or a number.
    fn length(&self, length: &mut Expr, at: &At) -> Result<()> {
        if matches!(length, Expr::Lit(_)) {
            return Ok(());
        }
        if let Expr::Path(path) = length
            && let Some(name) = path.path.get_ident()
            && at.generics.contains(&name.unraw().to_string())
        {
            return Ok(());
        }
        let scope = Scope {
            module: at.module,
            own: at.own,
        };
        let computed = self.values().of(length, scope, Some("usize"));
        let Some(literal) = computed.and_then(|value| number(value.number)) else {
            return Err(Failure::new(format!(
                "the array length `{}` (`{}`) cannot be computed without the compiler",
                length.to_token_stream(),
                self.names.place(at.id, length.span())
            ))
            .help("write a number, a constant, or arithmetic on them"));
        };
        *length = literal;
        Ok(())
    }

    fn arguments(&self, arguments: &mut PathArguments, at: &At, run: &mut Run) -> Result<()> {
        let PathArguments::AngleBracketed(list) = arguments else {
            return Ok(());
        };
        for argument in &mut list.args {
            match argument {
                GenericArgument::Type(Type::Path(path)) if path.qself.is_none() => {
                    let names = segments(&path.path);
                    // A lone name may be a constant.
                    let generic = names.len() == 1 && at.generics.contains(&names[0]);
                    let resolve = |space| self.names.resolve(at.module, &names, space);
                    if !generic
                        && resolve(Space::Types) == Found::Unknown
                        && matches!(resolve(Space::Values), Found::Items(_))
                    {
                        let mut value: Expr = parse_quote!(#path);
                        self.length(&mut value, at)?;
                        *argument = GenericArgument::Const(value);
                    } else {
                        let replaced = self.path(path.clone(), at, run)?;
                        *argument = GenericArgument::Type(replaced);
                    }
                }
                GenericArgument::Type(ty) => self.ty(ty, at, run)?,
                GenericArgument::Const(Expr::Block(block)) => {
                    let mut value = Expr::Block(block.clone());
                    self.length(&mut value, at)?;
                    *argument = GenericArgument::Const(value);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the arguments such that cbindgen has a name for the instance of the type.
    fn instance(&self, segment: &mut syn::PathSegment, at: &At) -> Result<()> {
        let PathArguments::AngleBracketed(list) = &mut segment.arguments else {
            return Ok(());
        };
        for argument in &mut list.args {
            match argument {
                GenericArgument::Type(Type::Tuple(tuple)) if tuple.elems.is_empty() => {
                    *argument = GenericArgument::Type(parse_quote!(c_void));
                }
                GenericArgument::Const(value)
                    if value.to_token_stream().to_string().starts_with('-') =>
                {
                    return Err(Failure::new(format!(
                        "{} has an instance of `{}` for a number below 0, which has no name in C",
                        self.user(at, segment.ident.span()),
                        segment.ident
                    ))
                    .help("use a type without the parameter"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds the arguments that a type has by default.
    fn defaults(&self, id: Id, arguments: &mut PathArguments, run: &mut Run) -> Result<()> {
        let (Item::Struct(syn::ItemStruct { generics, .. })
        | Item::Union(syn::ItemUnion { generics, .. })
        | Item::Enum(syn::ItemEnum { generics, .. })
        | Item::Type(syn::ItemType { generics, .. })) = self.names.get(id)
        else {
            return Ok(());
        };
        let params = generics.params.iter();
        let params = params.filter(|param| !matches!(param, syn::GenericParam::Lifetime(_)));
        let given = match arguments {
            PathArguments::AngleBracketed(list) => {
                let lifetime =
                    |each: &&GenericArgument| matches!(each, GenericArgument::Lifetime(_));
                list.args.iter().filter(|each| !lifetime(each)).count()
            }
            _ => 0,
        };
        let at = self.at(id, generics);
        for param in params.skip(given) {
            let argument: GenericArgument = match param {
                syn::GenericParam::Type(param) => {
                    let Some(mut default) = param.default.clone() else {
                        return Ok(());
                    };
                    self.ty(&mut default, &at, run)?;
                    let default = substitute(&default, &bindings(generics, arguments));
                    GenericArgument::Type(default)
                }
                syn::GenericParam::Const(param) => {
                    let Some(mut default) = param.default.clone() else {
                        return Ok(());
                    };
                    self.length(&mut default, &at)?;
                    GenericArgument::Const(default)
                }
                syn::GenericParam::Lifetime(_) => continue,
            };
            match arguments {
                PathArguments::AngleBracketed(list) => list.args.push(argument),
                _ => *arguments = PathArguments::AngleBracketed(parse_quote!(<#argument>)),
            }
        }
        Ok(())
    }

    fn path(&self, mut path: syn::TypePath, at: &At, run: &mut Run) -> Result<Type> {
        let names = segments(&path.path);
        let first = names.first().cloned().unwrap_or_default();
        let last = names.last().cloned().unwrap_or_default();
        let mut segment = match path.path.segments.pop() {
            Some(pair) => pair.into_value(),
            None => return Ok(Type::Path(path)),
        };
        let generic = at.generics.contains(&first) || first == "Self";
        if names.len() == 1 && generic {
            return Ok(parse_quote!(#segment));
        }
        if self.settings.known_to_c.has(&last) {
            self.arguments(&mut segment.arguments, at, run)?;
            return Ok(parse_quote!(#segment));
        }
        let span = segment.ident.span();
        if path.qself.is_some() || generic {
            return Err(Failure::new(format!(
                "{} has the associated type `{last}`, which only the compiler can resolve",
                self.user(at, span)
            ))
            .help("write the type itself"));
        }
        match self.names.resolve(at.module, &names, Space::Types) {
            Found::Items(ids) => {
                run.queue.extend(&ids);
                self.arguments(&mut segment.arguments, at, run)?;
                self.defaults(ids[0], &mut segment.arguments, run)?;
                self.instance(&mut segment, at)?;
                if let Some(ident) = super::crates::type_ident(self.names.get(ids[0])) {
                    segment.ident = own_name(ident);
                }
                Ok(parse_quote!(#segment))
            }
            Found::Foreign(path) if path.len() > 1 && self.is_std(&path) => {
                if path.last().is_some_and(|name| *name != last) {
                    segment.ident = syn::Ident::new(path.last().unwrap_or(&last), span);
                }
                match self.standard(segment.clone(), at, run)? {
                    Some(ty) => Ok(ty),
                    // C has this type, in a header of its own.
                    None if path[0] == "libc" || path[0] == "cty" => {
                        Err(undefined_type(&self.user(at, span), &last))
                    }
                    None => Ok(self.foreign(&path, segment, at, run)),
                }
            }
            Found::Foreign(path) => Ok(self.foreign(&path, segment, at, run)),
            Found::Module(_) | Found::Unknown => {
                if let Some(known) = self.standard(segment.clone(), at, run)? {
                    return Ok(known);
                }
                // Some macro may have imported it.
                let [id] = *self.names.types_named(&last) else {
                    let user = self.user(at, span);
                    return Err(match self.names.macro_that_names(&last) {
                        None => undefined_type(&user, &last),
                        Some(place) => Failure::new(format!(
                            "the type `{last}`, used by {user}, is made by a macro (`{place}`), which only the compiler expands"
                        ))
                        .help("write the type without a macro"),
                    });
                };
                run.queue.push(id);
                self.arguments(&mut segment.arguments, at, run)?;
                Ok(parse_quote!(#segment))
            }
        }
    }

    fn is_std(&self, path: &[String]) -> bool {
        // The crate `libc` defines the types of C as aliases.
        ["core", "std", "alloc", "libc", "cty"].contains(&&*path[0])
    }

    /// Returns the item at `at` and its place, for a message.
    fn user(&self, at: &At, span: proc_macro2::Span) -> String {
        let item = self.names.get(at.id);
        let place = self.names.place(at.id, span);
        match super::crates::item_ident(item) {
            Some(ident) => format!("`{}` (`{place}`)", ident.unraw()),
            None => format!("an export (`{place}`)"),
        }
    }

    /// Returns a type by name only, which some other crate defines.
    fn foreign(
        &self,
        path: &[String],
        mut segment: syn::PathSegment,
        at: &At,
        run: &mut Run,
    ) -> Type {
        segment.arguments = PathArguments::None;
        if KNOWN.contains(&&*segment.ident.to_string()) {
            // cbindgen has types of these names.
            let name = format!("{}_{}", path[0], segment.ident);
            segment.ident = syn::Ident::new(&name, segment.ident.span());
        }
        let ident = &segment.ident;
        run.foreign
            .entry(ident.to_string())
            .or_insert_with(|| FlatItem {
                item: parse_quote!(pub struct #ident;),
                place: self.names.place(at.id, ident.span()),
                opaque: Some("its layout is Rust's own".to_owned()),
                foreign: Some(path.join("::")),
                packed: None,
            });
        parse_quote!(#segment)
    }

    /// Returns what cbindgen is given for a type of the language or its library. `None` if it knows none such.
    fn standard(
        &self,
        mut segment: syn::PathSegment,
        at: &At,
        run: &mut Run,
    ) -> Result<Option<Type>> {
        let name = segment.ident.unraw().to_string();
        if UNSIZED.contains(&&*name) {
            return Err(wide(&self.user(at, segment.ident.span()), &name));
        }
        if name == "PhantomData" {
            return Ok(Some(parse_quote!(PhantomData)));
        }
        if name == "Option"
            && let Some(inner) = argument(&segment)
            && let Some(inner) = self.nullable(inner, at, run)?
        {
            return Ok(Some(inner));
        }
        self.arguments(&mut segment.arguments, at, run)?;
        let inner = argument(&segment);
        if let Some(inner) = inner {
            if WRAPPERS.contains(&&*name) || name == "NonZero" {
                return Ok(Some(inner.clone()));
            }
            if name == "AtomicPtr" {
                return Ok(Some(parse_quote!(*mut #inner)));
            }
        }
        let number = name
            .strip_prefix("NonZero")
            .or_else(|| name.strip_prefix("Atomic"));
        let number = number.map(str::to_lowercase).unwrap_or_default();
        if let Some(number) = NUMBERS.into_iter().find(|known| *known == number) {
            if self.ia32 && name.starts_with("Atomic") && number.ends_with("64") {
                let span = segment.ident.span();
                return Err(Failure::new(format!(
                    "{} has an `{name}`, whose alignment C's 64-bit numbers do not have on this architecture",
                    self.user(at, span)
                ))
                .help("pass a pointer to it, or use 32 bits"));
            }
            let number = syn::Ident::new(number, segment.ident.span());
            return Ok(Some(parse_quote!(#number)));
        }
        let known = NUMBERS.contains(&&*name) || PLAIN.contains(&&*name) || KNOWN.contains(&&*name);
        Ok(known.then(|| parse_quote!(#segment)))
    }

    /// Returns the type of `Option<ty>`, if it is a pointer or number that is 0 for `None`.
    fn nullable(&self, ty: &Type, at: &At, run: &mut Run) -> Result<Option<Type>> {
        let option = |ty: Type| Some(parse_quote!(Option<#ty>));
        match ty {
            Type::Paren(inner) => self.nullable(&inner.elem, at, run),
            Type::Group(inner) => self.nullable(&inner.elem, at, run),
            Type::Reference(_) | Type::BareFn(_) => {
                let mut ty = ty.clone();
                self.ty(&mut ty, at, run)?;
                Ok(option(ty))
            }
            Type::Path(path) if path.qself.is_none() => {
                let names = segments(&path.path);
                let Some(last) = path.path.segments.last() else {
                    return Ok(None);
                };
                if names.len() == 1 && at.generics.contains(&names[0]) {
                    return Ok(None);
                }
                match self.names.resolve(at.module, &names, Space::Types) {
                    Found::Items(ids) if ids.len() == 1 => {
                        let item = self.names.get(ids[0]);
                        let (generics, inner) = match item {
                            Item::Type(item) => (&item.generics, &*item.ty),
                            Item::Struct(item) if is_transparent(&item.attrs) => {
                                let place = self.at(ids[0], &item.generics);
                                let mut fields = item.fields.iter();
                                match fields.find(|field| !self.is_empty(&field.ty, &place, 0)) {
                                    Some(field) => (&item.generics, &field.ty),
                                    None => return Ok(None),
                                }
                            }
                            _ => return Ok(None),
                        };
                        let Some(inner) = self.nullable(inner, &self.at(ids[0], generics), run)?
                        else {
                            return Ok(None);
                        };
                        let mut arguments = last.arguments.clone();
                        self.arguments(&mut arguments, at, run)?;
                        Ok(Some(substitute(&inner, &bindings(generics, &arguments))))
                    }
                    Found::Items(_) | Found::Module(_) => Ok(None),
                    Found::Foreign(path) if !self.is_std(&path) => Ok(None),
                    Found::Foreign(_) | Found::Unknown => {
                        let name = last.ident.to_string();
                        match (&*name, argument(last)) {
                            ("Pin" | "ManuallyDrop", Some(inner)) => self.nullable(inner, at, run),
                            ("Box" | "NonNull", Some(_)) => {
                                let mut ty = ty.clone();
                                self.ty(&mut ty, at, run)?;
                                Ok(option(ty))
                            }
                            _ if name.starts_with("NonZero") => {
                                self.standard(last.clone(), at, run)
                            }
                            _ => Ok(None),
                        }
                    }
                }
            }
            _ => Ok(None),
        }
    }
}

/// Writes the type that `own` has for `Self` into a signature.
fn of_instance(signature: &mut syn::Signature, own: &BTreeMap<String, Type>) {
    for input in &mut signature.inputs {
        match input {
            syn::FnArg::Typed(input) => replace(&mut input.ty, own),
            syn::FnArg::Receiver(input) => {
                replace(&mut input.ty, own);
                input.reference = None;
                input.mutability = None;
                input.colon_token = Some(<Token![:]>::default());
            }
        }
    }
    if let syn::ReturnType::Type(_, ty) = &mut signature.output {
        replace(ty, own);
    }
}

/// Adds an underscore to a keyword, as cbindgen does to the keywords that it knows.
fn beside_keywords(ident: &mut syn::Ident) {
    const OTHERS: [&str; 17] = [
        "and", "and_eq", "asm", "bitand", "bitor", "compl", "not", "not_eq", "or", "or_eq",
        "requires", "concept", "restrict", "typeid", "typeof", "xor", "xor_eq",
    ];
    if OTHERS.iter().any(|keyword| ident.unraw() == keyword) {
        *ident = syn::Ident::new(&format!("{}_", ident.unraw()), ident.span());
    }
}

/// Leaves the names of parameters. Each use of the type has all arguments.
fn plain(generics: &mut syn::Generics) {
    generics.where_clause = None;
    for param in &mut generics.params {
        match param {
            syn::GenericParam::Type(param) => *param = param.ident.clone().into(),
            syn::GenericParam::Const(param) => {
                param.attrs.clear();
                (param.eq_token, param.default) = (None, None);
            }
            syn::GenericParam::Lifetime(param) => param.attrs.clear(),
        }
    }
}

/// Returns the name in the file for a type of the crates. cbindgen has types of its own of some names.
fn own_name(ident: &syn::Ident) -> syn::Ident {
    let name = ident.unraw().to_string();
    if taken().any(|known| known == name) {
        syn::Ident::new(&format!("{name}{OWN}"), ident.span())
    } else {
        ident.clone()
    }
}

/// Lists the names of types that cbindgen has a meaning for.
fn taken() -> impl Iterator<Item = &'static str> {
    KNOWN.into_iter().chain(WRAPPERS).chain(NUMBERS)
}

/// Returns the settings that give the types of the crates their names back.
pub fn renames() -> impl Iterator<Item = (String, String)> {
    taken().map(|name| (format!("{name}{OWN}"), name.to_owned()))
}

/// Returns the types among the arguments of a path.
pub fn arguments(segment: &syn::PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(list) = &segment.arguments else {
        return Vec::new();
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// Returns the first type among the arguments of a path.
fn argument(segment: &syn::PathSegment) -> Option<&Type> {
    arguments(segment).first().copied()
}

/// Returns the types that stand for type parameters.
pub fn bindings(generics: &syn::Generics, arguments: &PathArguments) -> BTreeMap<String, Type> {
    let types = match arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let mut types = types.into_iter();
    let bound = generics.type_params().filter_map(|param| {
        let ty = types.next().or_else(|| param.default.clone())?;
        Some((param.ident.unraw().to_string(), ty))
    });
    bound.collect()
}

/// Replaces type parameters by types.
pub fn substitute(ty: &Type, bindings: &BTreeMap<String, Type>) -> Type {
    let mut ty = ty.clone();
    replace(&mut ty, bindings);
    ty
}

fn replace(ty: &mut Type, bindings: &BTreeMap<String, Type>) {
    match ty {
        Type::Path(path) => {
            let bound = path
                .path
                .get_ident()
                .and_then(|name| bindings.get(&name.unraw().to_string()));
            if let Some(bound) = bound {
                *ty = bound.clone();
                return;
            }
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(list) = &mut segment.arguments {
                    for argument in &mut list.args {
                        if let GenericArgument::Type(ty) = argument {
                            replace(ty, bindings);
                        }
                    }
                }
            }
        }
        Type::Ptr(inner) => replace(&mut inner.elem, bindings),
        Type::Reference(inner) => replace(&mut inner.elem, bindings),
        Type::Array(inner) => replace(&mut inner.elem, bindings),
        Type::BareFn(function) => {
            for input in &mut function.inputs {
                replace(&mut input.ty, bindings);
            }
            if let syn::ReturnType::Type(_, ty) = &mut function.output {
                replace(ty, bindings);
            }
        }
        _ => {}
    }
}

/// Returns the failure for a type whose size only a pointer to it knows.
fn wide(user: &str, name: &str) -> Failure {
    Failure::new(format!(
        "{user} has a pointer to `{name}`, which in Rust is two words: an address and a length or a table"
    ))
    .help("pass a pointer to the first element, and the number of elements")
}

/// Returns whether a field takes no room.
pub fn is_marker(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "PhantomData" || last.ident == "PhantomPinned"),
        _ => false,
    }
}

/// Returns whether a type is a function pointer, or an array of them.
fn is_function(ty: &Type) -> bool {
    match ty {
        Type::BareFn(_) => true,
        Type::Array(array) => is_function(&array.elem),
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| {
                last.ident == "Option" && argument(last).is_some_and(is_function)
            })
        }
        _ => false,
    }
}

/// Returns the words in the `#[repr]`s.
fn reprs(attributes: &[Attribute]) -> Vec<String> {
    let reprs = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("repr"));
    let metas = reprs.flat_map(|attribute| {
        attribute
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .unwrap_or_default()
    });
    metas
        .map(|meta| meta.to_token_stream().to_string().replace(' ', ""))
        .collect()
}

pub fn is_transparent(attributes: &[Attribute]) -> bool {
    reprs(attributes).iter().any(|repr| repr == "transparent")
}

/// Alignment of `#[repr(packed(N))]`, if N is more than 1; or the reason why C does not get the layout.
type Packing = std::result::Result<Option<String>, String>;

/// Returns whether Rust promises C the layout of a type with these attributes, or the reason why not.
fn shared_layout(attributes: &mut Vec<Attribute>, is_enum: bool) -> Packing {
    let reprs = reprs(attributes);
    let promised = reprs
        .iter()
        .any(|repr| repr == "C" || repr == "transparent" || is_enum && NUMBERS.contains(&&**repr));
    if !promised {
        return Err("add #[repr(C)] to the type".to_owned());
    }
    let mut most = None;
    if let Some(packed) = reprs.iter().find(|repr| repr.starts_with("packed(")) {
        let number = packed["packed(".len()..].trim_end_matches(')');
        most = (number != "1").then(|| number.to_owned());
        let words = reprs
            .iter()
            .filter(|repr| *repr != packed || most.is_none());
        let words = words.map(|repr| if repr == packed { "packed" } else { repr });
        let words: proc_macro2::TokenStream = words
            .collect::<Vec<_>>()
            .join(",")
            .parse()
            .unwrap_or_default();
        attributes.retain(|attribute| !attribute.path().is_ident("repr"));
        attributes.push(parse_quote!(#[repr(#words)]));
    }
    Ok(most)
}

/// Leaves the attributes that concern the header, in the forms that cbindgen reads.
fn clean(attributes: &mut Vec<Attribute>) {
    const KEPT: [&str; 5] = ["cfg", "deprecated", "doc", "must_use", "repr"];
    let kept = std::mem::take(attributes)
        .into_iter()
        .filter_map(|mut attribute| {
            if is_export(&attribute) {
                let symbol = exports::symbol_of(&attribute)?;
                return Some(match symbol {
                    Some(name) => parse_quote!(#[export_name = #name]),
                    None => parse_quote!(#[no_mangle]),
                });
            }
            if let Meta::NameValue(pair) = &mut attribute.meta
                && pair.path.is_ident("doc")
            {
                let Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) = &mut pair.value
                else {
                    return None;
                };
                // Neither ends the comment, nor looks like another's start, nor goes on in the next line.
                let plain = text.value();
                let mut escaped = plain.replace("*/", "* /").replace("/*", "/ *");
                escaped = escaped.replace("??/", "? ?/");
                if escaped.ends_with('\\') {
                    escaped.push('.');
                }
                if escaped != plain {
                    *text = syn::LitStr::new(&escaped, text.span());
                }
            }
            KEPT.iter()
                .any(|name| attribute.path().is_ident(name))
                .then_some(attribute)
        });
    *attributes = kept.collect();
}

/// Returns a literal of a number, without a type if it fits into C's `int`.
fn number(number: i128) -> Option<Expr> {
    if number == i64::MIN.into() {
        return syn::parse_str("-9223372036854775807i64 - 1").ok();
    }
    let suffix = match number {
        -0x7fff_ffff..=0x7fff_ffff => "",
        number if number <= i64::MAX.into() => "i64",
        _ => "u64",
    };
    syn::parse_str(&format!("{number}{suffix}")).ok()
}

/// Returns a literal of a floating-point number. C has names for those that are no numbers.
fn float(value: f64, kind: &str) -> Option<Expr> {
    let text = match (value.is_finite(), value.is_nan(), value > 0.0) {
        (true, ..) => format!("{value:?}"),
        (false, true, _) => "NAN".to_owned(),
        (false, false, true) => "INFINITY".to_owned(),
        (false, false, false) => "-INFINITY".to_owned(),
    };
    // C has `float` ones only.
    let is_cast = kind == "f32" || !value.is_finite();
    syn::parse_str(&if is_cast {
        format!("{text} as {kind}")
    } else {
        text
    })
    .ok()
}

impl Flat {
    /// Returns the text of the file. A function before all others makes cbindgen find the types `first` first.
    pub fn text(&self, first: &[String]) -> String {
        if !first.is_empty() {
            let first = first.iter().map(|name| quote::format_ident!("{name}"));
            let name = quote::format_ident!("{FIRST}");
            let function: Item =
                parse_quote!(#[no_mangle] pub extern "C" fn #name(#(_: *const #first),*) {});
            return format!("{}\n{}", function.to_token_stream(), self.text(&[]));
        }
        let items = self
            .0
            .iter()
            .map(|item| format!("{}\n", item.item.to_token_stream()));
        items.collect()
    }

    /// Returns the item that defines the type `name`.
    pub fn type_named(&self, name: &str) -> Option<&FlatItem> {
        let mut items = self.0.iter();
        items.find(|flat| {
            super::crates::type_ident(&flat.item).is_some_and(|ident| ident.unraw() == name)
        })
    }

    /// Returns the enum for whose variant cbindgen makes the struct `name`, or the name itself.
    pub fn owner_of_body(&self, name: &str) -> String {
        let variant = name.strip_suffix("_Body").unwrap_or_default();
        let mut enums = self.0.iter().filter_map(|flat| match &flat.item {
            Item::Enum(item) => Some(item),
            _ => None,
        });
        let owner = enums.find(|item| {
            let mut variants = item.variants.iter();
            variants.any(|known| known.ident.unraw() == variant)
        });
        owner.map_or_else(|| name.to_owned(), |item| item.ident.unraw().to_string())
    }

    /// Returns the `file:line` of the item `name`; methods are named `Type::method`.
    pub fn place_of(&self, name: &str) -> Option<&str> {
        let last = name.rsplit("::").next().unwrap_or(name);
        let mut items = self.0.iter();
        let found = items.find(|flat| match &flat.item {
            Item::Impl(block) => block.items.iter().any(|item| match item {
                syn::ImplItem::Fn(item) => item.sig.ident.unraw() == last,
                syn::ImplItem::Const(item) => item.ident.unraw() == last,
                _ => false,
            }),
            item => super::crates::item_ident(item).is_some_and(|ident| ident.unraw() == last),
        });
        found.map(|flat| &*flat.place)
    }

    /// Refuses two different types or constants of one name, since C has no modules.
    pub fn check_names(&self) -> Result<()> {
        let mut known: BTreeMap<(&str, String), &FlatItem> = BTreeMap::new();
        for flat in &self.0 {
            let (kind, ident) = match (&flat.item, super::crates::type_ident(&flat.item)) {
                (_, Some(ident)) => ("types", ident),
                (Item::Const(item), _) => ("constants", &item.ident),
                _ => continue,
            };
            // Types that are still behind a #[cfg] exclude each other.
            let attributes = super::source::attributes(&flat.item);
            if attributes
                .iter()
                .any(|attribute| attribute.path().is_ident("cfg"))
            {
                continue;
            }
            let name = ident.unraw().to_string();
            if let Some(first) = known.get(&(kind, name.clone())) {
                return Err(Failure::new(format!(
                    "two {kind} are called `{name}`: `{}` and `{}`",
                    first.place, flat.place
                ))
                .help("rename one of them, since C has no modules to tell them apart"));
            }
            known.insert((kind, name), flat);
        }
        Ok(())
    }
}
