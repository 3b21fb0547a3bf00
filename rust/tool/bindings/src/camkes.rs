// SPDX-License-Identifier: BSD-2-Clause

//! Safe functions for the interfaces of an instance of a CAmkES component, read off the names in its camkes.h.
//!
//! Each interface becomes a module: `uses Sums sums` with a method `add` becomes `sums::add`, `emits Bell bell`
//! `bell::emit`. Functions with parameters that have no safe form stay in the raw bindings alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use syn::{
    Fields, FnArg, ForeignItem, ForeignItemFn, ForeignItemStatic, Item, Pat, PointerMutability,
    ReturnType, Type, TypePtr,
};

/// Returns the Rust text of the modules for the bindings `file`.
pub fn text(file: &syn::File) -> String {
    let mut interfaces = Interfaces::new(file);
    interfaces.dataports();
    interfaces.events();
    interfaces.mutexes();
    interfaces.calls();
    let mut text = String::new();
    for (name, module) in &interfaces.modules {
        let _ = writeln!(
            text,
            "/// Interface `{name}` of this instance.\npub mod {} {{\n{module}}}",
            ident(name)
        );
    }
    text + &interfaces.attributes() + &plain(file)
}

/// Name as an identifier.
fn ident(name: &str) -> String {
    match syn::parse_str::<syn::Ident>(name) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("r#{name}"),
    }
}

struct Interfaces<'a> {
    functions: BTreeMap<String, &'a ForeignItemFn>,
    statics: BTreeMap<String, &'a ForeignItemStatic>,
    /// Text of the modules, by the names of the interfaces.
    modules: BTreeMap<String, String>,
    /// Statics that are dataports.
    dataports: BTreeSet<String>,
}

impl<'a> Interfaces<'a> {
    fn new(file: &'a syn::File) -> Self {
        let mut functions = BTreeMap::new();
        let mut statics = BTreeMap::new();
        for item in &file.items {
            let Item::ForeignMod(block) = item else {
                continue;
            };
            for item in &block.items {
                match item {
                    ForeignItem::Fn(item) => {
                        functions.insert(item.sig.ident.to_string(), item);
                    }
                    ForeignItem::Static(item) => {
                        statics.insert(item.ident.to_string(), item);
                    }
                    _ => {}
                }
            }
        }
        Self {
            functions,
            statics,
            modules: BTreeMap::new(),
            dataports: BTreeSet::new(),
        }
    }

    /// Returns the names of which there is a function `name` + `end`.
    fn named(&self, end: &str) -> Vec<String> {
        self.functions
            .keys()
            .filter_map(|name| name.strip_suffix(end))
            .map(str::to_owned)
            .collect()
    }

    fn has(&self, name: &str, end: &str) -> bool {
        self.functions.contains_key(&format!("{name}{end}"))
    }

    fn add(&mut self, name: &str, text: &str) {
        self.modules
            .entry(name.to_owned())
            .or_default()
            .push_str(text);
    }

    /// `dataport T x`: a variable `x` with the address, and `x_get_size()`.
    fn dataports(&mut self) {
        for name in self.named("_get_size") {
            let Some(Type::Ptr(pointer)) = self.statics.get(&name).map(|item| &*item.ty) else {
                continue;
            };
            let ty = ty(&pointer.elem);
            let raw = ident(&name);
            self.add(&name, &format!(
                "    /// Returns the shared memory.\n    #[must_use]\n    pub fn dataport() -> crate::Dataport<{ty}> {{\n\
                 \x20       // SAFETY: CAmkES maps so many bytes at this address for as long as the instance runs.\n\
                 \x20       unsafe {{ crate::Dataport::new(crate::sys::{raw}.cast(), crate::sys::{name}_get_size()) }}\n    }}\n"
            ));
            self.dataports.insert(name);
        }
    }

    /// `emits E x` and `consumes E x`.
    fn events(&mut self) {
        for name in self.named("_emit") {
            self.add(&name, &format!(
                "    /// Emits the event.\n    pub fn emit() {{\n        // SAFETY: the function has no precondition.\n\
                 \x20       unsafe {{ crate::sys::{name}_emit() }}\n    }}\n"
            ));
        }
        for name in self.named("_reg_callback") {
            if !self.has(&name, "_wait") || !self.has(&name, "_poll") {
                continue;
            }
            self.add(&name, &format!(
                "    /// Waits for the event.\n    pub fn wait() {{\n        // SAFETY: the function has no precondition.\n\
                 \x20       unsafe {{ crate::sys::{name}_wait() }}\n    }}\n\
                 \x20   /// Returns whether the event has come, and takes it.\n    #[must_use]\n    pub fn poll() -> bool {{\n\
                 \x20       // SAFETY: the function has no precondition.\n\
                 \x20       unsafe {{ crate::sys::{name}_poll() != 0 }}\n    }}\n\
                 \x20   /// Has `callback` called, once, when the event comes: by the thread of the interface.\n    ///\n\
                 \x20   /// # Errors\n    ///\n    /// When another callback is registered.\n\
                 \x20   pub fn on(callback: fn()) -> Result<(), crate::Registered> {{\n\
                 \x20       // SAFETY: `call` takes the argument for the function that it is.\n\
                 \x20       let status = unsafe {{ crate::sys::{name}_reg_callback(Some(crate::call), callback as *mut ::core::ffi::c_void) }};\n\
                 \x20       if status == 0 {{ Ok(()) }} else {{ Err(crate::Registered) }}\n    }}\n"
            ));
        }
    }

