//! `[[trigger.http]]` and `[[trigger.redis]]`: what starts a component.

use crate::document::{Table, Text, Value};
use crate::faults;
use crate::routes::{Pattern, RESERVED_PREFIX, Router};
use crate::template::Template;

use super::Reading;
use super::definitions::{ComponentChoice, TriggerDefinition};

/// What requests to a route get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTrigger {
    pub id: String,
    /// `None` when only other components reach it, by `http://<component>.spin.internal`.
    pub route: Option<Pattern>,
    pub answer: HttpAnswer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpAnswer {
    Component(String),
    Static(StaticResponse),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisTrigger {
    pub id: String,
    pub component: String,
    pub channel: Template,
    /// Of the trigger, else of the application; `None` leaves it to the host.
    pub address: Option<Template>,
}

impl HttpAnswer {
    pub fn component(&self) -> Option<&str> {
        match self {
            HttpAnswer::Component(id) => Some(id),
            HttpAnswer::Static(_) => None,
        }
    }
}

#[derive(Default)]
pub(super) struct Triggers {
    pub http: Vec<HttpTrigger>,
    pub redis: Vec<RedisTrigger>,
}

const KINDS: [&str; 2] = ["http", "redis"];

pub(super) fn read(
    reading: &Reading,
    application: Option<&Table>,
    definitions: &[TriggerDefinition],
) -> Triggers {
    let address = application.and_then(|application| read_defaults(reading, application));
    let mut triggers = Triggers::default();
    let mut routes = Router::default();
    for definition in definitions {
        match &*definition.kind {
            "http" => triggers
                .http
                .extend(read_http(reading, definition, &mut routes)),
            "redis" => triggers
                .redis
                .extend(read_redis(reading, definition, address.as_ref())),
            kind => {
                refuse_kind(definition, kind);
                continue;
            }
        }
        for other in &definition.others {
            other.id(reading);
        }
        if !definition.others.is_empty() {
            definition.table.warn(
                format!(
                    "`components` means nothing to {} triggers",
                    &*definition.kind
                ),
                None,
            );
        }
        definition.table.refuse(
            "dependencies",
            "this host composes nothing into a trigger: middleware is not supported",
        );
        definition.table.no_other_keys();
    }
    triggers
}

fn refuse_kind(definition: &TriggerDefinition, kind: &str) {
    let hint = match (kind, faults::closest(kind, KINDS)) {
        (_, Some(meant)) => format!("did you mean `{meant}`?"),
        ("cron", None) => {
            "write [[application.tool.wharf.cron]] and a [[trigger.redis]] for its channel"
                .to_owned()
        }
        (_, None) => "it runs http and redis triggers".to_owned(),
    };
    definition
        .kind
        .fault(format!("this host has no trigger `{kind}`"), Some(hint));
}

/// `[application.trigger.<kind>]`: the default address of Redis.
fn read_defaults(reading: &Reading, application: &Table) -> Option<Template> {
    let defaults = application.table("trigger", "[application.trigger]")?;
    if let Some(http) = defaults.table("http", "[application.trigger.http]") {
        if let Some(base) = http.text("base").filter(|base| &**base != "/") {
            base.fault(
                "a base for all routes is not supported any more",
                Some("write it into each route".to_owned()),
            );
        }
        http.no_other_keys();
    }
    let redis = defaults.table("redis", "[application.trigger.redis]");
    let address = redis.and_then(|redis| {
        let address = redis
            .require_text("address")
            .and_then(|address| reading.template(&address));
        redis.no_other_keys();
        address
    });
    defaults.no_other_keys();
    address
}

fn read_http<'a>(
    reading: &Reading,
    definition: &TriggerDefinition<'a>,
    routes: &mut Router<Text<'a>>,
) -> Option<HttpTrigger> {
    let table = &definition.table;
    let route = table
        .require("route")
        .and_then(|route| read_route(&route, routes));
    if let Some(executor) = table.table("executor", "`executor`") {
        check_executor(executor);
    }
    let static_response = table
        .table("static_response", "`static_response`")
        .map(StaticResponse::read);
    let answer = match (&definition.component, static_response) {
        (Some(choice), None) => choice.id(reading).map(HttpAnswer::Component),
        (None, Some(response)) => response.map(HttpAnswer::Static),
        (None, None) => {
            table.fault(
                format!("{} needs `component` or `static_response`", table.name),
                None,
            );
            None
        }
        (Some(_), Some(_)) => {
            table.fault(
                format!(
                    "{} cannot have both `component` and `static_response`",
                    table.name
                ),
                None,
            );
            None
        }
    };
    Some(HttpTrigger {
        id: definition.id.clone(),
        route: route?,
        answer: answer?,
    })
}

