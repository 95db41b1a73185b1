//! The client for TypeScript.

use std::fmt::Write as _;

use anyhow::Result;

use super::call::{Argument, Call, Content, codes, groups};
use super::name::{camel, pascal};
use super::shape::{Member, Shape};
use crate::document::Document;

const RUNTIME: &str = include_str!("runtime/wharf.ts");

const HEAD: &str = "// The client of Wharf, written from its API description.";

pub fn write(document: &Document) -> Result<String> {
    let groups = groups(document)?;
    let mut text = format!("{HEAD}\n\n{RUNTIME}\n");
    text += &comment("", &["Names a refusal for programs.".to_owned()]);
    text += "export type Code =";
    for code in codes(&groups) {
        text += &format!("\n  | {}", quoted(code));
    }
    text += ";\n";
    for (name, schema) in document.schemas() {
        let shape = Shape::of(document, schema)?;
        let description = schema["description"].as_str().unwrap_or_default();
        text.push('\n');
        text += &comment("", &[description.to_owned()]);
        text += &match &shape {
            Shape::Record(members) => {
                format!(
                    "export interface {} {}\n",
                    type_name(name),
                    record(members, "")
                )
            }
            shape => format!(
                "export type {} = {};\n",
                type_name(name),
                type_of(shape, "")
            ),
        };
    }
    for (component, calls) in &groups {
        text += &group(component, calls);
    }
    text += &client(&groups.keys().copied().collect::<Vec<_>>());
    Ok(text)
}

/// `Problem` is the class of thrown errors, so no schema keeps this name.
fn type_name(schema: &str) -> String {
    match schema {
        "Problem" => "ProblemDetails".to_owned(),
        name => pascal(name),
    }
}

fn client(components: &[&str]) -> String {
    let mut text = format!(
        "\n{}export class Wharf {{\n",
        comment("", &["All functions of the platform.".to_owned()])
    );
    for it in components {
        let _ = writeln!(text, "  readonly {}: {};", camel(it), pascal(it));
    }
    text +=
        "\n  constructor(connection: Connection = {}) {\n    const send = sender(connection);\n";
    for it in components {
        let _ = writeln!(text, "    this.{} = new {}(send);", camel(it), pascal(it));
    }
    text + "  }\n}\n"
}

