//! `FromRow`: a struct from the columns of a row.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, LitStr, Result};

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(input, "a row becomes a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(input, "the fields of a row have names"));
    };
    let read = fields
        .named
        .iter()
        .map(read_field)
        .collect::<Result<Vec<_>>>()?;
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics ::kit::store::FromRow for #name #arguments #bounds {
            fn from_row(
                row: &::kit::store::Row,
            ) -> ::core::result::Result<Self, ::kit::store::DbError> {
                Ok(Self { #(#read),* })
            }
        }
    })
}

fn read_field(field: &Field) -> Result<TokenStream> {
    let name = field.ident.as_ref();
    let mut column = name
        .map(|it| it.to_string().trim_start_matches("r#").to_owned())
        .unwrap_or_default();
    let (mut flatten, mut json, mut skip) = (false, false, false);
    for attribute in field.attrs.iter().filter(|it| it.path().is_ident("row")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("column") {
                column = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("flatten") {
                flatten = true;
            } else if meta.path.is_ident("json") {
                json = true;
            } else if meta.path.is_ident("skip") {
                skip = true;
            } else {
                return Err(meta.error("expected `column`, `flatten`, `json` or `skip`"));
            }
            Ok(())
        })?;
    }
    Ok(match (flatten, json, skip) {
        (true, ..) => quote!(#name: ::kit::store::FromRow::from_row(row)?),
        (_, true, _) => quote!(#name: row.json(#column)?),
        (.., true) => quote!(#name: ::core::default::Default::default()),
        _ => quote!(#name: row.get(#column)?),
    })
}
