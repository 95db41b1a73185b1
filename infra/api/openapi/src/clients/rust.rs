//! The client for Rust.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use super::call::{Argument, Call, Content, codes, groups};
use super::name::{pascal, snake};
use super::shape::{Member, Shape};
use crate::document::Document;

const RUNTIME: &str = include_str!("runtime/wharf.rs");

pub fn write(document: &Document) -> Result<String> {
    let groups = groups(document)?;
    let (head, runtime): (Vec<_>, Vec<_>) = RUNTIME.lines().partition(|it| it.starts_with("//!"));
    let mut types = Types::default();
    types.words(
        "Code",
        "Names a refusal for programs.",
        &codes(&groups),
        "/// One that is newer than this client.\n#[serde(untagged)]\nOther(String),",
    )?;
    for (name, schema) in document.schemas() {
        let shape = Shape::of(document, schema)?;
        let description = schema["description"].as_str().unwrap_or_default();
        types.define(&type_name(name), description, &shape)?;
    }
    let mut methods = String::new();
    for (component, calls) in &groups {
        let (name, function) = (pascal(component), snake(component));
        let _ = write!(
            methods,
            "impl<T: Transport> Wharf<T> {{
                pub fn {function}(&self) -> {name}<'_, T> {{ {name} {{ wharf: self }} }}
            }}

            #[derive(Debug)]
            pub struct {name}<'a, T> {{ wharf: &'a Wharf<T> }}

            impl<T: Transport> {name}<'_, T> {{"
        );
        for call in calls {
            methods += &method(&mut types, component, call)?;
        }
        methods += "}\n";
    }
    let text = format!("{}\n{}\n{methods}", runtime.join("\n"), types.text);
    let file = syn::parse_file(&text).context("the client is no Rust")?;
    // Comments in front of the file rather than in it: then it can be included anywhere.
    let head: Vec<_> = head.iter().map(|it| it.replacen("//!", "//", 1)).collect();
    Ok(format!(
        "{}\n\n{}",
        head.join("\n"),
        prettyplease::unparse(&file)
    ))
}

/// `Problem` reads like the error; RFC 9457 calls its body so.
fn type_name(schema: &str) -> String {
    match schema {
        "Problem" => "ProblemDetails".to_owned(),
        name => pascal(name),
    }
}

/// Types that are defined so far.
#[derive(Default)]
struct Types {
    text: String,
}

const DERIVES: &str = "#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]";

impl Types {
    fn define(&mut self, name: &str, description: &str, shape: &Shape) -> Result<()> {
        match shape {
            Shape::Record(members) => self.record(name, description, members),
            Shape::Words(words) => {
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                self.words(name, description, &words, "")
            }
            Shape::Either(shapes) => self.either(name, description, shapes),
            shape => {
                let target = self.type_of(shape, name)?;
                let _ = writeln!(
                    self.text,
                    "{}pub type {name} = {target};",
                    comment(description)
                );
                Ok(())
            }
        }
    }

    fn record(&mut self, name: &str, description: &str, members: &[Member]) -> Result<()> {
        let default = match members.iter().any(|it| it.is_required) {
            true => "",
            false => "#[derive(Default)]",
        };
        let mut text = format!(
            "{}{DERIVES}{default}\npub struct {name} {{\n",
            comment(description)
        );
        for it in members {
            let field = snake(&it.name);
            let (shape, is_nullable) = it.shape.present();
            let mut target = self.type_of(shape, &format!("{name}{}", pascal(&it.name)))?;
            if is_nullable || !it.is_required {
                target = format!("Option<{target}>");
            }
            text += &comment(&it.description);
            if field != it.name {
                let _ = writeln!(text, "#[serde(rename = {:?})]", it.name);
            }
            if !it.is_required {
                text += "#[serde(default, skip_serializing_if = \"Option::is_none\")]\n";
            }
            let _ = writeln!(text, "pub {}: {target},", variable(&field));
        }
        self.text += &text;
        self.text += "}\n";
        Ok(())
    }

