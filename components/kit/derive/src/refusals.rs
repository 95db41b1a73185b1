//! `Refusals`: the table of every refusal of a component.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Data, DeriveInput, Error, Fields, LitInt, LitStr, Path, Result, Token, Variant, parenthesized,
};

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            input,
            "refusals are the variants of an enum",
        ));
    };
    let name = &input.ident;
    let refusals = data
        .variants
        .iter()
        .map(|it| Refusal::read(name, it))
        .collect::<Result<Vec<_>>>()?;
    let done = read_done(input)?;

    let constants = refusals.iter().filter_map(Refusal::constant);
    let listed = refusals.iter().filter_map(Refusal::constant_name);
    let texts = refusals.iter().map(Refusal::text);
    let sources = refusals.iter().map(Refusal::source);
    let problems = refusals.iter().map(Refusal::problem);
    let conversions = refusals.iter().filter_map(Refusal::conversion);
    let outcomes: Vec<_> = refusals.iter().flat_map(|it| &it.rule.outcomes).collect();
    let by_outcome = refusals
        .iter()
        .filter_map(|it| it.by(&it.rule.outcomes))
        .collect::<Result<Vec<_>>>()?;
    let by_constraint = refusals
        .iter()
        .filter_map(|it| it.by(&it.rule.constraints))
        .collect::<Result<Vec<_>>>()?;

    Ok(quote! {
        impl #name {
            #(#constants)*
        }

        impl ::kit::web::Refusals for #name {
            const OUTCOMES: &'static [&'static str] = &[#(#outcomes),*];
            const DONE: &'static [&'static str] = &[#(#done),*];

            fn of_outcome(outcome: &str) -> Option<Self> {
                match outcome {
                    #(#by_outcome,)*
                    _ => None,
                }
            }

            fn of_constraint(constraint: &str) -> Option<Self> {
                match constraint {
                    #(#by_constraint,)*
                    _ => None,
                }
            }

            fn all() -> Vec<::kit::web::Problem> {
                vec![#(Self::#listed),*]
            }
        }

        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    #(#texts),*
                }
            }
        }

        impl ::std::error::Error for #name {
            fn source(&self) -> Option<&(dyn ::std::error::Error + 'static)> {
                match self {
                    #(#sources),*
                }
            }
        }

        impl From<#name> for ::kit::web::Problem {
            #[allow(unused_variables)]
            fn from(error: #name) -> Self {
                let detail = error.to_string();
                match error {
                    #(#problems),*
                }
            }
        }

        #(#conversions)*
    })
}

/// `#[refusals(done("booked", "moved"))]`.
fn read_done(input: &DeriveInput) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for attribute in input
        .attrs
        .iter()
        .filter(|it| it.path().is_ident("refusals"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("done") {
                return Err(meta.error("expected `done(…)`"));
            }
            let words;
            parenthesized!(words in meta.input);
            let words = Punctuated::<LitStr, Token![,]>::parse_terminated(&words)?;
            done.extend(words.iter().map(LitStr::value));
            Ok(())
        })?;
    }
    Ok(done)
}

/// A variant with what its attribute says.
struct Refusal<'a> {
    /// The enum.
    of: &'a Ident,
    variant: &'a Variant,
    rule: Rule,
}

struct Rule {
    form: Form,
    detail: Option<LitStr>,
    outcomes: Vec<String>,
    constraints: Vec<String>,
    number: Option<LitInt>,
    retry_after_s: Option<LitInt>,
    field: Option<LitStr>,
    from: bool,
}

enum Form {
    Answer {
        status: LitInt,
        code: LitStr,
        title: LitStr,
    },
    Internal,
    Unavailable,
    Transparent,
    Problem(Path),
}