    /// `has mutex x`.
    fn mutexes(&mut self) {
        for name in self.named("_unlock") {
            if !self.has(&name, "_lock") {
                continue;
            }
            self.add(&name, &format!(
                "    /// Waits until the mutex is free and takes it, until the guard goes.\n    pub fn lock() -> Guard {{\n\
                 \x20       // SAFETY: the function has no precondition.\n\
                 \x20       let status = unsafe {{ crate::sys::{name}_lock() }};\n\
                 \x20       assert!(status == 0, \"the mutex {name} cannot be locked: error {{status}}\");\n        Guard(())\n    }}\n\
                 \x20   /// The mutex, taken.\n    #[derive(Debug)]\n    #[must_use]\n    pub struct Guard(());\n\
                 \x20   impl Drop for Guard {{\n        fn drop(&mut self) {{\n\
                 \x20           // SAFETY: the guard holds the mutex.\n            let _ = unsafe {{ crate::sys::{name}_unlock() }};\n        }}\n    }}\n"
            ));
        }
    }

    /// Methods of procedures that the component uses. It provides those of which it can ask the sender, and defines
    /// them itself.
    fn calls(&mut self) {
        let provided: BTreeSet<String> = self.named("_get_sender_id").into_iter().collect();
        let others: BTreeSet<String> = ["_register_error_handler"]
            .iter()
            .flat_map(|end| self.named(end))
            .collect();
        let mut found = Vec::new();
        for interface in others.difference(&provided) {
            let is_event = self.has(interface, "_emit") || self.has(interface, "_reg_callback");
            if is_event || self.dataports.contains(interface) {
                continue;
            }
            for (name, function) in &self.functions {
                let Some(method) = name.strip_prefix(&format!("{interface}_")) else {
                    continue;
                };
                let own = method.starts_with("timing_")
                    || ["_init", "register_error_handler"].contains(&method);
                if own {
                    continue;
                }
                if let Some(text) = call(name, method, function) {
                    found.push((interface.clone(), text));
                }
            }
        }
        for (interface, text) in found {
            self.add(&interface, &text);
        }
    }

    /// `attribute T x`: a constant that differs between instances.
    fn attributes(&self) -> String {
        let mut text = String::new();
        for (name, item) in &self.statics {
            let raw = ident(name);
            let (result, value) = match &*item.ty {
                _ if self.dataports.contains(name) => continue,
                Type::Ptr(pointer) if is(&pointer.elem, "c_char") => (
                    "&'static ::core::ffi::CStr".to_owned(),
                    format!("::core::ffi::CStr::from_ptr(crate::sys::{raw})"),
                ),
                Type::Path(_) => (ty(&item.ty), format!("crate::sys::{raw}")),
                Type::Array(_) => (
                    format!("&'static {}", ty(&item.ty)),
                    format!("&*&raw const crate::sys::{raw}"),
                ),
                _ => continue,
            };
            let _ = writeln!(
                text,
                "    /// Returns the attribute `{name}` of this instance.\n    #[must_use]\n    pub fn {raw}() -> {result} {{\n\
                 \x20       // SAFETY: CAmkES defines the constant, and nothing writes it.\n        unsafe {{ {value} }}\n    }}"
            );
        }
        if text.is_empty() {
            return text;
        }
        format!("/// Attributes of this instance.\npub mod attributes {{\n{text}}}\n")
    }
}

/// Returns the type as it is written outside of the bindings.
fn ty(ty: &Type) -> String {
    match ty {
        Type::Path(path) => match path.path.get_ident() {
            Some(name) if !is_primitive(&name.to_string()) => format!("crate::sys::{name}"),
            Some(name) => name.to_string(),
            None => {
                let names: Vec<String> = path
                    .path
                    .segments
                    .iter()
                    .map(|part| part.ident.to_string())
                    .collect();
                format!("::{}", names.join("::"))
            }
        },
        Type::Array(array) => format!("[{}; {}]", self::ty(&array.elem), length(&array.len)),
        Type::Ptr(pointer) => {
            let kind = if is_mut(pointer) { "mut" } else { "const" };
            format!("*{kind} {}", self::ty(&pointer.elem))
        }
        _ => "::core::ffi::c_void".to_owned(),
    }
}