    fn words(&mut self, name: &str, description: &str, words: &[&str], more: &str) -> Result<()> {
        let copy = if more.is_empty() {
            "#[derive(Copy, Eq, Hash)]"
        } else {
            ""
        };
        let mut text = format!(
            "{}{DERIVES}{copy}\npub enum {name} {{\n",
            comment(description)
        );
        let mut variants = Vec::new();
        for word in words {
            let variant = pascal(word);
            ensure!(
                !variants.contains(&variant),
                "{name} has two words {variant}"
            );
            let _ = writeln!(text, "#[serde(rename = {word:?})]\n{variant},");
            variants.push(variant);
        }
        self.text += &text;
        self.text += more;
        self.text += "}\n";
        Ok(())
    }

    fn either(&mut self, name: &str, description: &str, shapes: &[Shape]) -> Result<()> {
        let mut text = format!(
            "{}{DERIVES}#[serde(untagged)]\n#[allow(clippy::large_enum_variant)]\npub enum {name} {{\n",
            comment(description)
        );
        for (at, shape) in shapes.iter().enumerate() {
            let variant = match shape {
                Shape::Named(schema) => type_name(schema),
                Shape::Boolean => "Boolean".to_owned(),
                Shape::Integer(_) => "Integer".to_owned(),
                Shape::Number => "Number".to_owned(),
                Shape::Text => "Text".to_owned(),
                Shape::Words(_) => "Word".to_owned(),
                Shape::List(_) | Shape::Tuple(_) => "List".to_owned(),
                _ => format!("Variant{}", at + 1),
            };
            let target = self.type_of(shape, &format!("{name}{variant}"))?;
            let _ = writeln!(text, "{variant}({target}),");
        }
        self.text += &text;
        self.text += "}\n";
        Ok(())
    }

    /// The type of that shape; one that needs a definition gets it under `name`.
    fn type_of(&mut self, shape: &Shape, name: &str) -> Result<String> {
        Ok(match shape {
            Shape::Any => "serde_json::Value".to_owned(),
            Shape::Boolean => "bool".to_owned(),
            Shape::Integer(format) => integer(format.as_deref()).to_owned(),
            Shape::Number => "f64".to_owned(),
            Shape::Text => "String".to_owned(),
            Shape::List(shape) => format!("Vec<{}>", self.type_of(shape, name)?),
            Shape::Tuple(shapes) => {
                let shapes = shapes.iter().enumerate();
                let types = shapes.map(|(at, it)| self.type_of(it, &format!("{name}{at}")));
                format!("({},)", types.collect::<Result<Vec<_>>>()?.join(", "))
            }
            Shape::Map(shape) => format!(
                "std::collections::BTreeMap<String, {}>",
                self.type_of(shape, name)?
            ),
            Shape::Named(schema) => type_name(schema),
            Shape::Nullable(shape) => format!("Option<{}>", self.type_of(shape, name)?),
            Shape::Record(_) | Shape::Words(_) | Shape::Either(_) => {
                self.define(name, "", shape)?;
                name.to_owned()
            }
        })
    }
}

fn integer(format: Option<&str>) -> &'static str {
    match format {
        Some("int32") => "i32",
        Some("int16") => "i16",
        Some("int8") => "i8",
        Some("uint8") => "u8",
        Some("uint16") => "u16",
        Some("uint32") => "u32",
        Some("uint64" | "uint") => "u64",
        _ => "i64",
    }
}

