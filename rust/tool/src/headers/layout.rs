// SPDX-License-Identifier: BSD-2-Clause

//! Types by value: C must know their layout, and have them.

use std::collections::BTreeMap;

use syn::ext::IdentExt;
use syn::{Item, Type};

use super::complaints::{Log, TYPES};
use super::crates::item_ident;
use super::flat::{Flat, FlatItem, arguments, bindings, is_marker, is_transparent, substitute};
use super::settings::KnownToC;
use super::source::attributes;
use crate::failure::{Failure, Result};

/// Knowledge of C about a type.
enum Layout {
    Known,
    /// No bytes: GNU C passes nothing, and C++ passes one byte.
    Empty(String),
    /// A type of the crates, which C knows by name only.
    Opaque(String),
    /// A type of other crates or of Rust's library.
    Foreign(String),
    /// An array.
    Array,
}

struct Checker<'a> {
    flat: &'a Flat,
    known: &'a KnownToC,
    log: &'a Log,
    judged: bool,
}

/// Refuses a type by value whose layout C does not know, where the header would not compile. Returns a warning for each
/// function that C can see and not call.
pub fn check(flat: &Flat, known: &KnownToC, log: &Log, judged: bool) -> Result<Vec<String>> {
    let checker = Checker {
        flat,
        known,
        log,
        judged,
    };
    let mut warnings = Vec::new();
    for item in &flat.0 {
        match &item.item {
            Item::Fn(function) => checker.signature(item, &function.sig, &mut warnings)?,
            Item::Impl(block) => {
                for function in &block.items {
                    if let syn::ImplItem::Fn(function) = function {
                        checker.signature(item, &function.sig, &mut warnings)?;
                    }
                }
            }
            Item::Struct(composite) => {
                checker.fields(item, composite.fields.iter(), &mut warnings)?;
            }
            Item::Union(composite) => {
                checker.fields(item, composite.fields.named.iter(), &mut warnings)?;
            }
            Item::Enum(composite) => {
                let fields = composite
                    .variants
                    .iter()
                    .flat_map(|variant| variant.fields.iter());
                checker.fields(item, fields, &mut warnings)?;
            }
            _ => {}
        }
    }
    Ok(warnings)
}

