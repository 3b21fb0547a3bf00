// SPDX-License-Identifier: BSD-2-Clause

//! Safe functions for the interfaces of an instance of a CAmkES component.
//!
//! Each interface becomes a module: `uses Sums sums` with a method `add` becomes `sums::add`, `emits Bell bell`
//! `bell::emit`. The assembly's facts about them are macros in camkes.h, which a template of the kit writes; the types are
//! those of the functions that camkes.h declares. Functions with parameters that have no safe form stay in the raw bindings
//! alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use syn::{
    Expr, Fields, FnArg, ForeignItem, ForeignItemFn, ForeignItemStatic, Item, Lit, Pat,
    PointerMutability, ReturnType, Type, TypePtr, UseTree,
};

/// Start of the names of the macros that state facts.
const FACT: &str = "sel4_rust_fact_";

/// Takes the facts out of the bindings `file`, and returns the Rust text of the modules.
pub fn text(file: &mut syn::File) -> String {
    let facts = take_facts(file);
    let mut interfaces = Interfaces::new(file, &facts);
    interfaces.dataports();
    interfaces.events();
    interfaces.locks();
    interfaces.uses();
    let macros = interfaces.provides();
    let mut text = String::new();
    for (name, module) in &interfaces.modules {
        let _ = writeln!(
            text,
            "/// Interface `{name}` of this instance.\npub mod {} {{\n{module}}}",
            ident(name)
        );
    }
    text + &macros + &interfaces.attributes() + &interfaces.types.marks()
}

/// Removes the constants that state facts from `file`; returns the facts, as lists of words.
fn take_facts(file: &mut syn::File) -> BTreeSet<Vec<String>> {
    let mut facts = BTreeSet::new();
    file.items.retain(|item| {
        let Item::Const(item) = item else {
            return true;
        };
        if !item.ident.to_string().starts_with(FACT) {
            return true;
        }
        let text = match &*item.expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::ByteStr(text) => String::from_utf8_lossy(&text.value()).into_owned(),
                Lit::CStr(text) => text.value().to_string_lossy().into_owned(),
                _ => String::new(),
            },
            _ => String::new(),
        };
        let words = text.trim_end_matches('\0').split(' ');
        facts.insert(words.map(str::to_owned).collect());
        false
    });
    facts
}

/// Returns the names of the functions that the bindings declare.
pub fn functions(file: &syn::File) -> Vec<String> {
    let mut names = Vec::new();
    for item in &file.items {
        if let Item::ForeignMod(block) = item {
            names.extend(block.items.iter().filter_map(|item| match item {
                ForeignItem::Fn(item) => Some(item.sig.ident.to_string()),
                _ => None,
            }));
        }
    }
    names
}

/// Name as an identifier.
fn ident(name: &str) -> String {
    match syn::parse_str::<syn::Ident>(name) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("r#{name}"),
    }
}

struct Interfaces<'a> {
    facts: &'a BTreeSet<Vec<String>>,
    functions: BTreeMap<String, &'a ForeignItemFn>,
    statics: BTreeMap<String, &'a ForeignItemStatic>,
    types: Types<'a>,
    /// Text of the modules, by the names of the interfaces.
    modules: BTreeMap<String, String>,
}

