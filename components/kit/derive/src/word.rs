//! `Word`: an enum and the texts that stand for it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, LitStr, Result};

struct Word<'a> {
    variant: &'a Ident,
    text: String,
    aliases: Vec<String>,
}

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            input,
            "words are the variants of an enum",
        ));
    };
    let case = read(&input.attrs, "rename_all")?
        .pop()
        .unwrap_or_else(|| "snake_case".to_owned());
    let mut words = Vec::new();
    for variant in &data.variants {
        if !variant.fields.is_empty() {
            return Err(Error::new_spanned(variant, "a word has no fields"));
        }
        let text = match read(&variant.attrs, "rename")?.pop() {
            Some(text) => text,
            None => spell(&variant.ident.to_string(), &case)
                .ok_or_else(|| Error::new_spanned(input, format!("`{case}` is no known case")))?,
        };
        words.push(Word {
            variant: &variant.ident,
            text,
            aliases: read(&variant.attrs, "alias")?,
        });
    }
    let name = &input.ident;
    let title = name.to_string();
    let variants: Vec<_> = words.iter().map(|it| it.variant).collect();
    let texts: Vec<_> = words.iter().map(|it| &it.text).collect();
    let read = words.iter().map(|it| {
        let (variant, text, aliases) = (it.variant, &it.text, &it.aliases);
        quote!(#text #(| #aliases)* => Some(Self::#variant))
    });
    let count = words.len();
    Ok(quote! {
        impl #name {
            pub const ALL: [Self; #count] = [#(Self::#variants),*];

            /// The word that stands for it.
            pub const fn name(self) -> &'static str {
                match self {
                    #(Self::#variants => #texts),*
                }
            }

            /// What the word stands for.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    #(#read,)*
                    _ => None,
                }
            }
        }

        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let word = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&word).ok_or_else(|| {
                    <D::Error as ::serde::de::Error>::unknown_variant(&word, &[#(#texts),*])
                })
            }
        }

        impl ::kit::store::Column for #name {
            fn column(value: &::kit::store::DbValue) -> Option<Self> {
                Self::parse(&<String as ::kit::store::Column>::column(value)?)
            }
        }

        impl ::kit::store::Param for #name {
            fn param(self) -> ::kit::store::ParameterValue {
                ::kit::store::Param::param(self.name())
            }
        }

        #[cfg(not(target_family = "wasm"))]
        impl ::kit::web::schemars::JsonSchema for #name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                #title.into()
            }

            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", #title).into()
            }

            fn json_schema(
                _: &mut ::kit::web::schemars::SchemaGenerator,
            ) -> ::kit::web::schemars::Schema {
                ::kit::web::schemars::json_schema!({ "type": "string", "enum": [#(#texts),*] })
            }
        }
    })
}

/// The values of one key in all `#[word(…)]` of an item.
fn read(attributes: &[Attribute], key: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("word")) {
        attribute.parse_nested_meta(|meta| {
            let known = ["rename_all", "rename", "alias"];
            if !known.iter().any(|it| meta.path.is_ident(it)) {
                return Err(meta.error("expected `rename_all`, `rename` or `alias`"));
            }
            let value = meta.value()?.parse::<LitStr>()?.value();
            if meta.path.is_ident(key) {
                found.push(value);
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// A variant's name in that case.
fn spell(variant: &str, case: &str) -> Option<String> {
    let split = |mark: char| {
        let mut text = String::new();
        for letter in variant.chars() {
            if letter.is_uppercase() && !text.is_empty() {
                text.push(mark);
            }
            text.extend(letter.to_lowercase());
        }
        text
    };
    Some(match case {
        "snake_case" => split('_'),
        "kebab-case" => split('-'),
        "lowercase" => variant.to_lowercase(),
        "UPPERCASE" => variant.to_uppercase(),
        "PascalCase" => variant.to_owned(),
        _ => return None,
    })
}
