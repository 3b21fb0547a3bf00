// SPDX-License-Identifier: BSD-2-Clause

//! Exported symbols of a crate, checked: C must be able to name and call them.

use std::collections::BTreeMap;
use std::path::Path;

use syn::ext::IdentExt;
use syn::{Attribute, Item, Meta};

use super::crates::Parsed;
use super::names::{Id, Names};
use super::source::{attributes, is_export};
use crate::failure::{Failure, Result};

/// An exported symbol of the crates.
pub struct Export<'a> {
    pub symbol: String,
    pub ident: &'a syn::Ident,
    /// Item that the export is, or is in.
    pub id: Id,
    /// Signature of a function; `None` for a static.
    signature: Option<&'a syn::Signature>,
    /// True if a comment tells cbindgen to leave it out.
    ignored: bool,
}

impl Export<'_> {
    /// Returns whether the crate's author keeps the export out of the header.
    pub fn is_kept_from_c(&self) -> bool {
        let abi = self.signature.and_then(|signature| signature.abi.as_ref());
        let name = abi.and_then(|abi| abi.name.as_ref());
        self.ignored || name.is_some_and(|name| name.value() == "Rust")
    }
}

/// Returns whether an attribute is the comment `cbindgen:ignore`.
fn ignores(attribute: &Attribute) -> bool {
    let Meta::NameValue(pair) = &attribute.meta else {
        return false;
    };
    pair.path.is_ident("doc")
        && text(&pair.value).is_some_and(|text| text.trim() == "cbindgen:ignore")
}

/// Returns the name that an attribute exports its item under; the inner `None` stands for the item's own name.
pub fn symbol_of(attribute: &Attribute) -> Option<Option<String>> {
    let inner = match &attribute.meta {
        Meta::List(list) if list.path.is_ident("unsafe") => list.parse_args::<Meta>().ok()?,
        meta => meta.clone(),
    };
    match inner {
        Meta::Path(path) if path.is_ident("no_mangle") => Some(None),
        Meta::NameValue(pair) if pair.path.is_ident("export_name") => text(&pair.value).map(Some),
        _ => None,
    }
}

/// Returns the text of a literal, or of `concat!` or `stringify!` of such.
fn text(value: &syn::Expr) -> Option<String> {
    match value {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Str(name) => Some(name.value()),
            syn::Lit::Int(number) => Some(number.base10_digits().to_owned()),
            syn::Lit::Char(letter) => Some(letter.value().into()),
            syn::Lit::Bool(value) => Some(value.value.to_string()),
            _ => None,
        },
        syn::Expr::Macro(call) if call.mac.path.is_ident("stringify") => {
            Some(call.mac.tokens.to_string())
        }
        syn::Expr::Macro(call) if call.mac.path.is_ident("concat") => {
            let parts = call.mac.parse_body_with(
                syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated,
            );
            parts.ok()?.iter().map(text).collect()
        }
        _ => None,
    }
}

/// Finds the exports among `items`.
pub fn find<'a>(names: &Names<'a>, items: impl IntoIterator<Item = Id>) -> Result<Vec<Export<'a>>> {
    let mut found = Vec::new();
    let mut unknown = None;
    for id in items {
        let mut add = |attributes: &[Attribute], ident: &'a syn::Ident, signature| {
            if let Some(name) = attributes.iter().find_map(symbol_of) {
                let symbol = name.unwrap_or_else(|| ident.unraw().to_string());
                found.push(Export {
                    symbol,
                    ident,
                    id,
                    signature,
                    ignored: attributes.iter().any(ignores),
                });
            } else if attributes.iter().any(is_export) {
                unknown = Some((ident, names.place(id, ident.span())));
            }
        };
        match names.get(id) {
            Item::Fn(item) => add(&item.attrs, &item.sig.ident, Some(&item.sig)),
            Item::Static(item) => add(&item.attrs, &item.ident, None),
            Item::Impl(block) => {
                for item in &block.items {
                    if let syn::ImplItem::Fn(item) = item {
                        add(&item.attrs, &item.sig.ident, Some(&item.sig));
                    }
                }
            }
            _ => {}
        }
    }
    match unknown {
        None => Ok(found),
        Some((ident, place)) => Err(Failure::new(format!(
            "the name that `{}` (`{place}`) is exported under is known to the compiler only",
            ident.unraw()
        ))
        .help("write it as a string literal, or as `concat!` of literals")),
    }
}

