//! The derives of `kit`: rows of statements, words of fixed sets, refusals.
//!
//! Each derive documents its attributes; `components/kit` re-exports them, so a component never names
//! this crate.

mod refusals;
mod row;
mod word;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// `FromRow`: a struct from the columns of one row.
///
/// Every field is read from the column of its name. A field may say otherwise:
/// - `#[row(column = "place_id")]` reads another column;
/// - `#[row(flatten)]` is a struct that is itself read from the row;
/// - `#[row(json)]` reads a `jsonb` column with serde;
/// - `#[row(skip)]` is not in the row and takes its default.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn from_row(input: TokenStream) -> TokenStream {
    expand(row::expand(&parse_macro_input!(input as DeriveInput)))
}

/// `Word`: a field-less enum and the texts that stand for it in SQL, JSON and queries.
///
/// Gives `ALL`, `name`, `parse`, serde in both directions, a column, a parameter and a schema. The texts
/// are the variants in snake case; `#[word(rename_all = "kebab-case")]` on the enum chooses another case
/// (`snake_case`, `kebab-case`, `lowercase`, `UPPERCASE`, `PascalCase`), `#[word(rename = "…")]` on a
/// variant another text, `#[word(alias = "…")]` one that is read and never written.
#[proc_macro_derive(Word, attributes(word))]
pub fn word(input: TokenStream) -> TokenStream {
    expand(word::expand(&parse_macro_input!(input as DeriveInput)))
}

/// `Refusals`: the table of every refusal of a component.
///
/// A variant is one refusal:
///
/// ```ignore
/// #[derive(Debug, Refusals)]
/// #[refusals(done("booked", "moved"))]
/// pub enum Error {
///     #[refusal(404, "unknown-place", "No such parking place", outcome = "unknown_place")]
///     UnknownPlace,
///     #[refusal(400, "missing-field", "Something is missing", detail = "{0} is missing")]
///     Missing(&'static str),
///     #[refusal(unavailable, detail = "{0} does not answer", retry_after_s = 5)]
///     Unavailable(&'static str),
///     #[refusal(transparent)]
///     Db(DbError),
/// }
/// ```
///
/// - status, code and title are what the client gets; `detail` is the text for the client's developer,
///   with the fields of the variant; without one the title says it all;
/// - `outcome` and `constraint` are how the database says the same (each may stand more than once);
/// - `number` is the code of the RPC dialect, `retry_after_s` when asking again may help;
/// - `field = "/url"` points at the rejected field of the body;
/// - `internal` and `unavailable` are faults: the text goes to the log and the client gets a 500 or 503;
/// - `problem = PATH` answers with a problem that stands elsewhere;
/// - `transparent` hands on the problem of the one field, which must be convertible into one; `from`
///   beside any other form generates the conversion from the one field.
///
/// Of every variant with a status there is a constant `Error::UNKNOWN_PLACE`, which route tables name.
/// `done` lists the outcomes of the schema's functions that are not refusals.
#[proc_macro_derive(Refusals, attributes(refusals, refusal))]
pub fn refusals(input: TokenStream) -> TokenStream {
    expand(refusals::expand(&parse_macro_input!(input as DeriveInput)))
}

/// `Schema` where no description is made (wasm): nothing at all.
#[proc_macro_derive(Schema, attributes(schemars))]
pub fn no_schema(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

fn expand(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
