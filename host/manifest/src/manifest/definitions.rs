//! Which triggers and components there are, before any is read: the ids everything else refers to.
//!
//! Triggers without an id and components written inside a trigger get the ids Spin gives them.

use std::collections::BTreeSet;

use crate::document::{Table, Text, Value};
use crate::names;

pub(super) struct Definitions<'a> {
    pub triggers: Vec<TriggerDefinition<'a>>,
    pub components: Vec<ComponentDefinition<'a>>,
}

pub(super) struct TriggerDefinition<'a> {
    /// `http`, `redis`, or what no host of ours knows.
    pub kind: Text<'a>,
    pub id: String,
    pub table: Table<'a>,
    pub component: Option<ComponentChoice<'a>>,
    /// Of the `components` map, which means something to other triggers than ours.
    pub others: Vec<ComponentChoice<'a>>,
}

pub(super) struct ComponentDefinition<'a> {
    pub id: String,
    pub name: String,
    pub value: Value<'a>,
}

/// What a trigger says it starts.
pub(super) enum ComponentChoice<'a> {
    Named(Text<'a>),
    /// Written where it is used; known by this id.
    Inline(String),
}

impl<'a> Definitions<'a> {
    pub fn collect(root: &Table<'a>) -> Definitions<'a> {
        let mut components = root.each("component", |id, value| {
            if let Err(why) = names::kebab(&id) {
                id.fault(format!("`{}` is no id of a component: {why}", &*id), None);
            }
            Some(ComponentDefinition {
                name: format!("[component.{}]", &*id),
                id: id.to_string(),
                value,
            })
        });
        let mut written = written_triggers(root);
        give_ids(&mut written);
        let triggers = written
            .into_iter()
            .map(|trigger| trigger.define(&mut components));
        Definitions {
            triggers: triggers.collect(),
            components,
        }
    }

    pub fn ids(&self) -> BTreeSet<String> {
        self.components
            .iter()
            .map(|component| component.id.clone())
            .collect()
    }
}

/// A trigger as it stands in the file.
struct WrittenTrigger<'a> {
    kind: Text<'a>,
    id: Option<String>,
    table: Table<'a>,
    component: Option<Value<'a>>,
    others: Vec<Value<'a>>,
}

fn written_triggers<'a>(root: &Table<'a>) -> Vec<WrittenTrigger<'a>> {
    let kinds = root.each("trigger", |kind, list| {
        let triggers = list.list()?.into_iter();
        let triggers = triggers.filter_map(|value| WrittenTrigger::read(&kind, &value));
        Some(triggers.collect::<Vec<_>>())
    });
    kinds.into_iter().flatten().collect()
}

impl<'a> WrittenTrigger<'a> {
    fn read(kind: &Text<'a>, value: &Value<'a>) -> Option<WrittenTrigger<'a>> {
        let table = value.table(format!("[[trigger.{}]]", &**kind))?;
        let others = table.each("components", |_, value| match value.is_list() {
            true => value.list(),
            false => Some(vec![value]),
        });
        Some(WrittenTrigger {
            kind: kind.clone(),
            id: table.text("id").map(|id| id.to_string()),
            component: table.get("component"),
            others: others.into_iter().flatten().collect(),
            table,
        })
    }

    fn define(self, components: &mut Vec<ComponentDefinition<'a>>) -> TriggerDefinition<'a> {
        let id = self.id.unwrap_or_default();
        let alone = usize::from(self.component.is_some()) + self.others.len() == 1;
        let mut choose = |value: Value<'a>| {
            if value.is_text() {
                return value.text().map(ComponentChoice::Named);
            }
            let inline = inline_id(&id, alone, components);
            components.push(ComponentDefinition {
                id: inline.clone(),
                name: format!("the component inside [[trigger.{}]]", &*self.kind),
                value,
            });
            Some(ComponentChoice::Inline(inline))
        };
        TriggerDefinition {
            component: self.component.and_then(&mut choose),
            others: self.others.into_iter().filter_map(choose).collect(),
            kind: self.kind,
            table: self.table,
            id,
        }
    }
}

/// Spin's ids for triggers without one: `<component>-<kind>-trigger`, or `<kind>-trigger<n>` when that is taken.
fn give_ids(triggers: &mut [WrittenTrigger]) {
    let mut taken = BTreeSet::new();
    for trigger in triggers.iter() {
        if let Some(id) = &trigger.id
            && !taken.insert(id.clone())
        {
            trigger
                .table
                .fault(format!("another trigger has the id `{id}` too"), None);
        }
    }
    for trigger in triggers.iter_mut().filter(|trigger| trigger.id.is_none()) {
        let kind = &*trigger.kind;
        let component = trigger
            .component
            .as_ref()
            .filter(|component| component.is_text());
        let natural = component
            .and_then(Value::text)
            .map(|id| format!("{}-{kind}-trigger", &*id));
        let mut candidates = natural
            .into_iter()
            .chain((1..).map(|n| format!("{kind}-trigger{n}")));
        trigger.id = candidates.find(|id| taken.insert(id.clone()));
    }
}

/// Spin's ids for components inside a trigger: `<trigger>-component`, or `inline-component<n>` when that is no id, is
/// taken or would be ambiguous.
fn inline_id(trigger: &str, alone: bool, components: &[ComponentDefinition]) -> String {
    let free = |id: &String| components.iter().all(|component| component.id != *id);
    let natural =
        Some(format!("{trigger}-component")).filter(|id| alone && names::kebab(id).is_ok());
    let mut candidates = natural
        .into_iter()
        .chain((1..).map(|n| format!("inline-component{n}")));
    // The numbers do not end, so there always is one.
    candidates.find(free).unwrap_or_default()
}
