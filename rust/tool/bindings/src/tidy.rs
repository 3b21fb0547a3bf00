// SPDX-License-Identifier: BSD-2-Clause

//! Changes to the bindings: words become `usize`, and the documentation becomes Markdown.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, File, ForeignItem, Ident, Item, ItemConst, Lit, Meta, Type, UseRename,
    UseTree, parse_quote,
};

use super::{Request, doc};

/// Name of seL4's machine word.
pub const WORD: &str = "seL4_Word";

/// Tidies `file` in place.
pub fn tidy(file: &mut File, request: &Request) {
    for item in &mut file.items {
        if let Item::ForeignMod(block) = item
            && request.headers.is_empty()
        {
            // Variables of libsel4 are thread-local in C, which stable Rust cannot declare.
            block
                .items
                .retain(|item| !matches!(item, ForeignItem::Static(_)));
        }
    }
    words(file, request.word_bytes());
    let mut used = Used::default();
    used.visit_file(file);
    // A leading underscore marks a private name in C.
    let private = |name: &Ident| *name != "_" && name.to_string().starts_with('_');
    file.items.retain(|item| match item {
        Item::Const(item) => !private(&item.ident),
        Item::Type(item) => !private(&item.ident) || used.0.contains(&item.ident.to_string()),
        Item::ForeignMod(block) => !block.items.is_empty(),
        _ => true,
    });
    let known: BTreeSet<String> = file.items.iter().flat_map(names).collect();
    Documentation {
        known: |name: &str| known.contains(name),
    }
    .visit_file_mut(file);
}

/// Removes the variables with these names, which are thread-local in C. bindgen declares such a variable like any other, and
/// Rust would read another address than C.
pub fn remove_variables(file: &mut File, thread_local: &BTreeSet<String>) {
    for item in &mut file.items {
        if let Item::ForeignMod(block) = item {
            block.items.retain(|item| {
                !matches!(item, ForeignItem::Static(variable) if thread_local.contains(&variable.ident.to_string()))
            });
        }
    }
}

/// Turns into `usize` the word, enumerations that C gives its size, and members of enumerations that only collect
/// constants, whose type no function and no field has.
fn words(file: &mut File, word_bytes: u32) {
    let mut members: BTreeMap<String, Vec<i128>> = BTreeMap::new();
    let mut used = Used::default();
    for item in &file.items {
        if let Item::Const(item) = item {
            if let (Some(name), Some(value)) = (name_of(&item.ty), value(item)) {
                members.entry(name).or_default().push(value);
            }
        } else if !matches!(item, Item::Use(_)) {
            used.visit_item(item);
        }
    }
    used.through_other_names(file);
    let word_max = (1_i128 << (8 * word_bytes)) - 1;
    let fits = |value: i128| (0..=word_max).contains(&value);
    // libsel4 pads an enumeration to a word by a member with the largest value of a signed word.
    let padded = |name: &str| {
        let values = members.get(name).map_or(&[][..], |values| values);
        values.iter().all(|value| fits(*value)) && values.contains(&(word_max >> 1))
    };

    for item in &mut file.items {
        match item {
            Item::Type(item) => {
                let name = item.ident.to_string();
                if name == WORD || padded(&name) {
                    item.ty = parse_quote!(usize);
                }
            }
            Item::Const(item) => {
                if let (Some(name), Some(value)) = (name_of(&item.ty), value(item))
                    && !used.0.contains(&name)
                    && fits(value)
                {
                    item.ty = parse_quote!(usize);
                }
            }
            _ => {}
        }
    }
}

/// Names of types that functions, fields and other types use.
#[derive(Default)]
struct Used(BTreeSet<String>);

impl Used {
    /// Adds the tags of used typedefs: bindgen writes a typedef of an enumeration as `use self::tag as name`.
    fn through_other_names(&mut self, file: &File) {
        for item in &file.items {
            if let Item::Use(item) = item
                && let UseTree::Path(path) = &item.tree
                && let UseTree::Rename(pair) = &*path.tree
                && self.0.contains(&pair.rename.to_string())
            {
                self.0.insert(pair.ident.to_string());
            }
        }
    }
}

impl<'a> Visit<'a> for Used {
    fn visit_type(&mut self, ty: &'a Type) {
        self.0.extend(name_of(ty));
        visit::visit_type(self, ty);
    }

    fn visit_use_rename(&mut self, pair: &'a UseRename) {
        self.0.insert(pair.ident.to_string());
    }
}

/// Returns the name of a type that is a single identifier.
fn name_of(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

fn value(item: &ItemConst) -> Option<i128> {
    let (expression, sign) = match &*item.expr {
        Expr::Unary(unary) => (&*unary.expr, -1),
        expression => (expression, 1),
    };
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse::<i128>().ok().map(|value| sign * value),
            _ => None,
        },
        _ => None,
    }
}

fn names(item: &Item) -> Vec<String> {
    match item {
        Item::Const(item) => vec![item.ident.to_string()],
        Item::Struct(item) => vec![item.ident.to_string()],
        Item::Union(item) => vec![item.ident.to_string()],
        Item::Type(item) => vec![item.ident.to_string()],
        Item::ForeignMod(block) => {
            let functions = block.items.iter().filter_map(|item| match item {
                ForeignItem::Fn(item) => Some(item.sig.ident.to_string()),
                _ => None,
            });
            functions.collect()
        }
        _ => Vec::new(),
    }
}

struct Documentation<F> {
    known: F,
}

impl<F: Fn(&str) -> bool> VisitMut for Documentation<F> {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        let mut comment = String::new();
        attributes.retain(|attribute| {
            let Some(text) = doc_text(attribute) else {
                return true;
            };
            comment += &text;
            comment.push('\n');
            false
        });
        let lines = doc::lines(&comment, &self.known);
        let lines = lines.into_iter().map(|line| {
            let line = if line.is_empty() {
                line
            } else {
                format!(" {line}")
            };
            parse_quote!(#[doc = #line])
        });
        attributes.splice(0..0, lines);
    }

    fn visit_expr_mut(&mut self, _: &mut Expr) {
        // Expressions have no documentation.
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        visit_mut::visit_item_mut(self, item);
    }
}

fn doc_text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