fn method(types: &mut Types, component: &str, call: &Call<'_>) -> Result<String> {
    let own = format!("{}{}", pascal(component), pascal(call.name));
    let mut arguments = String::new();
    for it in &call.path {
        let target = types.type_of(&it.shape, &format!("{own}{}", pascal(it.name)))?;
        let _ = write!(
            arguments,
            ", {}: {}",
            variable(&snake(it.name)),
            borrowed(&target)
        );
    }
    let mut steps = String::new();
    match &call.body {
        None | Some(Content::Nothing) => {}
        Some(Content::Json(shape)) => {
            let target = types.type_of(shape, &format!("{own}Body"))?;
            let _ = write!(arguments, ", body: &{target}");
            steps += ".json(body)";
        }
        Some(Content::Form(shape)) => {
            let target = types.type_of(shape, &format!("{own}Body"))?;
            let _ = write!(arguments, ", body: &{target}");
            steps += ".form(body)";
        }
        Some(Content::Text | Content::Bytes) => {
            arguments += ", body: Vec<u8>";
            let media_type = call.operation.body.as_ref().map(|it| it.media_type);
            let _ = write!(
                steps,
                ".content({:?}, body)",
                media_type.unwrap_or_default()
            );
        }
    }
    if !call.query.is_empty() {
        let name = format!("{own}Query");
        types.record(&name, "", &members(&call.query))?;
        let _ = write!(arguments, ", query: &{name}");
        steps += ".query(query)";
    }
    for it in &call.headers {
        let name = variable(&snake(it.name));
        let (target, value) = match it.is_required {
            true => ("&str", format!("Some({name})")),
            false => ("Option<&str>", name.clone()),
        };
        let _ = write!(arguments, ", {name}: {target}");
        let _ = write!(steps, ".header({:?}, {value})", it.name);
    }
    let (target, accept, read) = match &call.result {
        Content::Nothing => ("()".to_owned(), "*/*", "nothing"),
        Content::Json(shape) | Content::Form(shape) => {
            let target = types.type_of(shape, &format!("{own}Answer"))?;
            (target, "application/json", "json")
        }
        Content::Text => ("String".to_owned(), "*/*", "text"),
        Content::Bytes => ("Vec<u8>".to_owned(), "*/*", "bytes"),
    };
    let (target, ending) = match call.may_be_empty {
        false => (target, format!("read::{read}(response)")),
        true => (
            format!("Option<{target}>"),
            format!(
                "if response.body().is_empty() {{ return Ok(None); }}
                read::{read}(response).map(Some)"
            ),
        ),
    };
    let deprecated = call.operation.instead.map_or_else(String::new, |it| {
        format!("#[deprecated = {:?}]\n", format!("use {it}"))
    });
    Ok(format!(
        "{}{deprecated}pub async fn {}(&self{arguments}) -> Result<{target}, Error<T::Error>> {{
            let call = Call::new({:?}, {}, {accept:?}){steps};
            let response = self.wharf.send(call).await?;
            {ending}
        }}\n",
        comment(&call.comment().join("\n\n")),
        variable(&snake(call.name)),
        call.operation.method,
        path(call),
    ))
}

fn members(arguments: &[Argument<'_>]) -> Vec<Member> {
    let members = arguments.iter().map(|it| Member {
        name: it.name.to_owned(),
        is_required: it.is_required,
        description: it.description.to_owned(),
        shape: it.shape.clone(),
    });
    members.collect()
}

/// The expression that makes the path.
fn path(call: &Call<'_>) -> String {
    let mut path = call.operation.path.to_owned();
    if call.path.is_empty() {
        return format!("{path:?}.to_owned()");
    }
    let mut values = String::new();
    for it in &call.path {
        path = path
            .replace(&format!("{{{}}}", it.name), "{}")
            .replace(&format!("{{*{}}}", it.name), "{}");
        let _ = write!(values, ", segment(&{})", variable(&snake(it.name)));
    }
    format!("format!({path:?}{values})")
}

/// How an argument of that type is passed.
fn borrowed(target: &str) -> String {
    match target {
        "String" => "&str".to_owned(),
        "bool" | "f64" | "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => {
            target.to_owned()
        }
        other => format!("&{other}"),
    }
}

fn variable(name: &str) -> String {
    const KEYWORDS: [&str; 18] = [
        "as", "async", "const", "enum", "fn", "for", "if", "impl", "in", "match", "mod", "move",
        "pub", "ref", "type", "use", "where", "yield",
    ];
    match name {
        // Not even as a raw name.
        "self" | "super" | "crate" => format!("{name}_"),
        name if KEYWORDS.contains(&name) => format!("r#{name}"),
        name => name.to_owned(),
    }
}

fn comment(text: &str) -> String {
    let mut comment = String::new();
    for line in text.lines() {
        let _ = writeln!(comment, "{}", format!("/// {line}").trim_end());
    }
    comment
}