impl<'a> Interfaces<'a> {
    fn new(file: &'a syn::File, facts: &'a BTreeSet<Vec<String>>) -> Self {
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
            facts,
            functions,
            statics,
            types: Types::new(file),
            modules: BTreeMap::new(),
        }
    }

    /// Returns the interfaces of a kind, such as `uses`.
    fn named(&self, kind: &str) -> Vec<String> {
        let facts = self.facts.iter();
        facts
            .filter_map(|fact| match &**fact {
                [first, name] if first == kind => Some(name.clone()),
                _ => None,
            })
            .collect()
    }

    /// Returns the methods of an interface.
    fn methods(&self, interface: &str) -> Vec<String> {
        let facts = self.facts.iter();
        facts
            .filter_map(|fact| match &**fact {
                [kind, of, method] if kind == "method" && of == interface => Some(method.clone()),
                _ => None,
            })
            .collect()
    }

    fn is(&self, fact: &[&str]) -> bool {
        let fact: Vec<String> = fact.iter().map(|word| (*word).to_owned()).collect();
        self.facts.contains(&fact)
    }

    /// Adds to the module of an interface. `optional` interfaces can be asked whether they are connected.
    fn add(&mut self, name: &str, text: &str) {
        let connected = !self.is(&["unconnected", name]);
        let first = !self.modules.contains_key(name) && self.is(&["optional", name]);
        let module = self.modules.entry(name.to_owned()).or_default();
        if first {
            *module += &format!(
                "/// Returns whether the assembly connects this optional interface.\n#[must_use]\n\
                 pub const fn is_connected() -> bool {{ {connected} }}\n"
            );
        }
        *module += text;
    }

    /// `dataport T x`: a variable `x` with the address, and `x_get_size()`.
    fn dataports(&mut self) {
        for name in self.named("dataport") {
            let Some(Type::Ptr(pointer)) = self.statics.get(&name).map(|item| &*item.ty) else {
                continue;
            };
            let ty = ty(&pointer.elem);
            let raw = ident(&name);
            let port = format!("crate::Dataport<{ty}>");
            let memory = format!(
                "// SAFETY: CAmkES maps so many bytes at this address for as long as the instance runs.\n\
                 unsafe {{ crate::Dataport::new(crate::sys::{raw}.cast(), crate::sys::{name}_get_size()) }}"
            );
            let (port, memory) = match (
                self.is(&["optional", &name]),
                self.is(&["unconnected", &name]),
            ) {
                (false, _) => (port, memory),
                (true, false) => (
                    format!("Option<{port}>"),
                    format!("let port =\n{memory};\nSome(port)"),
                ),
                (true, true) => (format!("Option<{port}>"), "None".to_owned()),
            };
            self.add(
                &name,
                &format!(
                    "/// Returns the shared memory.\n#[must_use]\npub fn dataport() -> {port} {{\n{memory}\n}}\n"
                ),
            );
        }
    }

    /// Returns the body of a function that calls `text`, which needs the interface to be connected.
    fn body(&self, interface: &str, text: &str) -> String {
        if self.is(&["unconnected", interface]) {
            format!("crate::unconnected(\"{interface}\")")
        } else {
            text.to_owned()
        }
    }

    /// `emits E x` and `consumes E x`.
    fn events(&mut self) {
        for name in self.named("emits") {
            self.add(
                &name,
                &format!(
                    "/// Emits the event.\npub fn emit() {{\n// SAFETY: the function has no precondition.\n\
                     unsafe {{ crate::sys::{name}_emit() }}\n}}\n"
                ),
            );
        }
        for name in self.named("consumes") {
            // CAmkES calls a function `x_handle` for each interrupt. The other functions are of no use.
            if self.is(&["interrupt", &name]) {
                self.add(
                    &name,
                    &format!(
                        "/// Has the next interrupt come in: each is delivered once, until it is acknowledged.\n///\n\
                         /// # Panics\n///\n/// When the kernel refuses.\n\
                         pub fn acknowledge() {{\n// SAFETY: the function has no precondition.\n\
                         let status = unsafe {{ crate::sys::{name}_acknowledge() }};\n\
                         assert!(status == 0, \"the interrupt {name} cannot be acknowledged: error {{status}}\");\n}}\n"
                    ),
                );
                continue;
            }
            let wait = self.body(&name, &format!(
                "// SAFETY: the function has no precondition.\nunsafe {{ crate::sys::{name}_wait() }}"
            ));
            let poll = self.body(&name, &format!(
                "// SAFETY: the function has no precondition.\nunsafe {{ crate::sys::{name}_poll() != 0 }}"
            ));
            let on = self.body(&name, &format!(
                "// SAFETY: `call` takes the argument for the function that it is.\n\
                 let status = unsafe {{ crate::sys::{name}_reg_callback(Some(crate::call), callback as *mut ::core::ffi::c_void) }};\n\
                 if status == 0 {{ Ok(()) }} else {{ Err(crate::Registered) }}"
            ));
            self.add(&name, &format!(
                "/// Waits for the event.\npub fn wait() {{\n{wait}\n}}\n\
                 /// Returns whether the event has come, and takes it.\n#[must_use]\npub fn poll() -> bool {{\n{poll}\n}}\n\
                 /// Has `callback` called, once, when the event comes: by the thread of the interface.\n///\n\
                 /// # Errors\n///\n/// When another callback is registered.\n\
                 pub fn on(callback: fn()) -> Result<(), crate::Registered> {{\n{on}\n}}\n"
            ));
        }
    }

    /// `has mutex x`, `has semaphore x` and `has binary_semaphore x`.
    fn locks(&mut self) {
        for name in self.named("mutex") {
            self.add(&name, &format!(
                "/// Waits until the mutex is free and takes it, until the guard goes.\npub fn lock() -> Guard {{\n\
                 // SAFETY: the function has no precondition.\n\
                 let status = unsafe {{ crate::sys::{name}_lock() }};\n\
                 assert!(status == 0, \"the mutex {name} cannot be locked: error {{status}}\");\nGuard(())\n}}\n\
                 /// The mutex, taken.\n#[derive(Debug)]\n#[must_use]\npub struct Guard(());\n\
                 impl Drop for Guard {{\nfn drop(&mut self) {{\n\
                 // SAFETY: the guard holds the mutex.\nlet _ = unsafe {{ crate::sys::{name}_unlock() }};\n}}\n}}\n"
            ));
        }
        for (kind, binary) in [("semaphore", false), ("binary_semaphore", true)] {
            for name in self.named(kind) {
                let function = |method: &str, c: &str, what: &str| {
                    format!(
                        "/// {what}\n///\n/// # Panics\n///\n/// When the kernel refuses.\npub fn {method}() {{\n\
                         // SAFETY: the function has no precondition.\n\
                         let status = unsafe {{ crate::sys::{name}_{c}() }};\n\
                         assert!(status == 0, \"the semaphore {name}: error {{status}}\");\n}}\n"
                    )
                };
                let mut text = function(
                    "wait",
                    "wait",
                    "Waits until the count is above zero, and takes one.",
                ) + &function(
                    "post",
                    "post",
                    "Adds one to the count, and wakes a thread that waits.",
                );
                if !binary {
                    text += &format!(
                        "/// Takes one if the count is above zero; returns whether it was.\n#[must_use]\n\
                         pub fn try_wait() -> bool {{\n// SAFETY: the function has no precondition.\n\
                         unsafe {{ crate::sys::{name}_trywait() == 0 }}\n}}\n"
                    );
                }
                self.add(&name, &text);
            }
        }
    }

    /// Methods of procedures that the component uses.
    fn uses(&mut self) {
        for interface in self.named("uses") {
            for method in self.methods(&interface) {
                let Some(signature) = self.signature(&interface, &method) else {
                    continue;
                };
                // A direct call gives memory of the other component's heap, which this one cannot free.
                if self.is(&["direct", &interface]) && signature.gives_memory() {
                    continue;
                }
                let text = signature.call(self.is(&["unconnected", &interface]));
                self.add(&interface, &text);
            }
        }
    }

    /// Procedures that the component provides: a trait for each, and a macro that exports the methods of a type that
    /// implements it. Returns the macros.
    fn provides(&mut self) -> String {
        let mut macros = String::new();
        for interface in self.named("provides") {
            let methods = self.methods(&interface);
            let signatures: Option<Vec<_>> = methods
                .iter()
                .map(|method| self.signature(&interface, method))
                .collect();
            let Some(signatures) = signatures.filter(|signatures| !signatures.is_empty()) else {
                continue;
            };
            let methods: String = signatures.iter().map(Signature::declaration).collect();
            self.add(
                &interface,
                &format!(
                    "/// Methods of the interface, which this component provides: `camkes::provide_{interface}!(Type)` exports those\n\
                     /// of a type that has them.\npub trait Methods {{\n{methods}}}\n"
                ),
            );
            let exports: String = signatures.iter().map(Signature::export).collect();
            let _ = writeln!(
                macros,
                "/// Exports the methods of a type to CAmkES, for the interface `{interface}`.\n#[macro_export]\n\
                 macro_rules! provide_{interface} {{ ($type:ty) => {{\n{exports}}} }}"
            );
        }
        macros
    }

    /// Returns the safe form of a method, unless a parameter or the result has none.
    fn signature(&self, interface: &str, method: &str) -> Option<Signature> {
        let name = format!("{interface}_{method}");
        let function = self.functions.get(&name)?;
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
        let mut forms = Vec::new();
        let mut rest = &parameters[..];
        while let [(parameter, kind), after @ ..] = rest {
            rest = after;
            let size_of = |next: &str| parameter.strip_suffix("_sz") == Some(next);
            let (parameter, form) = match (kind, after) {
                // `in T x[]`: the number of elements, and the elements.
                (Type::Path(_), [(next, Type::Ptr(pointer)), after @ ..]) if size_of(next) => {
                    rest = after;
                    if is_mut(pointer) || !self.types.is_plain(&pointer.elem) {
                        return None;
                    }
                    (next, Form::Slice(ty(&pointer.elem)))
                }
                // `out T x[]`.
                (Type::Ptr(size), [(next, Type::Ptr(pointer)), after @ ..]) if size_of(next) => {
                    rest = after;
                    let Type::Ptr(pointer) = &*pointer.elem else {
                        return None;
                    };
                    if !is_mut(size) || !self.types.is_plain(&pointer.elem) {
                        return None;
                    }
                    (next, Form::Array(ty(&pointer.elem)))
                }
                (Type::Path(_), _) if is(kind, "bool") || self.types.is_plain(kind) => {
                    (parameter, Form::Value(ty(kind)))
                }
                (Type::Ptr(pointer), _) if !is_mut(pointer) && is(&pointer.elem, "c_char") => {
                    (parameter, Form::CStr)
                }
                (Type::Ptr(pointer), _) if self.types.is_plain(&pointer.elem) => {
                    let inner = ty(&pointer.elem);
                    let form = if is_mut(pointer) {
                        Form::Result(inner)
                    } else {
                        Form::Reference(inner)
                    };
                    (parameter, form)
                }
                // `out string x`.
                (Type::Ptr(pointer), _) => match &*pointer.elem {
                    Type::Ptr(pointer) if is_mut(pointer) && is(&pointer.elem, "c_char") => {
                        (parameter, Form::Text)
                    }
                    _ => return None,
                },
                _ => return None,
            };
            // bindgen puts an underscore behind a name that is a word of Rust's.
            let in_c = parameter.trim_end_matches('_');
            let is_inout = [parameter, in_c]
                .iter()
                .any(|parameter| self.is(&["inout", interface, method, parameter]));
            forms.push((parameter.clone(), form, is_inout));
        }
        let result = match &function.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, kind) => match &**kind {
                Type::Ptr(pointer) if is(&pointer.elem, "c_char") => Some(Form::Text),
                Type::Path(_) if is(kind, "bool") || self.types.is_plain(kind) => {
                    Some(Form::Value(ty(kind)))
                }
                _ => return None,
            },
        };
        Some(Signature {
            interface: interface.to_owned(),
            method: method.to_owned(),
            parameters: forms,
            result,
        })
    }

    /// `attribute T x`: a constant that differs between instances.
    fn attributes(&self) -> String {
        let mut text = String::new();
        for name in self.named("attribute") {
            let Some(item) = self.statics.get(&name) else {
                continue;
            };
            let raw = ident(&name);
            let (result, value) = match &*item.ty {
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
                "/// Returns the attribute `{name}` of this instance.\n#[must_use]\npub fn {raw}() -> {result} {{\n\
                 // SAFETY: CAmkES defines the constant, and nothing writes it.\nunsafe {{ {value} }}\n}}"
            );
        }
        if text.is_empty() {
            return text;
        }
        format!("/// Attributes of this instance.\npub mod attributes {{\n{text}}}\n")
    }
}

