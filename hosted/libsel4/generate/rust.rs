// SPDX-License-Identifier: BSD-2-Clause

//! Generator of the Rust side, which `src/lib.rs` includes in the module `api`.

use super::{Api, Function, Invocation, Item, Kind, Way};

/// Beginning of every function, which C can call too.
const FUNCTION: &str = "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn";
const DERIVED: &str = "#[repr(C)]\n#[derive(Debug, Copy, Clone, PartialEq, Eq";

pub fn api(api: &Api) -> String {
    let mut out = String::new();
    for item in &api.items {
        if !item.doc.is_empty() && !matches!(item.kind, Kind::Function(_)) {
            out += &format!("/// {}\n", item.doc);
        }
        out += &match &item.kind {
            Kind::Constant(value) => format!("pub const {}: usize = {value};\n", item.name),
            Kind::Type(of) => format!("pub type {} = {};\n", item.name, native(of)),
            Kind::Enumeration { of, own, members } => {
                format!("pub type {} = {};\n", item.name, native(of))
                    + &enumeration(&item.name, *own, members)
            }
            Kind::Structure { alias, fields } => structure(&item.name, alias.as_deref(), fields),
            Kind::Bits(fields) => bits(&item.name, fields),
            Kind::Union {
                tag_bits,
                words,
                tag,
                kinds,
            } => union(&item.name, *tag_bits, tag, *words, kinds),
            Kind::Function(function) => signature(&item.name, function),
            Kind::Invocation(invocation) => self::invocation(api, item, invocation),
            Kind::Labels {
                type_name,
                group,
                count,
            } => {
                let mut text = format!("pub type {type_name} = ::core::ffi::c_uint;\n");
                for (label, number) in group {
                    text += &format!("pub const {label}: usize = {number};\n");
                }
                text + &format!("pub const {}: usize = {count};\n", item.name)
            }
        };
    }
    out + &labels(api)
}

/// Returns the Rust form of a type; C types get their path.
fn native(of: &str) -> String {
    match of
        .strip_prefix("*mut ")
        .or_else(|| of.strip_prefix("*const "))
    {
        Some(to) => format!("{} {}", &of[..of.len() - to.len() - 1], native(to)),
        None if of.starts_with("c_") => format!("::core::ffi::{of}"),
        None => of.replace(';', "; "),
    }
}

fn enumeration(name: &str, own: bool, members: &[(String, Option<String>)]) -> String {
    let mut out = String::new();
    let mut next = String::from("0");
    for (member, value) in members {
        let value = value.clone().unwrap_or(next);
        // A negative value does not fit a word.
        let of = if own || value.starts_with('-') {
            name
        } else {
            "usize"
        };
        out += &format!("pub const {member}: {of} = {value};\n");
        next = format!("{member} + 1");
    }
    out
}

fn structure(name: &str, alias: Option<&str>, fields: &[(String, String)]) -> String {
    let long = fields
        .iter()
        .any(|(_, of)| of.starts_with('[') && !of.ends_with(";3]") && !of.ends_with(";6]"));
    let plain = !long && !fields.iter().any(|(_, of)| of.starts_with('*'));
    let mut out = format!(
        "{DERIVED}{})]\npub struct {name} {{\n",
        if plain { ", Default" } else { "" }
    );
    for (field, of) in fields {
        out += &format!("    pub {field}: {},\n", native(of));
    }
    out += "}\n";
    if !plain {
        out += &format!(
            "impl Default for {name} {{\n    fn default() -> Self {{\n        // SAFETY: integers and pointers, all of which may be zero.\n        unsafe {{ ::core::mem::zeroed() }}\n    }}\n}}\n"
        );
    }
    alias.map_or(out.clone(), |alias| {
        out + &format!("pub type {alias} = {name};\n")
    })
}

/// Defines a type of `words` words, and its alias with `_t`.
fn words(name: &str, words: usize) -> String {
    format!(
        "{DERIVED}, Default)]\npub struct {name} {{\n    pub words: [seL4_Uint64; {words}],\n}}\npub type {name}_t = {name};\n"
    )
}