/// Refuses an export that C cannot name or call.
pub fn check(names: &Names<'_>, exports: &[Export<'_>]) -> Result<()> {
    let mut known = BTreeMap::new();
    for export in exports {
        let symbol = &export.symbol;
        let place = names.place(export.id, export.ident.span());
        // Items that are still behind a #[cfg] exclude each other.
        let mut attributes = attributes(names.get(export.id)).iter();
        if !export.is_kept_from_c()
            && !attributes.any(|attribute| attribute.path().is_ident("cfg"))
            && let Some(first) = known.insert(symbol, place.clone())
        {
            return Err(Failure::new(format!(
                "two functions or variables are exported as `{symbol}`: `{first}` and `{place}`"
            ))
            .help("export one of them under another name with #[unsafe(export_name = \"...\")]"));
        }
        let mut letters = symbol.chars();
        let first = letters
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_');
        if !first || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(Failure::new(format!("the exported name `{symbol}` (`{place}`) is not a C identifier"))
                .help("use letters, digits and underscores, for example with #[unsafe(export_name = \"...\")]"));
        }
        if KEYWORDS.contains(&&**symbol) {
            return Err(Failure::new(format!(
                "the exported name `{symbol}` (`{place}`) is a keyword of C or C++"
            ))
            .help("export it under another name with #[unsafe(export_name = \"...\")]"));
        }
        let Some(signature) = export.signature else {
            continue;
        };
        let mut generics = signature.generics.params.iter();
        if generics.any(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
            return Err(Failure::new(format!("the exported function `{symbol}` (`{place}`) is generic, and C cannot name a type for it"))
                .help("export one function for each type that C uses"));
        }
        let name = signature.abi.as_ref().and_then(|abi| abi.name.as_ref());
        let name = name.map_or_else(|| "C".to_owned(), syn::LitStr::value);
        let is_of_c = ["C", "C-unwind", "system", "system-unwind"].contains(&&*name);
        if !export.is_kept_from_c() && !is_of_c && !name.starts_with("cmse-nonsecure-") {
            return Err(Failure::new(format!("the exported function `{symbol}` (`{place}`) is `extern \"{name}\"`, which is another call than that of C"))
                .help("write `extern \"C\" fn`, or keep it from C with the comment `/// cbindgen:ignore`"));
        }
        if signature.abi.is_none() {
            return Err(Failure::new(format!("the function `{symbol}` (`{place}`) is exported but is not `extern \"C\"`, so that C cannot call it"))
                .help("write `extern \"C\" fn`, or `extern \"Rust\" fn` if it is not meant for C"));
        }
    }
    Ok(())
}

/// Keywords of C11 and C++20.
pub const KEYWORDS: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    "_Alignas",
    "_Alignof",
    "_Atomic",
    "_Bool",
    "_Complex",
    "_Generic",
    "_Imaginary",
    "_Noreturn",
    "_Static_assert",
    "_Thread_local",
];

/// Warns of macros that make exports, and of included files, which only the compiler sees.
pub fn warn_of_macros(own: &Parsed<'_>, header: &Path) {
    for (file, line) in &own.sources.unread {
        eprintln!(
            "warning: {}:{line}: exports of the included file are not in {}, as its place is not known before the build",
            own.sources.files[*file].display(),
            header.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    for source in &own.sources.items {
        let Item::Macro(item) = &source.item else {
            continue;
        };
        if item.mac.path.is_ident("macro_rules") && names_export(item.mac.tokens.clone()) {
            let line = item.mac.path.segments[0].ident.span().start().line;
            let name = item
                .ident
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            eprintln!(
                "warning: {}: functions that the macro `{name}` exports are not in {}; write them without a macro",
                own.place(source, line),
                header.file_name().unwrap_or_default().to_string_lossy()
            );
        }
    }
}

fn names_export(tokens: proc_macro2::TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "no_mangle" || ident == "export_name",
        proc_macro2::TokenTree::Group(group) => names_export(group.stream()),
        _ => false,
    })
}