/// Safe form of a parameter or a result.
enum Form {
    /// `in T`, and a result.
    Value(String),
    /// `in T[]`.
    Slice(String),
    /// `in string`.
    CStr,
    /// `refin T`.
    Reference(String),
    /// `out T` and `inout T`.
    Result(String),
    /// `out string` and `inout string`, and a result that is a `string`.
    Text,
    /// `out T[]` and `inout T[]`.
    Array(String),
}

/// Safe form of a method.
struct Signature {
    interface: String,
    method: String,
    /// Name, form, and whether the parameter is `inout`.
    parameters: Vec<(String, Form, bool)>,
    /// A value or a text.
    result: Option<Form>,
}

impl Signature {
    /// Returns whether the caller frees memory that the method allocates.
    fn gives_memory(&self) -> bool {
        let forms = self.parameters.iter().map(|(_, form, _)| form);
        forms
            .chain(&self.result)
            .any(|form| matches!(form, Form::Text | Form::Array(_)))
    }

    /// Returns the parameters and the result in Rust.
    fn head(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, form, _)| match form {
                Form::Value(ty) => format!("{name}: {ty}"),
                Form::Slice(ty) => format!("{name}: &[{ty}]"),
                Form::CStr => format!("{name}: &::core::ffi::CStr"),
                Form::Reference(ty) => format!("{name}: &{ty}"),
                Form::Result(ty) => format!("{name}: &mut {ty}"),
                Form::Text => format!("{name}: &mut crate::Text"),
                Form::Array(ty) => format!("{name}: &mut crate::Array<{ty}>"),
            })
            .collect();
        let result = match &self.result {
            None => String::new(),
            Some(Form::Value(ty)) => format!(" -> {ty}"),
            Some(_) => " -> crate::Text".to_owned(),
        };
        format!("({}){result}", parameters.join(", "))
    }

    /// Returns the function that calls the method.
    fn call(&self, unconnected: bool) -> String {
        let name = format!("{}_{}", self.interface, self.method);
        let head = format!(
            "/// Calls the method `{}`.\npub fn {}{}",
            self.method,
            ident(&self.method),
            self.head()
        );
        if unconnected {
            return format!(
                "{head} {{\ncrate::unconnected(\"{}\")\n}}\n",
                self.interface
            );
        }
        let mut before = String::new();
        let mut arguments = Vec::new();
        for (parameter, form, is_inout) in &self.parameters {
            let pointers = if *is_inout { "pass" } else { "receive" };
            match form {
                Form::Value(_) => arguments.push(parameter.clone()),
                Form::Slice(_) => {
                    arguments.push(format!("{parameter}.len(), {parameter}.as_ptr()"));
                }
                Form::CStr => arguments.push(format!("{parameter}.as_ptr()")),
                Form::Reference(_) => arguments.push(format!("&raw const *{parameter}")),
                Form::Result(_) => arguments.push(format!("&raw mut *{parameter}")),
                Form::Text => arguments.push(format!("{parameter}.{pointers}()")),
                Form::Array(_) => {
                    let _ = writeln!(
                        before,
                        "let ({parameter}_sz, {parameter}) = {parameter}.{pointers}();"
                    );
                    arguments.push(format!("{parameter}_sz, {parameter}"));
                }
            }
        }
        let arguments = arguments.join(", ");
        let call = match &self.result {
            None => format!("crate::sys::{name}({arguments})"),
            Some(Form::Value(ty)) if ty == "bool" => {
                // The other component wrote the byte, which may be any.
                let _ = writeln!(
                    before,
                    "unsafe extern \"C\" {{\n#[link_name = \"{name}\"]\nfn call({}) -> u8;\n}}",
                    self.raw()
                );
                format!("call({arguments}) != 0")
            }
            Some(Form::Value(_)) => format!("crate::sys::{name}({arguments})"),
            Some(_) => format!("crate::Text::new(crate::sys::{name}({arguments}))"),
        };
        format!(
            "{head} {{\n{before}// SAFETY: the arguments are of the procedure's types, and live during the call.\n\
             unsafe {{ {call} }}\n}}\n"
        )
    }

    /// Returns the method's declaration in the trait.
    fn declaration(&self) -> String {
        format!(
            "/// Method `{}`.\nfn {}{};\n",
            self.method,
            ident(&self.method),
            self.head()
        )
    }

    /// Returns the parameters as C has them.
    fn raw(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, form, _)| match form {
                Form::Value(ty) => format!("{name}: {ty}"),
                Form::Slice(ty) => format!("{name}_sz: usize, {name}: *const {ty}"),
                Form::CStr => format!("{name}: *const ::core::ffi::c_char"),
                Form::Reference(ty) => format!("{name}: *const {ty}"),
                Form::Result(ty) => format!("{name}: *mut {ty}"),
                Form::Text => format!("{name}: *mut *mut ::core::ffi::c_char"),
                Form::Array(ty) => format!("{name}_sz: *mut usize, {name}: *mut *mut {ty}"),
            })
            .collect();
        parameters.join(", ")
    }

    /// Returns the function that CAmkES calls. The text stands in a macro, and so in another crate.
    fn export(&self) -> String {
        let mut before = String::new();
        let mut arguments = Vec::new();
        let mut after = String::new();
        for (name, form, is_inout) in &self.parameters {
            match form {
                Form::Value(_) => arguments.push(name.clone()),
                Form::Slice(_) => {
                    arguments.push(format!("unsafe {{ crate::slice({name}, {name}_sz) }}"));
                }
                Form::CStr => {
                    arguments.push(format!("unsafe {{ ::core::ffi::CStr::from_ptr({name}) }}"));
                }
                Form::Reference(_) => arguments.push(format!("unsafe {{ &*{name} }}")),
                Form::Result(_) => {
                    if !is_inout {
                        // C leaves the variable as it is.
                        let _ = writeln!(before, "unsafe {{ {name}.write_bytes(0, 1) }};");
                    }
                    arguments.push(format!("unsafe {{ &mut *{name} }}"));
                }
                Form::Text => {
                    let start = if *is_inout {
                        format!("unsafe {{ crate::Text::new(*{name}) }}")
                    } else {
                        "crate::Text::default()".to_owned()
                    };
                    let _ = writeln!(before, "let mut {name}_text = {start};");
                    arguments.push(format!("&mut {name}_text"));
                    let _ = writeln!(after, "unsafe {{ *{name} = {name}_text.into_raw() }};");
                }
                Form::Array(_) => {
                    let start = if *is_inout {
                        format!("unsafe {{ crate::Array::new(*{name}, *{name}_sz) }}")
                    } else {
                        "crate::Array::default()".to_owned()
                    };
                    let _ = writeln!(before, "let mut {name}_array = {start};");
                    arguments.push(format!("&mut {name}_array"));
                    let _ = writeln!(
                        after,
                        "unsafe {{ (*{name}, *{name}_sz) = {name}_array.into_raw() }};"
                    );
                }
            }
        }
        let (result, value) = match &self.result {
            None => (String::new(), "sel4_rust_result"),
            Some(Form::Value(ty)) => (format!(" -> {ty}"), "sel4_rust_result"),
            Some(_) => (
                " -> *mut ::core::ffi::c_char".to_owned(),
                "sel4_rust_result.into_raw()",
            ),
        };
        let (interface, method) = (&self.interface, &self.method);
        let text = format!(
            "#[unsafe(no_mangle)]\nunsafe extern \"C\" fn {interface}_{method}({}){result} {{\n{before}\
             let sel4_rust_result = <$type as crate::{}::Methods>::{}({});\n{after}{value}\n}}\n",
            self.raw(),
            ident(interface),
            ident(method),
            arguments.join(", "),
        );
        text.replace("crate::", "$crate::")
    }
}