fn group(component: &str, calls: &[Call<'_>]) -> String {
    let name = pascal(component);
    let mut text = format!(
        "\nexport class {name} {{\n  readonly #send: Send;\n\n  constructor(send: Send) {{\n    this.#send = send;\n  }}\n"
    );
    for call in calls {
        text.push('\n');
        text += &method(call);
    }
    text + "}\n"
}

fn method(call: &Call<'_>) -> String {
    let mut paragraphs = call.comment();
    paragraphs.extend(
        call.operation
            .instead
            .map(|it| format!("@deprecated Use `{it}`.")),
    );
    let mut text = comment("  ", &paragraphs);
    let parameters = parameters(call).join(", ");
    let result = match &call.result {
        Content::Nothing => "void".to_owned(),
        Content::Json(shape) | Content::Form(shape) => type_of(shape, "  "),
        Content::Text => "string".to_owned(),
        Content::Bytes => "ArrayBuffer".to_owned(),
    };
    let result = if call.may_be_empty {
        format!("{result} | undefined")
    } else {
        result
    };
    let _ = writeln!(
        text,
        "  {}({parameters}): Promise<{result}> {{",
        camel(call.name)
    );
    text += "    return this.#send({\n";
    for (name, value) in members_of_call(call) {
        if name == value {
            let _ = writeln!(text, "      {name},");
        } else {
            let _ = writeln!(text, "      {name}: {value},");
        }
    }
    text + "    });\n  }\n"
}

/// The path's parameters, the body, the query, the rest.
fn parameters(call: &Call<'_>) -> Vec<String> {
    let path = call.path.iter();
    let mut parameters: Vec<_> = path
        .map(|it| format!("{}: {}", variable(it.name), type_of(&it.shape, "  ")))
        .collect();
    parameters.extend(match &call.body {
        None | Some(Content::Nothing) => None,
        Some(Content::Json(shape) | Content::Form(shape)) => {
            Some(format!("body: {}", type_of(shape, "  ")))
        }
        Some(Content::Text | Content::Bytes) => Some("body: BodyInit".to_owned()),
    });
    if !call.query.is_empty() {
        parameters.push(named("query", &call.query, key));
    }
    let options = if call.headers.is_empty() {
        "options: Options = {}".to_owned()
    } else {
        named("options", &call.headers, camel).replacen("options: ", "options: Options & ", 1)
    };
    parameters.push(options);
    parameters
}

/// A parameter that is a record. It is optional when all its members are.
fn named(name: &str, arguments: &[Argument<'_>], called: impl Fn(&str) -> String) -> String {
    let mut text = format!("{name}: {{\n");
    for it in arguments {
        text += &comment("    ", &[it.description.to_owned()]);
        let mark = if it.is_required { "" } else { "?" };
        let _ = writeln!(
            text,
            "    {}{mark}: {};",
            called(it.name),
            type_of(&it.shape, "    ")
        );
    }
    text += "  }";
    if arguments.iter().all(|it| !it.is_required) {
        text += " = {}";
    }
    text
}

fn members_of_call(call: &Call<'_>) -> Vec<(&'static str, String)> {
    let mut path = call.operation.path.to_owned();
    for it in &call.path {
        let value = format!("${{encodeURIComponent({})}}", variable(it.name));
        path = path
            .replace(&format!("{{{}}}", it.name), &value)
            .replace(&format!("{{*{}}}", it.name), &value);
    }
    let path = if call.path.is_empty() {
        quoted(&path)
    } else {
        format!("`{path}`")
    };
    let mut members = vec![("method", quoted(&call.operation.method)), ("path", path)];
    if !call.query.is_empty() {
        members.push(("query", "query".to_owned()));
    }
    if !call.headers.is_empty() {
        let headers = call.headers.iter();
        let headers: Vec<_> = headers
            .map(|it| format!("{}: options.{}", key(it.name), camel(it.name)))
            .collect();
        members.push(("headers", format!("{{ {} }}", headers.join(", "))));
    }
    members.extend(call.body.as_ref().map(|it| {
        let name = match it {
            Content::Json(_) | Content::Nothing => "json",
            Content::Form(_) => "form",
            Content::Text | Content::Bytes => "content",
        };
        (name, "body".to_owned())
    }));
    let reads = match call.result {
        Content::Nothing => "nothing",
        Content::Json(_) | Content::Form(_) => "json",
        Content::Text => "text",
        Content::Bytes => "bytes",
    };
    members.push(("reads", quoted(reads)));
    members.push(("options", "options".to_owned()));
    members
}

fn type_of(shape: &Shape, indent: &str) -> String {
    match shape {
        Shape::Any => "unknown".to_owned(),
        Shape::Boolean => "boolean".to_owned(),
        Shape::Integer(_) | Shape::Number => "number".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::Words(words) => union(words.iter().map(|it| quoted(it))),
        Shape::List(shape) => match &**shape {
            Shape::Words(_) | Shape::Either(_) | Shape::Nullable(_) => {
                format!("({})[]", type_of(shape, indent))
            }
            shape => format!("{}[]", type_of(shape, indent)),
        },
        Shape::Tuple(shapes) => {
            let types: Vec<_> = shapes.iter().map(|it| type_of(it, indent)).collect();
            format!("[{}]", types.join(", "))
        }
        Shape::Map(shape) => format!("Record<string, {}>", type_of(shape, indent)),
        Shape::Record(members) => record(members, indent),
        Shape::Named(name) => type_name(name),
        Shape::Either(shapes) => union(shapes.iter().map(|it| type_of(it, indent))),
        Shape::Nullable(shape) => format!("{} | null", type_of(shape, indent)),
    }
}

fn union(types: impl Iterator<Item = String>) -> String {
    types.collect::<Vec<_>>().join(" | ")
}

fn record(members: &[Member], indent: &str) -> String {
    if members.is_empty() {
        return "Record<string, never>".to_owned();
    }
    let inner = format!("{indent}  ");
    let mut text = "{\n".to_owned();
    for it in members {
        text += &comment(&inner, std::slice::from_ref(&it.description));
        let mark = if it.is_required { "" } else { "?" };
        let _ = writeln!(
            text,
            "{inner}{}{mark}: {};",
            key(&it.name),
            type_of(&it.shape, &inner)
        );
    }
    text + indent + "}"
}

/// A member's name as it stands in a type or an object.
fn key(name: &str) -> String {
    let is_plain = name
        .chars()
        .enumerate()
        .all(|(at, it)| it == '_' || it.is_ascii_alphabetic() || (at > 0 && it.is_ascii_digit()));
    if is_plain && !name.is_empty() {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn variable(name: &str) -> String {
    const RESERVED: [&str; 8] = [
        "body", "query", "options", "default", "delete", "function", "new", "in",
    ];
    let name = camel(name);
    if RESERVED.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A comment of several paragraphs; nothing when there is nothing to say.
fn comment(indent: &str, paragraphs: &[String]) -> String {
    let text = paragraphs.join("\n\n").replace("*/", "*\u{200b}/");
    let lines: Vec<_> = text.lines().collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let mut text = format!("{indent}/**\n");
            for line in lines {
                let _ = writeln!(text, "{}", format!("{indent} * {line}").trim_end());
            }
            text + indent + " */\n"
        }
    }
}
