//! The `#[step]` attribute: one sentence of the catalogue over cucumber's own `#[given]`.
//!
//! `#[step(then, "the reply mentions {text}", example = "the reply mentions \"Paris\"")]` on an
//! `async fn(&mut World, …) -> Result<(), Failure>` registers the function once with cucumber (the engine looks every sentence up
//! under every keyword) and records sentence, doc comment, example and place for the catalogue. With `live` at its end it is
//! evaluated on a running server only, never on a tape.

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Pat, Token};

struct Attribute {
    usage: Ident,
    sentence: LitStr,
    example: LitStr,
    live: bool,
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let usage: Ident = input.parse()?;
        if !["given", "when", "then"].iter().any(|word| usage == word) {
            return Err(syn::Error::new(usage.span(), "expected `given`, `when` or `then`"));
        }
        input.parse::<Token![,]>()?;
        let sentence: LitStr = input.parse()?;
        let (mut example, mut live) = (sentence.clone(), false);
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            if key == "live" {
                live = true;
                continue;
            }
            if key != "example" {
                return Err(syn::Error::new(key.span(), "expected `example = \"…\"` or `live`"));
            }
            input.parse::<Token![=]>()?;
            example = input.parse()?;
        }
        if example == sentence && sentence.value().contains('{') {
            return Err(syn::Error::new(sentence.span(), "a sentence with parameters needs `example = \"…\"`"));
        }
        Ok(Self { usage, sentence, example, live })
    }
}

/// Registers one sentence; see the crate's documentation.
#[proc_macro_attribute]
pub fn step(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let attribute = syn::parse_macro_input!(attribute as Attribute);
    let function = syn::parse_macro_input!(item as ItemFn);
    expand(&attribute, &function).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(attribute: &Attribute, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let Attribute { usage, sentence, example, live } = attribute;
    let doc = doc_comment(function);
    if doc.is_empty() {
        return Err(syn::Error::new(function.sig.ident.span(), "a step needs a doc comment: it is the manual"));
    }
    let name = &function.sig.ident;
    let wrapper = format_ident!("cucumber_{name}");
    let kind = format_ident!("{}", capitalised(&usage.to_string()));
    let inputs = &function.sig.inputs;
    let arguments = inputs.iter().map(argument_name).collect::<syn::Result<Vec<_>>>()?;
    let awaited = function.sig.asyncness.map(|_| quote! { .await });
    let wait = function.sig.asyncness;
    Ok(quote! {
        // cucumber hands every parameter over by value, and the world mutably, whether the step needs that or not.
        #[allow(clippy::needless_pass_by_value, clippy::needless_pass_by_ref_mut, clippy::unnecessary_wraps)]
        #function

        #[allow(clippy::needless_pass_by_value, clippy::needless_pass_by_ref_mut)]
        #[::cucumber::given(expr = #sentence)]
        #wait fn #wrapper(#inputs) {
            if let Err(failure) = self::#name(#(#arguments),*)#awaited {
                failure.raise();
            }
        }

        ::inventory::submit! {
            crate::steps::StepText {
                sentence: #sentence,
                kind: crate::plan::StepUse::#kind,
                doc: #doc,
                example: #example,
                live: #live,
                file: ::std::file!(),
                line: ::std::line!(),
                column: ::std::column!(),
            }
        }
    })
}

fn argument_name(argument: &FnArg) -> syn::Result<Ident> {
    if let FnArg::Typed(typed) = argument
        && let Pat::Ident(name) = typed.pat.as_ref()
    {
        return Ok(name.ident.clone());
    }
    Err(syn::Error::new_spanned(argument, "expected a plain named argument"))
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn doc_comment(function: &ItemFn) -> String {
    let mut lines = Vec::new();
    for attribute in &function.attrs {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}
