// SPDX-License-Identifier: BSD-2-Clause

//! Generator of the C headers, `<sel4/sel4.h>` and the others.

use super::{Api, Invocation, Kind};

/// Headers that C programs include. Each includes `<sel4/api.h>`.
const NAMES: [&str; 25] = [
    "sel4/sel4.h",
    "sel4/arch/bootinfo_types.h",
    "sel4/arch/constants.h",
    "sel4/arch/mapping.h",
    "sel4/arch/objecttype.h",
    "sel4/arch/types.h",
    "sel4/bootinfo.h",
    "sel4/bootinfo_types.h",
    "sel4/constants.h",
    "sel4/debug_assert.h",
    "sel4/errors.h",
    "sel4/faults.h",
    "sel4/functions.h",
    "sel4/invocation.h",
    "sel4/objecttype.h",
    "sel4/sel4_arch/constants.h",
    "sel4/sel4_arch/mapping.h",
    "sel4/sel4_arch/objecttype.h",
    "sel4/sel4_arch/types.h",
    "sel4/shared_types.h",
    "sel4/simple_types.h",
    "sel4/syscall.h",
    "sel4/syscalls.h",
    "sel4/types.h",
    "interfaces/sel4_client.h",
];

/// Returns path and content of each file.
pub fn headers(api: &Api) -> Vec<(String, String)> {
    let mut files = vec![
        ("sel4/api.h".into(), header(api)),
        ("sel4/macros.h".into(), include_str!("../c/macros.h").into()),
        (
            "sel4/assert.h".into(),
            "#pragma once\n#include <sel4/macros.h>\n".into(),
        ),
        (
            "sel4/config.h".into(),
            "#pragma once\n#include <kernel/gen_config.h>\n#include <sel4/gen_config.h>\n".into(),
        ),
        (
            "autoconf.h".into(),
            "#pragma once\n#include <sel4/config.h>\n".into(),
        ),
    ];
    for name in NAMES {
        files.push((name.into(), "#pragma once\n#include <sel4/api.h>\n".into()));
    }
    for (place, libsel4) in [("kernel", false), ("sel4", true)] {
        let (header, json) = super::config::c(api, libsel4);
        files.push((format!("{place}/gen_config.h"), header));
        files.push((format!("{place}/gen_config.json"), json));
    }
    files
}

fn header(api: &Api) -> String {
    let mut out = String::from(
        // REUSE-IgnoreStart
        "/* SPDX-License-Identifier: BSD-2-Clause */\n/* libsel4 of the hosted platform, made from sel4.api. */\n#pragma once\n\n#include <sel4/config.h>\n#include <sel4/macros.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
        // REUSE-IgnoreEnd
    );
    for item in &api.items {
        let name = &item.name;
        if !item.doc.is_empty() {
            out += &format!("/* {} */\n", item.doc);
        }
        out += &match &item.kind {
            Kind::Constant(value) => match value.strip_prefix("0x") {
                Some(digits) => format!("#define {name} 0x{digits}ul\n"),
                None => format!("#define {name} {value}\n"),
            },
            Kind::Type(of) => format!("typedef {};\n", declare(of, name)),
            Kind::Enumeration { of, members, .. } => enumeration(name, of, members),
            Kind::Structure { alias, fields } => {
                let fields: String = fields
                    .iter()
                    .map(|(field, of)| format!("    {};\n", declare(of, field)))
                    .collect();
                let alias = alias.as_ref().unwrap_or(name);
                format!("typedef struct {name} {{\n{fields}}} {alias};\n")
            }
            Kind::Bits(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(field, _)| field.clone())
                    .filter(|field| field != "-")
                    .collect();
                words(name, 1) + &functions(name, name, &fields)
            }
            Kind::Union {
                tag,
                words: size,
                kinds,
                ..
            } => {
                let mut text = words(name, *size);
                text += "typedef enum {\n";
                for (kind, number, _) in kinds {
                    text += &format!("    {name}_{kind} = {number},\n");
                }
                text += &format!("}} {name}_tag_t;\n");
                text += &format!(
                    "seL4_Uint64 {name}_get_{tag}({name}_t value);\nint {name}_{tag}_equals({name}_t value, seL4_Uint64 tag);\nseL4_Uint64 {name}_ptr_get_{tag}({name}_t *value);\n"
                );
                for (kind, _, fields) in kinds {
                    text += &functions(name, &format!("{name}_{kind}"), fields);
                }
                text
            }
            Kind::Function(function) => {
                let of = function.result.as_deref().unwrap_or("void");
                format!(
                    "{};\n",
                    declare(of, &format!("{name}({})", list(&function.parameters)))
                )
            }
            Kind::Invocation(invocation) => self::invocation(name, invocation),
            Kind::Labels {
                type_name,
                group,
                count,
            } => {
                let mut text = format!("typedef enum {type_name} {{\n");
                for (label, number) in group {
                    text += &format!("    {label} = {number},\n");
                }
                text + &format!("    {name} = {count},\n}} {type_name};\n")
            }
        };
    }
    out + "\n#ifdef __cplusplus\n}\n#endif\n"
}