impl Checker<'_> {
    fn signature(
        &self,
        item: &FlatItem,
        signature: &syn::Signature,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let user = format!("`{}` (`{}`)", signature.ident.unraw(), item.place);
        let inputs = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(input) => Some(&*input.ty),
            syn::FnArg::Receiver(_) => None,
        });
        let output = match &signature.output {
            syn::ReturnType::Type(_, ty) => Some(&**ty),
            syn::ReturnType::Default => None,
        };
        for ty in inputs.chain(output) {
            self.callbacks(&user, ty, warnings)?;
            match self.layout(ty, 0) {
                Layout::Known => {}
                Layout::Opaque(name) => {
                    let own = self.flat.type_named(&name).and_then(|flat| flat.opaque.as_ref());
                    let help = match own {
                        Some(_) => "or pass a pointer".to_owned(),
                        None => format!("give `{name}` fields that C has ({TYPES}), or pass a pointer"),
                    };
                    let reason = self.by_value("it", &name);
                    warnings.push(format!("C cannot call {user}: {reason}; {help}"));
                }
                Layout::Empty(name) => warnings.push(format!(
                    "{user} has `{name}` by value, which has no bytes in C and one in C++: only C may call it"
                )),
                Layout::Array => self.array(&user, warnings)?,
                Layout::Foreign(name) => return Err(foreign(&user, &name)),
            }
        }
        Ok(())
    }

    /// Refuses an array by value. Where no compiler judges the header, that is a warning.
    fn array(&self, user: &str, warnings: &mut Vec<String>) -> Result<()> {
        let what =
            "an array by value, which C does not have: it passes a pointer to the first element";
        let help = "put the array into a `#[repr(C)]` struct, or take a pointer";
        if self.judged {
            return Err(Failure::new(format!("{user} has {what}")).help(help));
        }
        warnings.push(format!("C must not call {user}: it has {what}; {help}"));
        Ok(())
    }

    /// Judges the function pointers in a type.
    fn callbacks(&self, user: &str, ty: &Type, warnings: &mut Vec<String>) -> Result<()> {
        match ty {
            Type::Reference(inner) => self.callbacks(user, &inner.elem, warnings),
            Type::Ptr(inner) => self.callbacks(user, &inner.elem, warnings),
            Type::Array(inner) => self.callbacks(user, &inner.elem, warnings),
            Type::Path(path) => {
                let last = path.path.segments.last();
                let mut types = last.into_iter().flat_map(arguments);
                types.try_for_each(|ty| self.callbacks(user, ty, warnings))
            }
            Type::BareFn(function) => {
                if function.abi.is_none() {
                    warnings.push(format!(
                        "C must not call or make the function pointer of {user}: `fn` has Rust's own calling convention; write \
                         `extern \"C\" fn`"
                    ));
                }
                let inputs = function.inputs.iter().map(|input| &input.ty);
                let output = match &function.output {
                    syn::ReturnType::Type(_, ty) => Some(&**ty),
                    syn::ReturnType::Default => None,
                };
                for ty in inputs.chain(output) {
                    match self.layout(ty, 0) {
                        Layout::Array => self.array(user, warnings)?,
                        Layout::Foreign(name) => return Err(foreign(user, &name)),
                        _ => self.callbacks(user, ty, warnings)?,
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fields<'f>(
        &self,
        item: &FlatItem,
        mut fields: impl Iterator<Item = &'f syn::Field>,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let name = item_ident(&item.item)
            .map(|ident| ident.unraw().to_string())
            .unwrap_or_default();
        let user = format!("`{name}` (`{}`)", item.place);
        if let Some(reason) = self
            .log
            .reason_for_opaque(&name)
            .filter(|_| item.opaque.is_none())
        {
            warnings.push(format!("C knows {user} by name only: {reason}"));
            return Ok(());
        }
        // A transparent struct becomes another name for its field.
        if item.opaque.is_some() || is_transparent(attributes(&item.item)) {
            return Ok(());
        }
        fields.try_for_each(|field| match self.layout(&field.ty, 0) {
            Layout::Opaque(name) => Err(Failure::new(self.by_value(&user, &name)).help(format!(
                "add #[repr(C)] to `{name}` and give it fields that C has ({TYPES}), or hold a pointer"
            ))),
            Layout::Foreign(name) => Err(foreign(&user, &name)),
            Layout::Known | Layout::Empty(_) | Layout::Array => {
                self.callbacks(&user, &field.ty, warnings)
            }
        })
    }

    fn by_value(&self, user: &str, name: &str) -> String {
        let flat = self.flat.type_named(name);
        let place = flat
            .map(|flat| format!(" (`{}`)", flat.place))
            .unwrap_or_default();
        let reason = flat.and_then(|flat| flat.opaque.clone());
        let reason = reason
            .or_else(|| self.log.reason_for_opaque(name))
            .unwrap_or_default();
        format!(
            "{user} has the type `{name}`{place} by value, but C does not know its layout: {reason}"
        )
    }

    fn layout(&self, ty: &Type, depth: u32) -> Layout {
        if depth > 20 {
            return Layout::Known;
        }
        match ty {
            Type::Array(array) => match self.layout(&array.elem, depth + 1) {
                Layout::Known => Layout::Array,
                other => other,
            },
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else {
                    return Layout::Known;
                };
                let name = last.ident.unraw().to_string();
                if self.known.has(&name) || is_marker(ty) {
                    return Layout::Known;
                }
                let Some(flat) = self.flat.type_named(&name) else {
                    return self.standard(&name, &arguments(last), depth);
                };
                let foreign = flat.foreign.as_ref();
                if let Some(foreign) = foreign {
                    return Layout::Foreign(foreign.clone());
                }
                if flat.opaque.is_some() || self.log.reason_for_opaque(&name).is_some() {
                    return Layout::Opaque(name);
                }
                match &flat.item {
                    Item::Type(alias) => {
                        let bound = bindings(&alias.generics, &last.arguments);
                        self.layout(&substitute(&alias.ty, &bound), depth + 1)
                    }
                    Item::Struct(item) if is_transparent(&item.attrs) => {
                        let bound = bindings(&item.generics, &last.arguments);
                        let mut fields = item.fields.iter().filter(|field| !is_marker(&field.ty));
                        let inner = fields.next().map(|field| substitute(&field.ty, &bound));
                        inner.map_or(Layout::Known, |inner| self.layout(&inner, depth + 1))
                    }
                    Item::Struct(item) => {
                        let bound = bindings(&item.generics, &last.arguments);
                        self.all(&name, item.fields.iter(), &bound, depth)
                    }
                    Item::Union(item) => {
                        let bound = bindings(&item.generics, &last.arguments);
                        self.all(&name, item.fields.named.iter(), &bound, depth)
                    }
                    _ => Layout::Known,
                }
            }
            _ => Layout::Known,
        }
    }

    /// Returns the layout of a composite with these fields.
    fn all<'f>(
        &self,
        name: &str,
        fields: impl Iterator<Item = &'f syn::Field>,
        bound: &BTreeMap<String, Type>,
        depth: u32,
    ) -> Layout {
        let mut empty = true;
        for field in fields.filter(|field| !is_marker(&field.ty)) {
            match self.layout(&substitute(&field.ty, bound), depth + 1) {
                Layout::Known | Layout::Array => empty = false,
                Layout::Empty(_) => {}
                other => return other,
            }
        }
        if empty {
            Layout::Empty(name.to_owned())
        } else {
            Layout::Known
        }
    }

    /// Returns the layout of a type that no crate defines.
    fn standard(&self, name: &str, arguments: &[&Type], depth: u32) -> Layout {
        let inner = arguments.first().copied();
        match (name, inner) {
            ("Box" | "NonNull", Some(_)) => Layout::Known,
            ("Option", Some(Type::Reference(_) | Type::BareFn(_))) => Layout::Known,
            ("Option", Some(Type::Path(path)))
                if path
                    .path
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "Box" || last.ident == "NonNull") =>
            {
                Layout::Known
            }
            ("ManuallyDrop" | "MaybeUninit", Some(inner)) => self.layout(inner, depth + 1),
            (
                "Arc" | "BTreeMap" | "BTreeSet" | "HashMap" | "HashSet" | "LinkedList" | "Option"
                | "Rc" | "RefCell" | "Result" | "String" | "Vec" | "VecDeque",
                _,
            ) => Layout::Foreign(name.to_owned()),
            _ => Layout::Known,
        }
    }
}

fn foreign(user: &str, name: &str) -> Failure {
    if name.contains("::") {
        return Failure::new(format!(
            "{user} has `{name}` by value, whose layout C does not know, since its crate is not a path dependency"
        ))
        .help(format!("hold or pass a pointer to it, or use {TYPES}"));
    }
    Failure::new(format!(
        "{user} has `{name}` by value, whose layout C does not know"
    ))
    .help(format!("use {TYPES}"))
}
