//! Text with variables in it: `redis://{{ redis_host }}:6379`.
//!
//! The grammar is Spin's: `{{` opens an expression, the next `}}` closes it, and spaces around the name are ignored.
//! All other text is literal, also a lone `}}`. The caller supplies the values.

use std::fmt;

#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, position: usize },
}

/// A syntax error, and its byte position in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadTemplate {
    pub position: usize,
    pub reason: &'static str,
}

impl Template {
    pub fn parse(source: &str) -> Result<Template, BadTemplate> {
        let mut parts = Vec::new();
        let mut rest = source;
        while !rest.is_empty() {
            let position = source.len() - rest.len();
            let Some((text, opened)) = rest.split_once("{{") else {
                parts.push(Part::Text(rest.to_owned()));
                break;
            };
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let position = position + text.len();
            let Some((expression, after)) = opened.split_once("}}") else {
                return Err(BadTemplate {
                    position,
                    reason: "unmatched '{{' in template",
                });
            };
            let name = expression.trim();
            if name.is_empty() {
                return Err(BadTemplate {
                    position,
                    reason: "no variable between '{{' and '}}'",
                });
            }
            parts.push(Part::Variable {
                name: name.to_owned(),
                position: position + 2 + (expression.len() - expression.trim_start().len()),
            });
            rest = after;
        }
        Ok(Template {
            source: source.to_owned(),
            parts,
        })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// The variables in the order of their mentions, with repetitions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.mentions().map(|(name, _)| name)
    }

    /// Each mentioned variable with the byte position of its name.
    pub fn mentions(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable { name, position } => Some((name.as_str(), *position)),
        })
    }

    /// The text with every variable replaced by its value from `lookup`, or the first error of `lookup`.
    pub fn resolve<'v, E>(
        &self,
        mut lookup: impl FnMut(&str) -> Result<&'v str, E>,
    ) -> Result<String, E> {
        self.parts.iter().try_fold(String::new(), |mut text, part| {
            text.push_str(match part {
                Part::Text(part) => part,
                Part::Variable { name, .. } => lookup(name)?,
            });
            Ok(text)
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(source: &str) -> Result<String, String> {
        Template::parse(source)
            .map_err(|bad| format!("{} at {}", bad.reason, bad.position))?
            .resolve(|name| match name {
                "host" => Ok("db"),
                "port" => Ok("5432"),
                "empty" => Ok(""),
                other => Err(format!("no {other}")),
            })
    }

    #[test]
    fn variables_are_replaced_and_other_text_is_literal() {
        for (source, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("{{host}}", "db"),
            ("{{ host }}", "db"),
            ("postgres://{{ host }}:{{ port }}/x", "postgres://db:5432/x"),
            ("{{host}}{{port}}", "db5432"),
            ("a{{ empty }}b", "ab"),
            ("{ host } }} %7B", "{ host } }} %7B"),
            ("preço {{ host }} é", "preço db é"),
        ] {
            assert_eq!(resolved(source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn a_syntax_error_has_its_position() {
        for (source, expected) in [
            ("{{ host", "unmatched '{{' in template at 0"),
            (
                "ok {{ host }} {{ port }",
                "unmatched '{{' in template at 14",
            ),
            ("x{{  }}", "no variable between '{{' and '}}' at 1"),
            ("{{ other }}", "no other"),
        ] {
            assert_eq!(resolved(source), Err(expected.to_owned()), "{source}");
        }
    }

    #[test]
    fn names_come_with_their_position() {
        let template = Template::parse("é{{ host }}:{{port}}").unwrap();
        assert_eq!(
            template.mentions().collect::<Vec<_>>(),
            [("host", 5), ("port", 15)]
        );
        assert!(!template.is_literal());
        assert!(Template::parse("{ }").unwrap().is_literal());
    }
}