/// Defines the four accessors of a field. `get` is an expression, `set` a statement, over the words `w`.
fn accessors(of: &str, prefix: &str, field: &str, get: &str, set: &str) -> String {
    format!(
        "{FUNCTION} {prefix}_get_{field}(value: {of}_t) -> seL4_Uint64 {{\n    let w = value.words;\n    {get}\n}}\n\
         {FUNCTION} {prefix}_set_{field}(value: {of}_t, v64: seL4_Uint64) -> {of}_t {{\n    let mut w = value.words;\n    {set}\n    {of} {{ words: w }}\n}}\n\
         {FUNCTION} {prefix}_ptr_get_{field}(value: *mut {of}_t) -> seL4_Uint64 {{\n    // SAFETY: the caller's pointer.\n    let w = unsafe {{ (*value).words }};\n    {get}\n}}\n\
         {FUNCTION} {prefix}_ptr_set_{field}(value: *mut {of}_t, v64: seL4_Uint64) {{\n    // SAFETY: the caller's pointer.\n    let w = unsafe {{ &mut (*value).words }};\n    {set}\n}}\n"
    )
}

/// Defines `new` and `ptr_new` of a type. `fill` are statements over the words `w`.
fn constructors(of: &str, prefix: &str, fields: &[String], size: usize, fill: &str) -> String {
    let parameters: Vec<String> = fields
        .iter()
        .map(|field| format!("{field}: seL4_Uint64"))
        .collect();
    let parameters = parameters.join(", ");
    let arguments = fields.join(", ");
    let separator = if fields.is_empty() { "" } else { ", " };
    format!(
        "{FUNCTION} {prefix}_new({parameters}) -> {of}_t {{\n    let mut w = [0; {size}];\n    {fill}\n    {of} {{ words: w }}\n}}\n\
         {FUNCTION} {prefix}_ptr_new(value: *mut {of}_t{separator}{parameters}) {{\n    // SAFETY: the caller's pointer.\n    unsafe {{ *value = {prefix}_new({arguments}) }}\n}}\n"
    )
}

fn bits(name: &str, fields: &[(String, u32)]) -> String {
    let mut out = words(name, 1);
    let mut shift: u32 = fields.iter().map(|(_, width)| width).sum();
    let (mut names, mut fill, mut each) = (Vec::new(), String::new(), String::new());
    for (field, width) in fields {
        shift -= width;
        if field == "-" {
            continue;
        }
        let mask = format!("{:#x}", u64::MAX >> (64 - width));
        fill += &format!("w[0] |= ({field} & {mask}) << {shift};\n    ");
        each += &accessors(
            name,
            name,
            field,
            &format!("(w[0] >> {shift}) & {mask}"),
            &format!("w[0] = w[0] & !({mask} << {shift}) | (v64 & {mask}) << {shift};"),
        );
        names.push(field.clone());
    }
    out += &constructors(name, name, &names, 1, &fill);
    out + &each
}

fn union(
    name: &str,
    tag_bits: u32,
    tag: &str,
    size: usize,
    kinds: &[(String, usize, Vec<String>)],
) -> String {
    let mask = format!("{:#x}", u64::MAX >> (64 - tag_bits));
    let mut out = words(name, size);
    out += &format!(
        "pub type {name}_tag = ::core::ffi::c_uint;\npub type {name}_tag_t = {name}_tag;\n"
    );
    out += &format!(
        "{FUNCTION} {name}_get_{tag}(value: {name}_t) -> seL4_Uint64 {{\n    value.words[0] & {mask}\n}}\n\
         {FUNCTION} {name}_{tag}_equals(value: {name}_t, tag: seL4_Uint64) -> ::core::ffi::c_int {{\n    (value.words[0] & {mask} == tag).into()\n}}\n\
         {FUNCTION} {name}_ptr_get_{tag}(value: *mut {name}_t) -> seL4_Uint64 {{\n    // SAFETY: the caller's pointer.\n    unsafe {{ (*value).words[0] & {mask} }}\n}}\n"
    );
    for (kind, number, fields) in kinds {
        let prefix = format!("{name}_{kind}");
        out += &format!("pub const {prefix}: usize = {number};\n");
        let mut fill = format!("w[0] = {number};\n    ");
        // The last field is the lowest word above the tag.
        let place = |index: usize| fields.len() - index;
        for (index, field) in fields.iter().enumerate() {
            fill += &format!("w[{}] = {field};\n    ", place(index));
        }
        out += &constructors(name, &prefix, fields, size, &fill);
        for (index, field) in fields.iter().enumerate() {
            let at = place(index);
            out += &accessors(
                name,
                &prefix,
                field,
                &format!("w[{at}]"),
                &format!("w[{at}] = v64;"),
            );
        }
    }
    out
}

fn list(parameters: &[(String, String)]) -> String {
    let each = parameters
        .iter()
        .map(|(name, of)| format!("{}: {}", identifier(name), native(of)));
    each.collect::<Vec<_>>().join(", ")
}