impl Parse for Rule {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut rule = Self {
            form: Form::Transparent,
            detail: None,
            outcomes: Vec::new(),
            constraints: Vec::new(),
            number: None,
            retry_after_s: None,
            field: None,
            from: false,
        };
        if input.peek(LitInt) {
            let status = input.parse()?;
            input.parse::<Token![,]>()?;
            let code = input.parse()?;
            input.parse::<Token![,]>()?;
            let title = input.parse()?;
            rule.form = Form::Answer {
                status,
                code,
                title,
            };
        } else {
            let form: Ident = input.parse()?;
            rule.form = match form.to_string().as_str() {
                "internal" => Form::Internal,
                "unavailable" => Form::Unavailable,
                "transparent" => {
                    rule.from = true;
                    Form::Transparent
                }
                "problem" => {
                    input.parse::<Token![=]>()?;
                    Form::Problem(input.parse()?)
                }
                _ => {
                    return Err(Error::new(
                        form.span(),
                        "expected a status, `internal`, `unavailable`, `transparent` or `problem = …`",
                    ));
                }
            };
        }
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key: Ident = input.parse()?;
            if key == "from" {
                rule.from = true;
                continue;
            }
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "detail" => rule.detail = Some(input.parse()?),
                "outcome" => rule.outcomes.push(input.parse::<LitStr>()?.value()),
                "constraint" => rule.constraints.push(input.parse::<LitStr>()?.value()),
                "number" => rule.number = Some(input.parse()?),
                "retry_after_s" => rule.retry_after_s = Some(input.parse()?),
                "field" => rule.field = Some(input.parse()?),
                _ => {
                    return Err(Error::new(
                        key.span(),
                        "expected `detail`, `outcome`, `constraint`, `number`, `retry_after_s`, `field` or `from`",
                    ));
                }
            }
        }
        Ok(rule)
    }
}

impl<'a> Refusal<'a> {
    fn read(of: &'a Ident, variant: &'a Variant) -> Result<Self> {
        let attribute = variant
            .attrs
            .iter()
            .find(|it| it.path().is_ident("refusal"))
            .ok_or_else(|| {
                Error::new_spanned(variant, "what is answered? `#[refusal(…)]` is missing")
            })?;
        let rule: Rule = attribute.parse_args()?;
        if rule.from && variant.fields.len() != 1 {
            return Err(Error::new_spanned(variant, "converted from its one field"));
        }
        if matches!(rule.form, Form::Internal | Form::Unavailable) && rule.detail.is_none() {
            return Err(Error::new_spanned(
                variant,
                "`detail` says what the log is told",
            ));
        }
        Ok(Self { of, variant, rule })
    }

