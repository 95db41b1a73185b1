//! The segments of a path that a route names, and how they are read as a handler's types.

use std::borrow::Cow;
use std::fmt::Display;
use std::slice::from_ref;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::de::value::{BorrowedStrDeserializer, Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The named segments of a request's path, in their order, as they were sent.
#[derive(Clone, Default)]
pub(super) struct Segments(Vec<(String, String)>);

impl Segments {
    pub fn of(params: &matchit::Params<'_, '_>) -> Self {
        let params = params.iter();
        Self(
            params
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
        )
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of a route that names as many segments, with these in their order.
    pub fn fill(&self, route: &str) -> String {
        let mut texts = self.0.iter().map(|(_, text)| text.as_str());
        let steps: Vec<_> = route
            .split('/')
            .map(|step| match step.starts_with('{') {
                true => texts.next().unwrap_or(step),
                false => step,
            })
            .collect();
        steps.join("/")
    }

    /// One value, a tuple of several, or a struct that names them.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let decoded = self.0.iter().map(|(name, text)| {
            let text = percent_decode_str(text).decode_utf8();
            Ok((name.as_str(), text.map_err(Error::custom)?))
        });
        let decoded = decoded.collect::<Result<Vec<_>, Error>>()?;
        T::deserialize(Named(&decoded))
    }
}

/// Deserializes segments: a single one as a text, a number or another type with `FromStr`; several as a tuple or a struct.
struct Named<'a>(&'a [(&'a str, Cow<'a, str>)]);

impl<'a> Named<'a> {
    fn text(&self) -> Result<&'a str, Error> {
        match self.0 {
            [(_, text)] => Ok(text),
            _ => Err(Error::custom("not one segment")),
        }
    }

    fn parse<T: FromStr<Err: Display>>(&self) -> Result<T, Error> {
        self.text()?.parse().map_err(Error::custom)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Named<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parse {
    ($($read:ident $visit:ident)*) => {$(
        fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.parse()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Named<'de> {
    type Error = Error;

    parse! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        BorrowedStrDeserializer::new(self.text()?).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        SeqDeserializer::new(self.0.chunks(1).map(Named)).deserialize_seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let named = self.0.iter().map(|it| (it.0, Named(from_ref(it))));
        MapDeserializer::new(named).deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn segments(named: &[(&str, &str)]) -> Segments {
        let named = named
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Segments(named.collect())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Way {
        In,
        Out,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Plate(String);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Lane {
        consumer: String,
        number: u8,
    }

    #[test]
    fn a_segment_is_read_as_the_type_of_its_handler() {
        let one = |text| segments(&[("id", text)]);
        assert_eq!(one("-7").read(), Ok(-7_i64));
        assert_eq!(one("a%20b%2Fc").read(), Ok("a b/c".to_owned()));
        assert_eq!(one("out").read(), Ok(Way::Out));
        assert_eq!(one("AA-1").read(), Ok(Plate("AA-1".to_owned())));
        assert_eq!(one("7").read(), Ok((7_i64,)));
    }

    #[test]
    fn several_are_read_by_their_order_or_their_names() {
        let two = segments(&[("number", "7"), ("consumer", "notify")]);
        assert_eq!(two.read(), Ok((7_i32, "notify".to_owned())));
        let consumer = "notify".to_owned();
        assert_eq!(
            two.read(),
            Ok(Lane {
                consumer,
                number: 7
            })
        );
    }

    #[test]
    fn another_spelling_of_a_route_has_the_same_segments() {
        let two = segments(&[("number", "7%2F8"), ("consumer", "notify")]);
        let filled = two.fill("/lanes/{lane}/of/{consumer}/retry");
        assert_eq!(filled, "/lanes/7%2F8/of/notify/retry");
    }

    #[test]
    fn what_does_not_fit_is_no_value() {
        let one = |text| segments(&[("id", text)]);
        for wrong in ["x", "", "9223372036854775808", "1.5", "%31x"] {
            assert!(one(wrong).read::<i64>().is_err(), "{wrong}");
        }
        assert!(one("%ff").read::<String>().is_err(), "no UTF-8");
        assert!(one("up").read::<Way>().is_err());
        assert!(one("7").read::<(i64, i64)>().is_err());
        let two = segments(&[("a", "1"), ("b", "2")]);
        assert!(two.read::<i64>().is_err());
        assert!(two.read::<(i64, i64, i64)>().is_err());
        assert!(two.read::<(i64,)>().is_err());
        assert!(two.read::<Lane>().is_err());
    }
}