/// Appends an underscore to a keyword, as bindgen does.
fn identifier(name: &str) -> String {
    if name == "type" {
        "type_".into()
    } else {
        name.into()
    }
}

/// Asserts that the hand-written function has the described signature.
fn signature(name: &str, function: &Function) -> String {
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|(_, of)| native(of))
        .collect();
    let result = function
        .result
        .as_ref()
        .map_or(String::new(), |of| format!(" -> {}", native(of)));
    format!(
        "const _: unsafe extern \"C\" fn({}){result} = {name};\n",
        parameters.join(", ")
    )
}

fn invocation(api: &Api, item: &Item, invocation: &Invocation) -> String {
    let name = &item.name;
    let results = invocation.results();
    let mut out = String::new();
    if !results.is_empty() {
        out += &format!(
            "#[repr(C)]\n#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]\npub struct {name} {{\n    pub error: ::core::ffi::c_int,\n"
        );
        for result in &results {
            out += &format!("    pub {}: {},\n", result.name, result.of);
        }
        out += &format!("}}\npub type {name}_t = {name};\n/// {}\n", item.doc);
    }

    let (mut caps, mut words) = (Vec::new(), Vec::<String>::new());
    let (mut registers, mut to) = (None, "");
    // Number of bits used in the word for small values; 64 if no such word is open.
    let mut filled = 64;
    for parameter in &invocation.parameters {
        let value = identifier(&parameter.name);
        match api.way(&parameter.of) {
            Way::Registers if registers.is_some() => to = &parameter.name,
            Way::Registers => registers = Some(parameter),
            _ if parameter.out => {}
            Way::Cap => caps.push(value),
            Way::Rights => {
                words.push(format!("{value}.words[0] as usize"));
                filled = 64;
            }
            Way::Word => {
                words.push(format!("{value} as usize"));
                filled = 64;
            }
            Way::Bits(width) => {
                let mask = u64::MAX >> (64 - width);
                let piece = format!("(({value} as usize) & {mask:#x})");
                let at = u32::next_multiple_of(filled, width);
                match words.last_mut() {
                    Some(word) if at + width <= 64 => {
                        *word = format!("{word} | {piece} << {at}");
                        filled = at + width;
                    }
                    _ => {
                        words.push(piece);
                        filled = width;
                    }
                }
            }
        }
    }
    let label = &invocation.label;
    let (caps, words) = (caps.join(", "), words.join(", "));
    let call = match registers {
        Some(regs) if !to.is_empty() => {
            format!("exchange_registers(_service, {label}, {}, {to})", regs.name)
        }
        Some(regs) if regs.out => format!(
            "read_registers(_service, {label}, [{words}], {})",
            regs.name
        ),
        Some(regs) => format!(
            "write_registers(_service, {label}, [{words}], {})",
            regs.name
        ),
        None => format!("invoke(_service, {label}, [{caps}], [{words}])"),
    };
    let body = if results.is_empty() {
        format!("{call}.0 as seL4_Error")
    } else {
        let fields: Vec<String> = results
            .iter()
            .enumerate()
            .map(|(index, result)| {
                format!(
                    "{}: if error == 0 {{ mrs[{index}] as {} }} else {{ 0 }}",
                    result.name, result.of
                )
            })
            .collect();
        format!(
            "let (error, mrs) = {call};\n    {name} {{ error: error as _, {} }}",
            fields.join(", ")
        )
    };
    out + &format!(
        "{FUNCTION} {name}({}) -> {} {{\n    // SAFETY: the caller has an IPC buffer, and its pointers are right.\n    unsafe {{\n    {body}\n    }}\n}}\n",
        list(&invocation.arguments()),
        invocation.result_type(name),
    )
}

/// Defines `Invocation`, an enumeration of the labels.
fn labels(api: &Api) -> String {
    let all: Vec<&String> = api
        .invocations()
        .map(|(_, invocation)| &invocation.label)
        .collect();
    let mut out = String::from(
        "/// The invocations of this configuration; `as usize` gives the label.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n#[repr(usize)]\npub enum Invocation {\n",
    );
    for (item, invocation) in api.invocations() {
        out += &format!(
            "    /// `{}`\n    {} = {},\n",
            item.name, invocation.label, invocation.label
        );
    }
    out += &format!(
        "}}\nimpl Invocation {{\n    /// All, in the order of their labels.\n    pub const ALL: [Self; {}] = [\n",
        all.len()
    );
    for label in all {
        out += &format!("        Self::{label},\n");
    }
    out + "    ];\n}\n"
}
