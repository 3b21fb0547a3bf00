// SPDX-License-Identifier: BSD-2-Clause

//! Layout assertions for the C compiler. bindgen's own assertions, which stay in the bindings, show that rustc lays out a
//! type as libclang does; those written here show that the compiler of the C build does so as well.

use std::collections::BTreeMap;

use syn::{Expr, File, Item, Lit, Stmt, Type};

use super::Request;
use super::tidy::WORD;

/// Returns the C file: assertions from the layout tests in `file`, and on the integers that its aliases name.
pub fn text(request: &Request, file: &File, spellings: &BTreeMap<String, String>) -> String {
    let mut text = format!(
        "{}\n#define SAME(c, rust, what) _Static_assert((c) == (rust), what \" differs between C and Rust\")\n\n",
        request.includes()
    );
    let aliases = file.items.iter().filter_map(|item| match item {
        Item::Type(item) => Some((item.ident.to_string(), &*item.ty)),
        _ => None,
    });
    let aliases: BTreeMap<String, &Type> = aliases.collect();
    for item in &file.items {
        match item {
            Item::Const(item) if item.ident == "_" => {
                if let Expr::Block(body) = &*item.expr {
                    let facts = body.block.stmts.iter().filter_map(fact);
                    for (what, number) in facts {
                        text += &assertion(&what, &number, spellings).unwrap_or_default();
                    }
                }
            }
            Item::Type(item) => {
                let name = item.ident.to_string();
                // Some aliases of aliases in seL4's headers are macros as well.
                let ty = if name == WORD {
                    named(&item.ty, &aliases)
                } else {
                    &item.ty
                };
                let integer = integer(ty, request.word_bytes());
                if let (Some(c), Some((bytes, signed))) = (spellings.get(&name), integer) {
                    text += &format!("SAME(sizeof({c}), {bytes}, \"the size of `{c}`\");\n");
                    text += &format!(
                        "SAME(({c})-1 < ({c})0, {}, \"whether `{c}` is signed,\");\n",
                        u8::from(signed)
                    );
                }
            }
            _ => {}
        }
    }
    text
}

/// Returns each type that has a layout test, with its size.
pub fn sizes(file: &File) -> impl Iterator<Item = (String, String)> {
    let tests = file.items.iter().filter_map(|item| match item {
        Item::Const(item) if item.ident == "_" => match &*item.expr {
            Expr::Block(body) => Some(&body.block.stmts),
            _ => None,
        },
        _ => None,
    });
    tests
        .flatten()
        .filter_map(fact)
        .filter_map(|(what, number)| Some((what.strip_prefix("Size of ")?.to_owned(), number)))
}

/// Parses one line of a layout test: `["what"][actual - number]`.
fn fact(statement: &Stmt) -> Option<(String, String)> {
    let Stmt::Expr(Expr::Index(line), _) = statement else {
        return None;
    };
    let (Expr::Array(what), Expr::Binary(difference)) = (&*line.expr, &*line.index) else {
        return None;
    };
    let (Some(Expr::Lit(what)), Expr::Lit(number)) = (what.elems.first(), &*difference.right)
    else {
        return None;
    };
    match (&what.lit, &number.lit) {
        (Lit::Str(what), Lit::Int(number)) => {
            Some((what.value(), number.base10_digits().to_owned()))
        }
        _ => None,
    }
}

fn assertion(what: &str, number: &str, spellings: &BTreeMap<String, String>) -> Option<String> {
    let (fact, subject) = what
        .split_once(" of field: ")
        .or_else(|| what.split_once(" of "))?;
    let (name, field) = subject.split_once("::").unwrap_or((subject, ""));
    // A type without a name in C is checked by the fields of the type around it.
    let c = spellings
        .get(name)
        .filter(|_| !name.contains("__bindgen_"))?;
    // bindgen appends an underscore to names that are keywords of Rust.
    let field = match field.strip_suffix('_') {
        Some(keyword) if syn::parse_str::<syn::Ident>(keyword).is_err() => keyword,
        _ => field,
    };
    Some(match fact {
        "Size" => format!("SAME(sizeof({c}), {number}, \"the size of `{c}`\");\n"),
        "Alignment" => format!("SAME(_Alignof({c}), {number}, \"the alignment of `{c}`\");\n"),
        "Offset" => format!(
            "SAME(__builtin_offsetof({c}, {field}), {number}, \"the offset of `{field}` in `{c}`\");\n"
        ),
        _ => return None,
    })
}

/// Resolves aliases of aliases.
fn named<'a>(mut ty: &'a Type, aliases: &BTreeMap<String, &'a Type>) -> &'a Type {
    for _ in 0..aliases.len() {
        let Type::Path(path) = ty else { break };
        let name = path.path.get_ident().map(ToString::to_string);
        match name.and_then(|name| aliases.get(&name)) {
            Some(next) => ty = next,
            None => break,
        }
    }
    ty
}

/// Returns the size of a primitive integer on the target, in bytes, and whether it is signed.
fn integer(ty: &Type, word_bytes: u32) -> Option<(u32, bool)> {
    let Type::Path(path) = ty else {
        return None;
    };
    let name = path.path.segments.last()?.ident.to_string();
    Some(match &*name {
        "c_schar" | "i8" => (1, true),
        "c_uchar" | "u8" => (1, false),
        "c_short" | "i16" => (2, true),
        "c_ushort" | "u16" => (2, false),
        "c_int" | "i32" => (4, true),
        "c_uint" | "u32" => (4, false),
        "c_long" | "isize" => (word_bytes, true),
        "c_ulong" | "usize" => (word_bytes, false),
        "c_longlong" | "i64" => (8, true),
        "c_ulonglong" | "u64" => (8, false),
        _ => return None,
    })
}