    /// `UnknownPlace` → `UNKNOWN_PLACE`, for variants that have an answer of their own.
    fn constant_name(&self) -> Option<Ident> {
        if !matches!(self.rule.form, Form::Answer { .. }) {
            return None;
        }
        let mut name = String::new();
        for letter in self.variant.ident.to_string().chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.extend(letter.to_uppercase());
        }
        Some(Ident::new(&name, self.variant.ident.span()))
    }

    fn constant(&self) -> Option<TokenStream> {
        let name = self.constant_name()?;
        let Form::Answer {
            status,
            code,
            title,
        } = &self.rule.form
        else {
            return None;
        };
        let number = self.rule.number.as_ref().map(|it| quote!(.number(#it)));
        let retry = self.rule.retry_after_s.as_ref();
        let retry = retry.map(|it| quote!(.retry_after_s(#it)));
        let doc = format!("{}: {}", status, title.value());
        Some(quote! {
            #[doc = #doc]
            pub const #name: ::kit::web::Problem =
                ::kit::web::Problem::of_status(#status, #code, #title) #number #retry;
        })
    }

    /// `Error::Missing(_0)`, and how its fields are called there.
    fn pattern(&self) -> (TokenStream, Vec<Ident>) {
        let (of, name) = (self.of, &self.variant.ident);
        match &self.variant.fields {
            Fields::Unit => (quote!(#of::#name), Vec::new()),
            Fields::Unnamed(fields) => {
                let names: Vec<_> = (0..fields.unnamed.len())
                    .map(|it| format_ident!("_{it}"))
                    .collect();
                (quote!(#of::#name(#(#names),*)), names)
            }
            Fields::Named(fields) => {
                let names: Vec<_> = fields
                    .named
                    .iter()
                    .filter_map(|it| it.ident.clone())
                    .collect();
                (quote!(#of::#name { #(#names),* }), names)
            }
        }
    }

    fn text(&self) -> TokenStream {
        let (pattern, names) = self.pattern();
        let ignore = quote!(#(let _ = #names;)*);
        match (&self.rule.detail, &self.rule.form) {
            (Some(detail), _) => {
                let detail = LitStr::new(&by_name(&detail.value()), detail.span());
                quote!(#pattern => { #ignore write!(f, #detail) })
            }
            (None, Form::Answer { title, .. }) => {
                quote!(#pattern => { #ignore f.write_str(#title) })
            }
            (None, Form::Problem(problem)) => {
                quote!(#pattern => { #ignore f.write_str(#problem.title()) })
            }
            (None, _) => {
                let inner = names.first();
                quote!(#pattern => ::core::fmt::Display::fmt(#inner, f))
            }
        }
    }

    fn source(&self) -> TokenStream {
        let (pattern, names) = self.pattern();
        let ignore = quote!(#(let _ = #names;)*);
        match (&self.rule.form, names.as_slice()) {
            // Displayed as its field, so the chain goes on behind it.
            (Form::Transparent, [inner]) => {
                quote!(#pattern => ::std::error::Error::source(#inner))
            }
            (_, [inner]) if self.rule.from => quote!(#pattern => Some(#inner)),
            _ => quote!(#pattern => { #ignore None }),
        }
    }

    fn problem(&self) -> TokenStream {
        let (pattern, names) = self.pattern();
        let ignore = quote!(#(let _ = #names;)*);
        let of = self.of;
        let answer = match &self.rule.form {
            Form::Answer { .. } => {
                let name = self.constant_name();
                let detail = self.rule.detail.as_ref();
                match (detail, &self.rule.field) {
                    (_, Some(field)) => quote!(#of::#name.field(#field, detail)),
                    (Some(_), None) => quote!(#of::#name.detail(detail)),
                    (None, None) => quote!(#of::#name),
                }
            }
            Form::Problem(problem) => {
                let number = self.rule.number.as_ref().map(|it| quote!(.number(#it)));
                match &self.rule.detail {
                    Some(_) => quote!(#problem #number .detail(detail)),
                    None => quote!(#problem #number),
                }
            }
            Form::Internal => {
                let name = &self.variant.ident;
                return quote!(error @ #of::#name { .. } => Self::internal(&error));
            }
            Form::Unavailable => {
                let name = &self.variant.ident;
                let retry = self.rule.retry_after_s.as_ref();
                let retry = retry.map(|it| quote!(.retry_after_s(#it)));
                return quote!(error @ #of::#name { .. } => Self::unavailable(&error) #retry);
            }
            Form::Transparent => {
                let inner = names.first();
                return quote!(#pattern => #inner.into());
            }
        };
        quote!(#pattern => { #ignore #answer })
    }

    fn conversion(&self) -> Option<TokenStream> {
        if !self.rule.from {
            return None;
        }
        let field = &self.variant.fields.iter().next()?.ty;
        let (of, variant) = (self.of, &self.variant.ident);
        let is_db = matches!(field, syn::Type::Path(it) if it.path.segments.last().is_some_and(|it| it.ident == "DbError"));
        let convert = if is_db {
            // The name of a broken constraint says what was wrong.
            quote! {
                match error.constraint().and_then(<Self as ::kit::web::Refusals>::of_constraint) {
                    Some(refusal) => refusal,
                    None => Self::#variant(error),
                }
            }
        } else {
            quote!(Self::#variant(error))
        };
        Some(quote! {
            impl From<#field> for #of {
                fn from(error: #field) -> Self {
                    #convert
                }
            }
        })
    }

    /// The arm that finds the variant by what the database said.
    fn by(&self, texts: &[String]) -> Option<Result<TokenStream>> {
        if texts.is_empty() {
            return None;
        }
        if !self.variant.fields.is_empty() {
            return Some(Err(Error::new_spanned(
                self.variant,
                "what the database says has no fields",
            )));
        }
        let name = &self.variant.ident;
        Some(Ok(quote!(#(#texts)|* => Some(Self::#name))))
    }
}

/// `{0} is missing` → `{_0} is missing`, so that `write!` finds the bound names.
fn by_name(detail: &str) -> String {
    let mut text = String::new();
    let mut letters = detail.chars().peekable();
    while let Some(letter) = letters.next() {
        text.push(letter);
        if letter == '{' && letters.peek().is_some_and(char::is_ascii_digit) {
            text.push('_');
        }
    }
    text
}
