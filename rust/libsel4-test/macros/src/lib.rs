// SPDX-License-Identifier: BSD-2-Clause

//! Attribute macro of libsel4-test, which documents it.

use proc_macro::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Error, Item, ItemFn, ItemMod, Result, parse_macro_input, parse_quote};

/// Turns the `#[test]` functions of a module into tests on the kernel, and adds the constant `TESTS`,
/// which lists them, to the module.
#[proc_macro_attribute]
pub fn tests(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let module = parse_macro_input!(item as ItemMod);
    if !arguments.is_empty() {
        let error =
            Error::new_spanned(&module.ident, "`#[libsel4_test::tests]` takes no arguments");
        return error.into_compile_error().into();
    }
    match with_list(module) {
        Ok(module) => module.into_token_stream().into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn with_list(mut module: ItemMod) -> Result<ItemMod> {
    let Some((_, items)) = &mut module.content else {
        let message = "the module's items must be here, in braces: `mod tests { … }`";
        return Err(Error::new_spanned(module, message));
    };
    let mut entries = Vec::new();
    for item in items.iter_mut() {
        if let Item::Fn(function) = item
            && let Some(place) = function.attrs.iter().position(is_test)
        {
            function.attrs.remove(place);
            entries.push(entry(function)?);
        }
    }
    if entries.is_empty() {
        let message = "no function of this module is `#[test]`";
        return Err(Error::new_spanned(&module.ident, message));
    }
    items.push(parse_quote! {
        /// Tests of this module.
        pub const TESTS: &[::libsel4_test::Test] = &[#(#entries),*];
    });
    Ok(module)
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test")
}

/// Returns the `libsel4_test::Test` of a function.
fn entry(function: &ItemFn) -> Result<impl ToTokens + use<>> {
    let signature = &function.sig;
    let fail = |message| Err(Error::new_spanned(signature, message));
    if signature.asyncness.is_some() || signature.unsafety.is_some() {
        return fail("a test is neither `async` nor `unsafe`");
    }
    if !signature.generics.params.is_empty() {
        return fail("a test has no generic parameters");
    }
    let name = &signature.ident;
    let call = match signature.inputs.len() {
        0 => quote!(#name()),
        1 => quote!(#name(resources)),
        _ => return fail("a test takes nothing, or `&mut libsel4_test::Resources`"),
    };
    // The `cfg`s of the function apply to its entry, too.
    let cfgs = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    Ok(quote! {
        #(#cfgs)*
        ::libsel4_test::Test {
            name: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name)),
            #[allow(unused_variables, reason = "a test may need nothing")]
            run: |resources| ::libsel4_test::Outcome::verdict(#call),
        }
    })
}
