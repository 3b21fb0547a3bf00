// SPDX-License-Identifier: BSD-2-Clause

//! Attribute for tests on the hosted platform, to be used as `sel4_hosted::test`.

use proc_macro::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// Makes a function a test that is a root server: it runs on a fresh kernel in a separate process. The function
/// may take the BootInfo, `&seL4_BootInfo`.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = if arguments.is_empty() {
        expand(item).ok_or("#[sel4_hosted::test] is for functions only\nhelp: put it before `fn name()` or `fn name(info: &seL4_BootInfo)`")
    } else {
        Err("#[sel4_hosted::test] takes no arguments\nhelp: write #[sel4_hosted::test]")
    };
    expanded.unwrap_or_else(|message| rust(&format!("compile_error!({message:?});")))
}

/// Parses Rust code.
fn rust(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}

/// Expands the function. Keeps its tokens, so that compiler errors and panics report their locations.
fn expand(item: TokenStream) -> Option<TokenStream> {
    let mut tokens = item.into_iter().peekable();
    // Other attributes, such as #[should_panic], go to the test around the function.
    let mut attributes = TokenStream::new();
    while let Some(TokenTree::Punct(mark)) = tokens.peek() {
        if mark.as_char() != '#' || mark.spacing() != Spacing::Alone {
            break;
        }
        attributes.extend(tokens.by_ref().take(2));
    }
    let function: TokenStream = tokens.collect();
    let mut words = function
        .clone()
        .into_iter()
        .skip_while(|token| token.to_string() != "fn")
        .skip(1);
    let name = words.next()?.to_string();
    let Some(TokenTree::Group(parameters)) = words.next() else {
        return None;
    };
    if parameters.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let argument = if parameters.stream().is_empty() {
        ""
    } else {
        "info"
    };
    let mut body = function;
    body.extend(rust(&format!(
        "::sel4_hosted::run_test(::core::module_path!(), ::core::stringify!({name}), |info| {{ let _ = info; {name}({argument}) }})"
    )));
    let mut test = rust("#[::core::prelude::v1::test]");
    test.extend(attributes);
    test.extend(rust(&format!("fn {name}()")));
    let body = Group::new(Delimiter::Brace, body);
    test.extend([TokenTree::Group(body)]);
    Some(test)
}
