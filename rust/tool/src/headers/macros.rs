// SPDX-License-Identifier: BSD-2-Clause

//! Macros whose meaning is known: `include!`, `cfg_if!`, `cfg_select!` and `bitflags!`; and items inside blocks of code.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::visit::Visit;
use syn::{Expr, Item, Meta, Token};

/// Meaning of an invocation among items.
pub enum Expansion {
    /// The content of a file.
    Include(Name),
    /// Items, each group under a condition.
    Arms(Vec<(Meta, Vec<Item>)>),
    /// Items that the macro makes.
    Items(Vec<Item>),
}

/// Name of an included file.
pub enum Name {
    /// Path from the folder of the file that includes it.
    Beside(String),
    /// Path from the folder of the package.
    Package(String),
    /// Path from the folder that the build script of the package writes to.
    Out(String),
    /// Value of an environment variable of the build.
    Variable(String),
    /// Another expression.
    Unknown,
}

/// Returns the meaning of an invocation, if it is known.
pub fn expand(invocation: &syn::Macro) -> Option<Expansion> {
    let name = &invocation.path.segments.last()?.ident;
    let tokens = invocation.tokens.clone();
    match &*name.to_string() {
        "include" => Some(Expansion::Include(included(tokens))),
        "cfg_if" => Some(Expansion::Arms(arms(cfg_if(tokens)?)?)),
        "cfg_select" => Some(Expansion::Arms(arms(cfg_select(tokens)?)?)),
        "bitflags" => Flags::parse_all.parse2(tokens).ok().map(Expansion::Items),
        _ => None,
    }
}

fn included(tokens: TokenStream) -> Name {
    if let Ok(name) = syn::parse2::<syn::LitStr>(tokens.clone()) {
        return Name::Beside(name.value());
    }
    let compact: String = tokens.to_string().split_whitespace().collect();
    let inside = |variable: &str| {
        let rest = compact.strip_prefix(&format!("concat!(env!(\"{variable}\"),\""))?;
        let rest = rest.trim_end_matches(',').strip_suffix(')')?;
        let name = rest.trim_end_matches(',').strip_suffix('"')?;
        (!name.contains('"')).then(|| name.trim_start_matches('/').to_owned())
    };
    let variable = compact
        .strip_prefix("env!(\"")
        .and_then(|rest| rest.strip_suffix("\")"));
    let variable = variable.map(|name| Name::Variable(name.to_owned()));
    let package = inside("CARGO_MANIFEST_DIR").map(Name::Package);
    let found = package
        .or_else(|| inside("OUT_DIR").map(Name::Out))
        .or(variable);
    found.unwrap_or(Name::Unknown)
}

/// Adds to each condition that the earlier ones do not hold. A condition of `None` always holds.
fn arms(arms: Vec<(Option<Meta>, TokenStream)>) -> Option<Vec<(Meta, Vec<Item>)>> {
    let mut earlier: Vec<Meta> = Vec::new();
    let mut found = Vec::new();
    for (condition, body) in arms {
        let own = condition.iter();
        let whole: Meta = syn::parse_quote!(all(#(not(#earlier),)* #(#own),*));
        found.push((whole, syn::parse2::<syn::File>(body).ok()?.items));
        earlier.extend(condition);
    }
    Some(found)
}

/// Reads `if #[cfg(A)] { … } else if #[cfg(B)] { … } else { … }`.
fn cfg_if(tokens: TokenStream) -> Option<Vec<(Option<Meta>, TokenStream)>> {
    let mut found = Vec::new();
    let mut condition = None;
    for token in tokens {
        let TokenTree::Group(group) = token else {
            continue;
        };
        if group.delimiter() == Delimiter::Brace {
            found.push((condition.take(), group.stream()));
        } else {
            let list = syn::parse2::<syn::MetaList>(group.stream()).ok()?;
            condition = Some(list.parse_args().ok()?);
        }
    }
    Some(found)
}

/// Reads `A => { … } B => { … } _ => { … }`.
fn cfg_select(tokens: TokenStream) -> Option<Vec<(Option<Meta>, TokenStream)>> {
    let parse = |input: ParseStream<'_>| {
        let mut found = Vec::new();
        while !input.is_empty() {
            let condition = if input.peek(Token![_]) {
                input.parse::<Token![_]>()?;
                None
            } else {
                Some(input.parse::<Meta>()?)
            };
            input.parse::<Token![=>]>()?;
            let body: proc_macro2::Group = input.parse()?;
            found.push((condition, body.stream()));
            let _ = input.parse::<Option<Token![,]>>()?;
        }
        Ok(found)
    };
    parse.parse2(tokens).ok()
}

/// One constant of `bitflags!`.
struct Flag {
    attributes: Vec<syn::Attribute>,
    name: syn::Ident,
    value: Expr,
}

impl Parse for Flag {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        input.parse::<Token![const]>()?;
        let name = if input.peek(Token![_]) {
            let underscore: Token![_] = input.parse()?;
            syn::Ident::new("__", underscore.span)
        } else {
            input.parse()?
        };
        input.parse::<Token![=]>()?;
        Ok(Self {
            attributes,
            name,
            value: input.parse()?,
        })
    }
}

/// One type of `bitflags!`.
struct Flags;

impl Flags {
    fn parse_all(input: ParseStream<'_>) -> syn::Result<Vec<Item>> {
        let mut items = Vec::new();
        while !input.is_empty() {
            let attributes = input.call(syn::Attribute::parse_outer)?;
            let visibility: syn::Visibility = input.parse()?;
            let defines = input.parse::<Option<Token![struct]>>()?.is_some();
            if !defines {
                input.parse::<Token![impl]>()?;
            }
            let name: syn::Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            let bits: syn::Type = input.parse()?;
            let content;
            syn::braced!(content in input);
            let flags = content.parse_terminated(Flag::parse, Token![;])?;
            if defines {
                items.push(syn::parse2(
                    quote!(#(#attributes)* #visibility struct #name { bits: #bits }),
                )?);
            }
            let constants = flags.iter().filter(|flag| flag.name != "__").map(|flag| {
                let Flag {
                    attributes,
                    name,
                    value,
                } = flag;
                quote!(#(#attributes)* pub const #name: #bits = #value;)
            });
            items.push(syn::parse2(quote!(impl #name { #(#constants)* }))?);
        }
        Ok(items)
    }
}

/// A block of code with items in it.
pub struct Block {
    pub items: Vec<Item>,
    /// Blocks inside, which see the items.
    pub inner: Vec<Block>,
}

/// Returns the blocks with items in an item: in bodies, closures and initial values.
pub fn blocks_in(item: &Item) -> Vec<Block> {
    let mut found = Blocks(Vec::new());
    syn::visit::visit_item(&mut found, item);
    found.0
}

struct Blocks(Vec<Block>);

impl<'ast> Visit<'ast> for Blocks {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            syn::Stmt::Item(item) => Some(item.clone()),
            syn::Stmt::Macro(statement) if !statement.mac.path.is_ident("include") => {
                Some(Item::Macro(syn::ItemMacro {
                    attrs: statement.attrs.clone(),
                    ident: None,
                    mac: statement.mac.clone(),
                    semi_token: None,
                }))
            }
            _ => None,
        });
        let items: Vec<Item> = items.collect();
        let mut inner = Blocks(Vec::new());
        syn::visit::visit_block(&mut inner, block);
        if items.is_empty() {
            self.0.extend(inner.0);
        } else {
            let inner = inner.0;
            self.0.push(Block { items, inner });
        }
    }

    // Items in a block are items of their own.
    fn visit_item(&mut self, _: &'ast Item) {}
}