/// Types of the bindings.
struct Types<'a> {
    structures: BTreeMap<String, Vec<&'a Type>>,
    aliases: BTreeMap<String, &'a Type>,
    /// Other names of enumerations, which bindgen writes as `use self::tag as name`.
    renamed: BTreeMap<String, String>,
}

impl<'a> Types<'a> {
    fn new(file: &'a syn::File) -> Self {
        let mut types = Self {
            structures: BTreeMap::new(),
            aliases: BTreeMap::new(),
            renamed: BTreeMap::new(),
        };
        for item in &file.items {
            match item {
                Item::Struct(item) if item.generics.params.is_empty() => {
                    if let Fields::Named(fields) = &item.fields {
                        let fields = fields.named.iter().map(|field| &field.ty).collect();
                        types.structures.insert(item.ident.to_string(), fields);
                    }
                }
                Item::Type(item) => {
                    types.aliases.insert(item.ident.to_string(), &item.ty);
                }
                Item::Use(item) => {
                    if let UseTree::Path(path) = &item.tree
                        && let UseTree::Rename(pair) = &*path.tree
                    {
                        let name = pair.rename.to_string();
                        types.renamed.insert(name, pair.ident.to_string());
                    }
                }
                _ => {}
            }
        }
        types
    }

    /// Marks the structures that any bytes are valid for.
    fn marks(&self) -> String {
        let mut text = String::new();
        for (name, fields) in &self.structures {
            if fields.iter().all(|field| self.is_plain(field)) {
                let _ = writeln!(
                    text,
                    "// SAFETY: the structure has integers and floats alone.\nunsafe impl crate::Plain for crate::sys::{name} {{}}"
                );
            }
        }
        text
    }