fn length(expression: &syn::Expr) -> String {
    match expression {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => number.to_string(),
            _ => "0".to_owned(),
        },
        _ => "0".to_owned(),
    }
}

fn is_primitive(name: &str) -> bool {
    [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "f32", "f64", "bool", "char",
    ]
    .contains(&name)
}

/// Returns whether C may write through the pointer.
fn is_mut(pointer: &TypePtr) -> bool {
    matches!(pointer.mutability, PointerMutability::Mut(_))
}

/// Returns whether the last part of the type's path is `name`.
fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|part| part.ident == name))
}

/// Returns the safe function for a method, unless a parameter or the result has no safe form.
fn call(name: &str, method: &str, function: &ForeignItemFn) -> Option<String> {
    let mut parameters: Vec<(String, &Type)> = Vec::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else {
            return None;
        };
        let Pat::Ident(pattern) = &*input.pat else {
            return None;
        };
        parameters.push((pattern.ident.to_string(), &input.ty));
    }
    let mut takes = Vec::new();
    let mut gives = Vec::new();
    let mut at = 0;
    while let Some((parameter, kind)) = parameters.get(at) {
        at += 1;
        match kind {
            // `in T x[]`: the number of elements, and the elements.
            Type::Path(_) if parameter.ends_with("_sz") => {
                let base = parameter.trim_end_matches("_sz");
                let (next, Type::Ptr(pointer)) = parameters.get(at)? else {
                    return None;
                };
                if next != base || is_mut(pointer) || !matches!(&*pointer.elem, Type::Path(_)) {
                    return None;
                }
                at += 1;
                takes.push(format!("{base}: &[{}]", ty(&pointer.elem)));
                gives.push(format!("{base}.len(), {base}.as_ptr()"));
            }
            Type::Path(_) => {
                takes.push(format!("{parameter}: {}", ty(kind)));
                gives.push(parameter.clone());
            }
            Type::Ptr(pointer) if !is_mut(pointer) && is(&pointer.elem, "c_char") => {
                takes.push(format!("{parameter}: &::core::ffi::CStr"));
                gives.push(format!("{parameter}.as_ptr()"));
            }
            // `out string x`.
            Type::Ptr(pointer) if matches!(&*pointer.elem, Type::Ptr(_)) => return None,
            Type::Ptr(pointer) if matches!(&*pointer.elem, Type::Path(_)) => {
                let (reference, method) = if is_mut(pointer) {
                    ("&mut", "&raw mut")
                } else {
                    ("&", "&raw const")
                };
                takes.push(format!("{parameter}: {reference} {}", ty(&pointer.elem)));
                gives.push(format!("{method} *{parameter}"));
            }
            _ => return None,
        }
    }
    let (result, before, after) = match &function.sig.output {
        ReturnType::Default => (String::new(), "", ""),
        ReturnType::Type(_, kind) => match &**kind {
            Type::Ptr(pointer) if is(&pointer.elem, "c_char") => {
                (" -> crate::Text".to_owned(), "crate::Text::new(", ")")
            }
            Type::Path(_) => (format!(" -> {}", ty(kind)), "", ""),
            _ => return None,
        },
    };
    Some(format!(
        "    /// Calls the method `{method}`.\n    pub fn {}({}){result} {{\n\
         \x20       // SAFETY: the arguments are of the procedure's types, and live during the call.\n\
         \x20       unsafe {{ {before}crate::sys::{name}({}){after} }}\n    }}\n",
        ident(method),
        takes.join(", "),
        gives.join(", "),
    ))
}

/// Marks the structures that any bytes are valid for.
fn plain(file: &syn::File) -> String {
    let mut structures: BTreeMap<String, Vec<&Type>> = BTreeMap::new();
    for item in &file.items {
        if let Item::Struct(item) = item
            && item.generics.params.is_empty()
            && let Fields::Named(fields) = &item.fields
        {
            structures.insert(
                item.ident.to_string(),
                fields.named.iter().map(|field| &field.ty).collect(),
            );
        }
    }
    let mut aliases: BTreeMap<String, &Type> = BTreeMap::new();
    for item in &file.items {
        if let Item::Type(item) = item {
            aliases.insert(item.ident.to_string(), &item.ty);
        }
    }
    let mut text = String::new();
    for (name, fields) in &structures {
        if fields
            .iter()
            .all(|field| is_plain(field, &structures, &aliases, 0))
        {
            let _ = writeln!(
                text,
                "// SAFETY: the structure has integers and floats alone.\nunsafe impl crate::Plain for crate::sys::{name} {{}}"
            );
        }
    }
    text
}

