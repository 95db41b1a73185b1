//! Reads `allowed_outbound_hosts` and the deprecated `allowed_http_hosts`.

use crate::document::{Table, Text};
use crate::egress::Grant;
use crate::faults;
use crate::template::Template;

use super::context::Context;

pub(super) fn read(context: &Context, table: &Table) -> Vec<Template> {
    let entries = table.texts("allowed_outbound_hosts");
    let mut hosts: Vec<Template> = entries
        .iter()
        .filter_map(|entry| read_entry(context, entry))
        .collect();
    hosts.extend(read_http_hosts(table));
    hosts
}

/// Whether the entry is a template without a value: an optional endpoint that was not configured. It grants nothing.
pub(crate) fn is_unset(entry: &Template, resolved: &str) -> bool {
    !entry.is_literal() && matches!(resolved, "" | "http://" | "https://")
}

fn read_entry(context: &Context, entry: &Text) -> Option<Template> {
    let template = context.template(entry)?;
    let default = |name: &str| {
        context
            .variables
            .get(name)
            .and_then(|variable| variable.default.as_deref())
            .ok_or(())
    };
    // If a variable has no default, the entry is checked when the values are known.
    let Ok(resolved) = template.resolve(default) else {
        return Some(template);
    };
    if is_unset(&template, &resolved) {
        return Some(template);
    }
    match Grant::parse(&resolved) {
        Ok(grant) => warn_of_unknown_component(context, entry, &grant),
        Err(why) if template.is_literal() => entry.fault(why, None),
        Err(why) => entry.fault(
            format!("with the default values this is {resolved:?}: {why}"),
            None,
        ),
    }
    Some(template)
}

fn warn_of_unknown_component(context: &Context, entry: &Text, grant: &Grant) {
    if let Some(id) = grant
        .chained_component()
        .filter(|id| !context.component_ids.contains(*id))
    {
        let hint = faults::suggest(id, context.component_ids.iter().map(String::as_str));
        entry.warn(format!("there is no component `{id}` to call"), hint);
    }
}

/// Translates `allowed_http_hosts`, whose entries have no scheme and grant both HTTP and HTTPS.
fn read_http_hosts(table: &Table) -> Vec<Template> {
    let Some(value) = table.get("allowed_http_hosts") else {
        return Vec::new();
    };
    let entries = value.texts();
    let translated: Vec<String> = match entries.iter().any(|entry| &**entry == "insecure:allow-all")
    {
        true => ["http://*:*", "https://*:*", "http://self"]
            .map(str::to_owned)
            .into(),
        false => entries.iter().flat_map(translate).collect(),
    };
    if !translated.is_empty() {
        value.warn(
            "`allowed_http_hosts` is deprecated",
            Some(format!("write allowed_outbound_hosts = {translated:?}")),
        );
    }
    translated
        .iter()
        .filter_map(|entry| Template::parse(entry).ok())
        .collect()
}

fn translate(entry: &Text) -> Vec<String> {
    let host = match entry.split_once("://") {
        Some(("http" | "https", host)) => host,
        Some(_) => {
            entry.fault(
                format!("{} isn't a valid host or host:port string", &**entry),
                None,
            );
            return Vec::new();
        }
        None => &**entry,
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    if host == "self" {
        return vec!["http://self".to_owned()];
    }
    let grants = ["http", "https"].map(|scheme| format!("{scheme}://{host}"));
    if let Some(why) = grants.iter().find_map(|grant| Grant::parse(grant).err()) {
        entry.fault(why, None);
    }
    grants.into()
}
