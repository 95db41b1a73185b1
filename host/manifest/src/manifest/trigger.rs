//! `[[trigger.http]]` and `[[trigger.redis]]`: the routes and channels of components.

use crate::document::{Table, Text, Value};
use crate::faults;
use crate::routes::{Pattern, RESERVED_PREFIX, Router};
use crate::template::Template;

use super::context::Context;
use super::definitions::{ComponentChoice, TriggerDefinition};

/// A route and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTrigger {
    pub id: String,
    /// `None` for a private route: only other components reach it, as `http://<component>.spin.internal`.
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
    /// From the trigger, else from `[application.trigger.redis]`. `None` means the host's Redis.
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

pub(super) fn read_all(
    context: &Context,
    application: Option<&Table>,
    definitions: &[TriggerDefinition],
) -> Triggers {
    let address = application.and_then(|application| read_defaults(context, application));
    let mut triggers = Triggers::default();
    let mut routes = Router::default();
    for definition in definitions {
        match &*definition.kind {
            "http" => triggers
                .http
                .extend(read_http(context, definition, &mut routes)),
            "redis" => triggers
                .redis
                .extend(read_redis(context, definition, address.as_ref())),
            kind => {
                refuse_kind(definition, kind);
                continue;
            }
        }
        for component in &definition.unused_components {
            component.id(context);
        }
        if !definition.unused_components.is_empty() {
            definition.table.warn(
                format!(
                    "`components` has no effect on {} triggers",
                    &*definition.kind
                ),
                None,
            );
        }
        definition.table.refuse(
            "dependencies",
            "middleware is not supported: a trigger cannot have dependencies",
        );
        definition.table.refuse_unknown_keys();
    }
    triggers
}

fn refuse_kind(definition: &TriggerDefinition, kind: &str) {
    let hint = match (kind, faults::closest(kind, KINDS)) {
        (_, Some(meant)) => format!("did you mean `{meant}`?"),
        ("cron", None) => {
            "use [[application.tool.wharf.cron]] and a [[trigger.redis]] with its channel"
                .to_owned()
        }
        (_, None) => "the supported triggers are http and redis".to_owned(),
    };
    definition
        .kind
        .fault(format!("the trigger `{kind}` is not supported"), Some(hint));
}

/// Reads `[application.trigger.<kind>]`; returns the default address of Redis.
fn read_defaults(context: &Context, application: &Table) -> Option<Template> {
    let defaults = application.table("trigger", "[application.trigger]")?;
    if let Some(http) = defaults.table("http", "[application.trigger.http]") {
        if let Some(base) = http.text("base").filter(|base| &**base != "/") {
            base.fault(
                "a base path for all routes is not supported",
                Some("write the full path in each route".to_owned()),
            );
        }
        http.refuse_unknown_keys();
    }
    let redis = defaults.table("redis", "[application.trigger.redis]");
    let address = redis.and_then(|redis| {
        let address = redis
            .require_text("address")
            .and_then(|address| context.template(&address));
        redis.refuse_unknown_keys();
        address
    });
    defaults.refuse_unknown_keys();
    address
}

fn read_http<'a>(
    context: &Context,
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
        (Some(choice), None) => choice.id(context).map(HttpAnswer::Component),
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

/// `None` if the route is invalid, `Some(None)` if it is private.
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
        private.refuse_unknown_keys();
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
            format!(
                "the host answers paths under {RESERVED_PREFIX} itself: this trigger never runs"
            ),
            None,
        );
    }
    if let Some(unused) = routes.insert(pattern.clone(), text) {
        unused.warn(
            "this route is never used: another trigger has the same route",
            None,
        );
    }
    Some(Some(pattern))
}

fn check_executor(executor: Table) {
    match executor.require_text("type") {
        Some(kind) if matches!(&*kind, "http" | "spin") => {}
        Some(kind) if &*kind == "wagi" => {
            // Returns early: the settings of Wagi are not reported as unknown keys.
            kind.fault(
                "Wagi modules are not supported",
                Some("build a component that exports wasi:http".to_owned()),
            );
            return;
        }
        Some(kind) => kind.fault_unknown("there is no executor", ["http"]),
        None => {}
    }
    executor.refuse_unknown_keys();
}

impl StaticResponse {
    fn read(table: Table) -> Option<StaticResponse> {
        // A 1xx status is not a final answer: the client would keep waiting.
        let status = table
            .get("status_code")
            .map(|status| status.number(200..=599));
        let headers = table.read_each("headers", |name, value| {
            let value = value.text()?;
            if !is_header_name(&name) {
                name.fault(format!("invalid header name `{}`", &*name), None);
            }
            if value.chars().any(|c| c.is_control() && c != '\t') {
                value.fault("a header value cannot contain control characters", None);
            }
            Some((name.to_string(), value.to_string()))
        });
        let body = table.string("body");
        table.refuse_unknown_keys();
        Some(StaticResponse {
            status: u16::try_from(status.unwrap_or(Some(200))?).ok()?,
            headers,
            body,
        })
    }
}

fn is_header_name(name: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_token)
}

fn read_redis(
    context: &Context,
    definition: &TriggerDefinition,
    default_address: Option<&Template>,
) -> Option<RedisTrigger> {
    let table = &definition.table;
    let component = match &definition.component {
        Some(choice) => choice.id(context),
        None => {
            table.fault(format!("{} needs `component`", table.name), None);
            None
        }
    };
    let channel = table
        .require_text("channel")
        .and_then(|channel| context.template(&channel));
    let address = table
        .text("address")
        .map(|address| context.template(&address));
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
    fn id(&self, context: &Context) -> Option<String> {
        match self {
            ComponentChoice::Named(id) => context.component(id),
            ComponentChoice::Inline(id) => Some(id.clone()),
        }
    }
}