fn is_plain(
    ty: &Type,
    structures: &BTreeMap<String, Vec<&Type>>,
    aliases: &BTreeMap<String, &Type>,
    depth: u32,
) -> bool {
    if depth > 16 {
        return false;
    }
    let plain = |ty| is_plain(ty, structures, aliases, depth + 1);
    match ty {
        Type::Array(array) => plain(&array.elem),
        Type::Path(path) => {
            let Some(name) = path.path.segments.last().map(|part| part.ident.to_string()) else {
                return false;
            };
            if name == "bool" || name == "char" || name == "c_void" {
                return false;
            }
            is_primitive(&name)
                || path.path.segments.len() > 1 && name.starts_with("c_")
                || aliases.get(&name).is_some_and(|alias| plain(alias))
                || structures
                    .get(&name)
                    .is_some_and(|fields| fields.iter().all(|field| plain(field)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    /// Bindings as bindgen writes them for a camkes.h.
    const BINDINGS: &str = r#"
    pub type int_t = ::core::ffi::c_int;
    #[repr(C)] pub struct page { pub number: u32, pub text: [u8; 4usize], pub more: inner }
    #[repr(C)] pub struct inner { pub count: int_t }
    #[repr(C)] pub struct flagged { pub flag: bool }
    unsafe extern "C" {
        pub fn desk_total(numbers_sz: usize, numbers: *const ::core::ffi::c_int) -> ::core::ffi::c_int;
        pub fn desk_submit(text: *const ::core::ffi::c_char) -> *mut ::core::ffi::c_char;
        pub fn desk_halve(number: ::core::ffi::c_int, half: *mut ::core::ffi::c_int);
        pub fn desk_names(names_sz: *mut usize, names: *mut *mut ::core::ffi::c_int);
        pub fn desk_timing_reset();
        pub fn desk__init();
        pub fn desk_register_error_handler(handler: usize) -> usize;
        pub fn shop_open() -> ::core::ffi::c_int;
        pub fn shop_get_sender_id() -> usize;
        pub fn shop_register_error_handler(handler: usize) -> usize;
        pub static mut sheet: *mut page;
        pub fn sheet_get_size() -> usize;
        pub fn sheet_register_error_handler(handler: usize) -> usize;
        pub fn bell_emit();
        pub fn bell_register_error_handler(handler: usize) -> usize;
        pub fn rung_wait();
        pub fn rung_poll() -> ::core::ffi::c_int;
        pub fn rung_reg_callback(callback: usize) -> ::core::ffi::c_int;
        pub fn gate_lock() -> ::core::ffi::c_int;
        pub fn gate_unlock() -> ::core::ffi::c_int;
        pub static copies: ::core::ffi::c_int;
        pub static mut greeting: *const ::core::ffi::c_char;
    }
    "#;

    #[test]
    fn interfaces_become_modules_with_safe_functions() {
        let text = text(&syn::parse_str(BINDINGS).expect("Rust"));
        for part in [
            "pub mod desk {",
            "pub fn total(numbers: &[::core::ffi::c_int]) -> ::core::ffi::c_int {",
            "crate::sys::desk_total(numbers.len(), numbers.as_ptr())",
            "pub fn submit(text: &::core::ffi::CStr) -> crate::Text {",
            "pub fn halve(number: ::core::ffi::c_int, half: &mut ::core::ffi::c_int) {",
            "crate::sys::desk_halve(number, &raw mut *half)",
            "pub mod sheet {",
            "pub fn dataport() -> crate::Dataport<crate::sys::page> {",
            "pub mod bell {",
            "pub fn emit() {",
            "pub mod rung {",
            "pub fn poll() -> bool {",
            "pub mod gate {",
            "pub fn lock() -> Guard {",
            "pub fn copies() -> ::core::ffi::c_int {",
            "pub fn greeting() -> &'static ::core::ffi::CStr {",
            "unsafe impl crate::Plain for crate::sys::page {}",
        ] {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
        for absent in [
            // No safe form, CAmkES' own, a procedure that the component provides, and a type with bytes that are none.
            "names",
            "timing_reset",
            "fn _init",
            "pub mod shop",
            "crate::sys::flagged",
            "pub fn sheet()",
        ] {
            assert!(!text.contains(absent), "`{absent}` in:\n{text}");
        }
        syn::parse_str::<syn::File>(&text).expect("Rust");
    }
}