/// Declares `name` with the type `of`, in C.
fn declare(of: &str, name: &str) -> String {
    if let Some(to) = of.strip_prefix("*mut ") {
        return declare(to, &format!("*{name}"));
    } else if let Some(to) = of.strip_prefix("*const ") {
        return format!("const {}", declare(to, &format!("*{name}")));
    } else if let Some((element, count)) = of
        .strip_prefix('[')
        .and_then(|of| of.trim_end_matches(']').split_once(';'))
    {
        return declare(element, &format!("{name}[{count}]"));
    }
    let of = match of {
        "c_char" => "char",
        "c_schar" => "signed char",
        "c_uchar" => "unsigned char",
        "c_short" => "short",
        "c_ushort" => "unsigned short",
        "c_int" => "int",
        "c_uint" => "unsigned int",
        "c_long" => "long",
        "c_ulong" | "usize" => "unsigned long",
        other => other,
    };
    format!("{of} {name}")
}

fn enumeration(name: &str, of: &str, members: &[(String, Option<String>)]) -> String {
    let members: String = members
        .iter()
        .map(|(member, value)| match value {
            Some(value) => format!("    {member} = {value},\n"),
            None => format!("    {member},\n"),
        })
        .collect();
    // C chooses the type of an enumeration by its members, so a long one needs a typedef.
    if of.starts_with("c_") && of != "c_long" {
        format!("typedef enum {name} {{\n{members}}} {name};\n")
    } else {
        format!("enum {{\n{members}}};\ntypedef {};\n", declare(of, name))
    }
}

fn words(name: &str, count: usize) -> String {
    format!("typedef struct {name} {{\n    seL4_Uint64 words[{count}];\n}} {name}_t;\n")
}

fn functions(of: &str, prefix: &str, fields: &[String]) -> String {
    let each: Vec<String> = fields
        .iter()
        .map(|field| format!("seL4_Uint64 {field}"))
        .collect();
    let (none, each) = if each.is_empty() {
        ("void", String::new())
    } else {
        ("", each.join(", "))
    };
    let separator = if each.is_empty() { "" } else { ", " };
    let mut out = format!(
        "{of}_t {prefix}_new({none}{each});\nvoid {prefix}_ptr_new({of}_t *value{separator}{each});\n"
    );
    for field in fields {
        out += &format!(
            "seL4_Uint64 {prefix}_get_{field}({of}_t value);\n{of}_t {prefix}_set_{field}({of}_t value, seL4_Uint64 v64);\nseL4_Uint64 {prefix}_ptr_get_{field}({of}_t *value);\nvoid {prefix}_ptr_set_{field}({of}_t *value, seL4_Uint64 v64);\n"
        );
    }
    out
}

fn list(parameters: &[(String, String)]) -> String {
    if parameters.is_empty() {
        return "void".into();
    }
    let each = parameters.iter().map(|(name, of)| declare(of, name));
    each.collect::<Vec<_>>().join(", ")
}

fn invocation(name: &str, invocation: &Invocation) -> String {
    let mut out = String::new();
    let results = invocation.results();
    if !results.is_empty() {
        out += &format!("typedef struct {name} {{\n    int error;\n");
        for result in results {
            out += &format!("    {};\n", declare(&result.of, &result.name));
        }
        out += &format!("}} {name}_t;\n");
    }
    out + &format!(
        "{} {name}({});\n",
        invocation.result_type(name),
        list(&invocation.arguments())
    )
}
