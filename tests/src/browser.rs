//! A person before the console: opens pages, fills in the forms that are on them, and is led on.

use std::net::SocketAddr;

use select::document::Document;
use select::node::Node;
use select::predicate::{Attr, Name, Predicate};

use crate::answer::Answer;
use crate::request::Request;
use crate::stack::Stack;
use crate::user::User;

/// So many redirects in a row are a circle.
const MOST_REDIRECTS: usize = 5;

pub struct Browser {
    at: SocketAddr,
    cookie: Option<String>,
}

/// A page, and where it is after redirects.
pub struct Page {
    pub path: String,
    pub answer: Answer,
}

impl Browser {
    /// Without a sign-in.
    pub fn new(stack: &Stack) -> Self {
        Self {
            at: stack.address(),
            cookie: None,
        }
    }

    /// As after a sign-in of the user.
    pub fn of(stack: &Stack, user: &User) -> Self {
        Self {
            at: stack.address(),
            cookie: Some(user.token.clone()),
        }
    }

    /// Opens a page, which must be there.
    #[track_caller]
    pub fn open(&mut self, path: &str) -> Page {
        let page = self.try_open(path);
        assert_eq!(page.answer.status(), 200, "{}", page.answer);
        page
    }

    /// Opens what may be refused.
    pub fn try_open(&mut self, path: &str) -> Page {
        self.follow(Request::new(self.at, "GET", path), path)
    }

    /// Sends the form of the page that leads to `action`, with its own values but for those that are filled in.
    #[track_caller]
    pub fn send(&mut self, page: &Page, action: &str, filled: &[(&str, &str)]) -> Page {
        let fields = page.form(action).filled(filled);
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(&fields).finish();
        let request = Request::new(self.at, "POST", action).form(&body);
        self.follow(request, action)
    }

    fn follow(&mut self, request: Request, path: &str) -> Page {
        let (mut request, mut path) = (request, path.to_owned());
        for _ in 0..MOST_REDIRECTS {
            let origin = format!("http://{}", self.at);
            request = match &self.cookie {
                Some(token) => request.cookie("access_token", token),
                None => request.header("origin", &origin),
            };
            let answer = request.send();
            if let Some(cookie) = answer.cookie("access_token") {
                self.cookie = Some(cookie.value).filter(|it| !it.is_empty());
            }
            match answer.header("location") {
                Some(to) => path = to.to_owned(),
                None => return Page { path, answer },
            }
            request = Request::new(self.at, "GET", &path);
        }
        panic!("{path} leads in a circle");
    }
}

impl Page {
    /// What a person reads on it, with one space between words.
    pub fn text(&self) -> String {
        let html = self.html();
        let main = html.find(Name("main")).next().expect("a main part");
        let texts = main.descendants().filter_map(|it| it.as_text());
        let words: Vec<_> = texts.flat_map(str::split_whitespace).collect();
        words.join(" ")
    }

    fn html(&self) -> Document {
        Document::from(&*self.answer.text())
    }

    pub fn says(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// Where the link with that text leads.
    #[track_caller]
    pub fn link(&self, text: &str) -> String {
        let html = self.html();
        let found = html.find(Name("a")).find(|it| it.text().contains(text));
        let link = found.unwrap_or_else(|| panic!("no link \"{text}\" in {}", self.text()));
        link.attr("href").expect("an address").to_owned()
    }

    /// Whether a form of the page leads there.
    pub fn has_form(&self, action: &str) -> bool {
        self.find_form(action).is_some()
    }

    #[track_caller]
    fn form(&self, action: &str) -> Fields {
        self.find_form(action)
            .unwrap_or_else(|| panic!("no form to {action} in {}", self.answer))
    }

    fn find_form(&self, action: &str) -> Option<Fields> {
        let html = self.html();
        let form = html
            .find(Name("form").and(Attr("method", "post")))
            .find(|it| it.attr("action").unwrap_or(&self.path) == action)?;
        Some(Fields::of(form))
    }
}

/// The fields of a form, as a browser would send them.
struct Fields {
    values: Vec<(String, String)>,
    /// Those that can be filled in.
    names: Vec<String>,
}

impl Fields {
    fn of(form: Node<'_>) -> Self {
        let (mut values, mut names) = (Vec::new(), Vec::new());
        let fields = Name("input").or(Name("select")).or(Name("textarea"));
        for field in form.find(fields.or(Name("button"))) {
            let Some(name) = field.attr("name") else {
                continue;
            };
            names.push(name.to_owned());
            let is_choice = matches!(field.attr("type"), Some("checkbox" | "radio"));
            let value = match field.name() {
                Some("select") => {
                    let options = || field.find(Name("option"));
                    let chosen = options().find(|it| it.attr("selected").is_some());
                    chosen.or_else(|| options().next()).map(value_of_option)
                }
                Some("textarea") => Some(field.text()),
                // Only the button that is pressed is sent.
                Some("button") => None,
                _ if is_choice && field.attr("checked").is_none() => None,
                _ => {
                    let unnamed = if is_choice { "on" } else { "" };
                    Some(field.attr("value").unwrap_or(unnamed).to_owned())
                }
            };
            values.extend(value.map(|it| (name.to_owned(), it)));
        }
        Self { values, names }
    }

    /// What is filled in replaces what stands there. Panics when the form has no such field.
    #[track_caller]
    fn filled(self, filled: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut values = self.values;
        values.retain(|it| filled.iter().all(|(name, _)| *name != it.0));
        for (name, value) in filled {
            assert!(
                self.names.iter().any(|it| it == name),
                "no field {name} among {:?}",
                self.names
            );
            values.push(((*name).to_owned(), (*value).to_owned()));
        }
        values
    }
}

fn value_of_option(option: Node<'_>) -> String {
    option
        .attr("value")
        .map_or_else(|| option.text(), str::to_owned)
}