    /// Returns whether any bytes are a value of the type: those of another component, say. A pointer is none that this
    /// component could follow.
    fn is_plain(&self, ty: &Type) -> bool {
        self.is_plain_below(ty, 0)
    }

    fn is_plain_below(&self, ty: &Type, depth: u32) -> bool {
        if depth > 16 {
            return false;
        }
        let plain = |ty| self.is_plain_below(ty, depth + 1);
        match ty {
            Type::Array(array) => plain(&array.elem),
            Type::Path(path) => {
                let Some(name) = path.path.segments.last().map(|part| part.ident.to_string())
                else {
                    return false;
                };
                if name == "bool" || name == "char" || name == "c_void" {
                    return false;
                }
                let name = self.renamed.get(&name).unwrap_or(&name);
                is_primitive(name)
                    || path.path.segments.len() > 1 && name.starts_with("c_")
                    || self.aliases.get(name).is_some_and(|alias| plain(alias))
                    || self
                        .structures
                        .get(name)
                        .is_some_and(|fields| fields.iter().all(|field| plain(field)))
            }
            _ => false,
        }
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

#[cfg(test)]
mod tests {
    use super::text;

    /// Bindings as bindgen writes them for a camkes.h.
    const BINDINGS: &str = r#"
    pub const sel4_rust_fact_1: &[u8; 10] = b"uses desk\0";
    pub const sel4_rust_fact_2: &[u8; 18] = b"method desk total\0";
    pub const sel4_rust_fact_3: &[u8; 19] = b"method desk submit\0";
    pub const sel4_rust_fact_4: &[u8; 18] = b"method desk halve\0";
    pub const sel4_rust_fact_5: &[u8; 18] = b"method desk names\0";
    pub const sel4_rust_fact_6: &[u8; 18] = b"method desk amend\0";
    pub const sel4_rust_fact_7: &[u8; 22] = b"inout desk amend text\0";
    pub const sel4_rust_fact_8: &[u8; 16] = b"method desk log\0";
    pub const sel4_rust_fact_9: &[u8; 14] = b"provides shop\0";
    pub const sel4_rust_fact_10: &[u8; 17] = b"method shop open\0";
    pub const sel4_rust_fact_11: &[u8; 15] = b"dataport sheet\0";
    pub const sel4_rust_fact_12: &[u8; 11] = b"emits bell\0";
    pub const sel4_rust_fact_13: &[u8; 14] = b"consumes rung\0";
    pub const sel4_rust_fact_14: &[u8; 11] = b"mutex gate\0";
    pub const sel4_rust_fact_15: &[u8; 17] = b"attribute copies\0";
    pub const sel4_rust_fact_16: &[u8; 19] = b"attribute greeting\0";
    pub const sel4_rust_fact_17: &[u8; 15] = b"semaphore slot\0";
    pub const sel4_rust_fact_18: &[u8; 13] = b"consumes irq\0";
    pub const sel4_rust_fact_19: &[u8; 14] = b"interrupt irq\0";
    pub const sel4_rust_fact_20: &[u8; 11] = b"uses extra\0";
    pub const sel4_rust_fact_21: &[u8; 16] = b"method extra go\0";
    pub const sel4_rust_fact_22: &[u8; 15] = b"optional extra\0";
    pub const sel4_rust_fact_23: &[u8; 18] = b"unconnected extra\0";
    pub const sel4_rust_fact_24: &[u8; 16] = b"method desk open\0";
    pub const sel4_rust_fact_25: &[u8; 17] = b"method desk ready\0";
    pub const sel4_rust_fact_26: &[u8; 10] = b"uses near\0";
    pub const sel4_rust_fact_27: &[u8; 12] = b"direct near\0";
    pub const sel4_rust_fact_28: &[u8; 16] = b"method near add\0";
    pub const sel4_rust_fact_29: &[u8; 17] = b"method near name\0";
    pub type int_t = ::core::ffi::c_int;
    pub type handle_t = *mut ::core::ffi::c_void;
    #[repr(C)] pub struct page { pub number: u32, pub text: [u8; 4usize], pub more: inner }
    #[repr(C)] pub struct inner { pub count: int_t }
    #[repr(C)] pub struct flagged { pub flag: bool }
    unsafe extern "C" {
        pub fn desk_total(numbers_sz: usize, numbers: *const ::core::ffi::c_int) -> ::core::ffi::c_int;
        pub fn desk_submit(text: *const ::core::ffi::c_char) -> *mut ::core::ffi::c_char;
        pub fn desk_halve(number: ::core::ffi::c_int, half: *mut ::core::ffi::c_int);
        pub fn desk_names(names_sz: *mut usize, names: *mut *mut ::core::ffi::c_int);
        pub fn desk_amend(text: *mut *mut ::core::ffi::c_char);
        pub fn desk_log(text: *mut *mut ::core::ffi::c_char);
        pub fn desk_open(handle: handle_t);
        pub fn desk_ready() -> bool;
        pub fn desk_top(wrong: ::core::ffi::c_int);
        pub fn desk_timing_reset();
        pub fn desk__init();
        pub fn shop_open(name: *mut *mut ::core::ffi::c_char, count: *mut ::core::ffi::c_int) -> ::core::ffi::c_int;
        pub fn near_add(a: ::core::ffi::c_int) -> ::core::ffi::c_int;
        pub fn near_name() -> *mut ::core::ffi::c_char;
        pub fn extra_go(count: ::core::ffi::c_int) -> ::core::ffi::c_int;
        pub static mut sheet: *mut page;
        pub fn sheet_get_size() -> usize;
        pub fn bell_emit();
        pub fn rung_wait();
        pub fn rung_poll() -> ::core::ffi::c_int;
        pub fn rung_reg_callback(callback: usize) -> ::core::ffi::c_int;
        pub fn irq_wait();
        pub fn irq_acknowledge() -> ::core::ffi::c_int;
        pub fn gate_lock() -> ::core::ffi::c_int;
        pub fn gate_unlock() -> ::core::ffi::c_int;
        pub fn slot_trywait() -> ::core::ffi::c_int;
        pub static copies: ::core::ffi::c_int;
        pub static mut greeting: *const ::core::ffi::c_char;
        pub static unset: ::core::ffi::c_int;
    }
    "#;

    #[test]
    fn interfaces_become_modules_with_safe_functions() {
        let mut file = syn::parse_str(BINDINGS).expect("Rust");
        let text = text(&mut file);
        for part in [
            "pub mod desk {",
            "pub fn total(numbers: &[::core::ffi::c_int]) -> ::core::ffi::c_int {",
            "crate::sys::desk_total(numbers.len(), numbers.as_ptr())",
            "pub fn submit(text: &::core::ffi::CStr) -> crate::Text {",
            "pub fn halve(number: ::core::ffi::c_int, half: &mut ::core::ffi::c_int) {",
            "crate::sys::desk_halve(number, &raw mut *half)",
            "pub fn names(names: &mut crate::Array<::core::ffi::c_int>) {",
            "let (names_sz, names) = names.receive();",
            "pub fn amend(text: &mut crate::Text) {",
            "crate::sys::desk_amend(text.pass())",
            "crate::sys::desk_log(text.receive())",
            "pub fn ready() -> bool {",
            "pub mod sheet {",
            "pub fn dataport() -> crate::Dataport<crate::sys::page> {",
            "pub mod bell {",
            "pub fn emit() {",
            "pub mod rung {",
            "pub fn poll() -> bool {",
            "pub mod irq {",
            "pub fn acknowledge() {",
            "pub mod gate {",
            "pub fn lock() -> Guard {",
            "pub mod slot {",
            "pub fn try_wait() -> bool {",
            "pub const fn is_connected() -> bool { false }",
            "crate::unconnected(\"extra\")",
            "crate::sys::near_add(a)",
            "pub mod shop {",
            "pub trait Methods {",
            "fn open(name: &mut crate::Text, count: &mut ::core::ffi::c_int) -> ::core::ffi::c_int;",
            "macro_rules! provide_shop { ($type:ty) => {",
            "<$type as $crate::shop::Methods>::open(&mut name_text, unsafe { &mut *count });",
            "pub fn copies() -> ::core::ffi::c_int {",
            "pub fn greeting() -> &'static ::core::ffi::CStr {",
            "unsafe impl crate::Plain for crate::sys::page {}",
        ] {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
        for absent in [
            // CAmkES' own, a method of no procedure, memory of another heap, a pointer, a type with bytes that are none, what an interrupt has not,
            // and what is not connected or set.
            "timing_reset",
            "fn _init",
            "fn top",
            "near_name",
            "handle_t",
            "crate::sys::flagged",
            "pub fn sheet()",
            "irq_wait",
            "sys::extra_go",
            "unset",
        ] {
            assert!(!text.contains(absent), "`{absent}` in:\n{text}");
        }
        syn::parse_str::<syn::File>(&text).expect("Rust");
        let facts = file.items.iter();
        let facts = facts.filter(|item| matches!(item, syn::Item::Const(_)));
        assert_eq!(facts.count(), 0, "the facts stay in the bindings");
    }
}
