// SPDX-License-Identifier: BSD-2-Clause

//! The attribute of libsel4-test, which documents it.

use proc_macro::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Error, Item, ItemFn, ItemMod, Result, parse_macro_input, parse_quote};

/// Makes a module's functions that are `#[test]` tests on the kernel: `TESTS`, a constant that is put
/// into the module, lists them.
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
        let what = "the module's items must be here, in braces: `mod tests { … }`";
        return Err(Error::new_spanned(module, what));
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
        let what = "no function of this module is `#[test]`";
        return Err(Error::new_spanned(&module.ident, what));
    }
    items.push(parse_quote! {
        /// The tests of this module.
        pub const TESTS: &[::libsel4_test::Test] = &[#(#entries),*];
    });
    Ok(module)
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test")
}

/// What describes a test to `libsel4_test::run`.
fn entry(function: &ItemFn) -> Result<impl ToTokens + use<>> {
    let signature = &function.sig;
    let complain = |what| Err(Error::new_spanned(signature, what));
    if signature.asyncness.is_some() || signature.unsafety.is_some() {
        return complain("a test is neither `async` nor `unsafe`");
    }
    if !signature.generics.params.is_empty() {
        return complain("a test has no generic parameters");
    }
    let name = &signature.ident;
    let call = match signature.inputs.len() {
        0 => quote!(#name()),
        1 => quote!(#name(resources)),
        _ => return complain("a test takes nothing, or `&mut libsel4_test::Resources`"),
    };
    // What a `cfg` leaves out is not listed either.
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