/// `None` when it is wrong, `Some(None)` when it is private.
fn read_route<'a>(value: &Value<'a>, routes: &mut Router<Text<'a>>) -> Option<Option<Pattern>> {
    if !value.is_text() {
        let private = value.table("the route")?;
        if let Some(flag) = private.require("private")
            && flag.flag() == Some(false)
        {
            flag.fault(
                "a route is a path or { private = true }: it cannot be { private = false }",
                None,
            );
        }
        private.no_other_keys();
        return Some(None);
    }
    let text = value.text()?;
    let pattern = match Pattern::parse(&text) {
        Ok(pattern) => pattern,
        Err(why) => {
            text.fault(why, None);
            return None;
        }
    };
    if pattern.is_reserved() {
        text.warn(
            format!("paths under {RESERVED_PREFIX} are the host's own and never reach a trigger"),
            None,
        );
    }
    if let Some(unused) = routes.insert(pattern.clone(), text) {
        unused.warn(
            "this route is never used: another trigger has the same one",
            None,
        );
    }
    Some(Some(pattern))
}

fn check_executor(executor: Table) {
    match executor.require_text("type") {
        Some(kind) if matches!(&*kind, "http" | "spin") => {}
        Some(kind) if &*kind == "wagi" => {
            // Its own settings are not worth a fault each.
            kind.fault(
                "this host runs no Wagi modules",
                Some("build a component that exports wasi:http".to_owned()),
            );
            return;
        }
        Some(kind) => kind.unknown("there is no executor", ["http"]),
        None => {}
    }
    executor.no_other_keys();
}

impl StaticResponse {
    fn read(table: Table) -> Option<StaticResponse> {
        // An interim status would leave the client waiting for the answer.
        let status = table
            .get("status_code")
            .map(|status| status.number(200..=599));
        let headers = table.each("headers", |name, value| {
            let value = value.text()?;
            if !is_header_name(&name) {
                name.fault(format!("`{}` is no name of a header", &*name), None);
            }
            if value.chars().any(|c| c.is_control() && c != '\t') {
                value.fault("a header cannot contain control characters", None);
            }
            Some((name.to_string(), value.to_string()))
        });
        let body = table.string("body");
        table.no_other_keys();
        Some(StaticResponse {
            status: u16::try_from(status.unwrap_or(Some(200))?).ok()?,
            headers,
            body,
        })
    }
}

fn is_header_name(name: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(token)
}

fn read_redis(
    reading: &Reading,
    definition: &TriggerDefinition,
    default_address: Option<&Template>,
) -> Option<RedisTrigger> {
    let table = &definition.table;
    let component = match &definition.component {
        Some(choice) => choice.id(reading),
        None => {
            table.fault(format!("{} needs `component`", table.name), None);
            None
        }
    };
    let channel = table
        .require_text("channel")
        .and_then(|channel| reading.template(&channel));
    let address = table
        .text("address")
        .map(|address| reading.template(&address));
    Some(RedisTrigger {
        id: definition.id.clone(),
        component: component?,
        channel: channel?,
        address: match address {
            Some(address) => Some(address?),
            None => default_address.cloned(),
        },
    })
}

impl ComponentChoice<'_> {
    fn id(&self, reading: &Reading) -> Option<String> {
        match self {
            ComponentChoice::Named(id) => reading.component(id),
            ComponentChoice::Inline(id) => Some(id.clone()),
        }
    }
}
