//! Finds all triggers and components with their ids. References are checked against these ids later.
//!
//! Triggers without an id, and components defined inside a trigger, get the same ids as in Spin.

use std::collections::BTreeSet;

use crate::document::{Table, Text, Value};
use crate::names;

pub(super) struct Definitions<'a> {
    pub triggers: Vec<TriggerDefinition<'a>>,
    pub components: Vec<ComponentDefinition<'a>>,
}

pub(super) struct TriggerDefinition<'a> {
    /// `http`, `redis`, or an unknown kind.
    pub kind: Text<'a>,
    pub id: String,
    pub table: Table<'a>,
    pub component: Option<ComponentChoice<'a>>,
    /// From the `components` map, which has no effect on HTTP and Redis triggers.
    pub unused_components: Vec<ComponentChoice<'a>>,
}

pub(super) struct ComponentDefinition<'a> {
    pub id: String,
    pub name: String,
    pub value: Value<'a>,
}

/// The component of a trigger.
pub(super) enum ComponentChoice<'a> {
    Named(Text<'a>),
    /// Defined inside the trigger; registered under this id.
    Inline(String),
}

impl<'a> Definitions<'a> {
    pub fn collect(root: &Table<'a>) -> Definitions<'a> {
        let mut components = root.read_each("component", |id, value| {
            if let Err(why) = names::check_kebab(&id) {
                id.fault(format!("invalid component id `{}`: {why}", &*id), None);
            }
            Some(ComponentDefinition {
                name: format!("[component.{}]", &*id),
                id: id.to_string(),
                value,
            })
        });
        let mut written = read_triggers(root);
        assign_ids(&mut written);
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

/// A trigger as it is written in the file.
struct WrittenTrigger<'a> {
    kind: Text<'a>,
    id: Option<String>,
    table: Table<'a>,
    component: Option<Value<'a>>,
    unused_components: Vec<Value<'a>>,
}

fn read_triggers<'a>(root: &Table<'a>) -> Vec<WrittenTrigger<'a>> {
    let kinds = root.read_each("trigger", |kind, list| {
        let triggers = list.list()?.into_iter();
        let triggers = triggers.filter_map(|value| WrittenTrigger::read(&kind, &value));
        Some(triggers.collect::<Vec<_>>())
    });
    kinds.into_iter().flatten().collect()
}

impl<'a> WrittenTrigger<'a> {
    fn read(kind: &Text<'a>, value: &Value<'a>) -> Option<WrittenTrigger<'a>> {
        let table = value.table(format!("[[trigger.{}]]", &**kind))?;
        let unused_components = table.read_each("components", |_, value| match value.is_list() {
            true => value.list(),
            false => Some(vec![value]),
        });
        Some(WrittenTrigger {
            kind: kind.clone(),
            id: table.text("id").map(|id| id.to_string()),
            component: table.get("component"),
            unused_components: unused_components.into_iter().flatten().collect(),
            table,
        })
    }

    fn define(self, components: &mut Vec<ComponentDefinition<'a>>) -> TriggerDefinition<'a> {
        let id = self.id.unwrap_or_default();
        let is_only_one = usize::from(self.component.is_some()) + self.unused_components.len() == 1;
        let mut choose = |value: Value<'a>| {
            if value.is_text() {
                return value.text().map(ComponentChoice::Named);
            }
            let inline = choose_inline_id(&id, is_only_one, components);
            components.push(ComponentDefinition {
                id: inline.clone(),
                name: format!("the component inside [[trigger.{}]]", &*self.kind),
                value,
            });
            Some(ComponentChoice::Inline(inline))
        };
        TriggerDefinition {
            component: self.component.and_then(&mut choose),
            unused_components: self
                .unused_components
                .into_iter()
                .filter_map(choose)
                .collect(),
            kind: self.kind,
            table: self.table,
            id,
        }
    }
}

/// Assigns Spin's ids to triggers without one: `<component>-<kind>-trigger`, or `<kind>-trigger<n>` if that is taken.
fn assign_ids(triggers: &mut [WrittenTrigger]) {
    let mut taken = BTreeSet::new();
    for trigger in triggers.iter() {
        if let Some(id) = &trigger.id
            && !taken.insert(id.clone())
        {
            trigger
                .table
                .fault(format!("another trigger has the same id `{id}`"), None);
        }
    }
    for trigger in triggers.iter_mut().filter(|trigger| trigger.id.is_none()) {
        let kind = &*trigger.kind;
        let component = trigger
            .component
            .as_ref()
            .filter(|component| component.is_text());
        let preferred = component
            .and_then(Value::text)
            .map(|id| format!("{}-{kind}-trigger", &*id));
        let mut candidates = preferred
            .into_iter()
            .chain((1..).map(|n| format!("{kind}-trigger{n}")));
        trigger.id = candidates.find(|id| taken.insert(id.clone()));
    }
}

/// Spin's id for a component inside a trigger: `<trigger>-component`, or `inline-component<n>` if that is not a valid id,
/// is taken, or is ambiguous because the trigger has several components.
fn choose_inline_id(
    trigger: &str,
    is_only_one: bool,
    components: &[ComponentDefinition],
) -> String {
    let is_free = |id: &String| components.iter().all(|component| component.id != *id);
    let preferred = Some(format!("{trigger}-component"))
        .filter(|id| is_only_one && names::check_kebab(id).is_ok());
    let mut candidates = preferred
        .into_iter()
        .chain((1..).map(|n| format!("inline-component{n}")));
    // The candidates are endless, so one is always free.
    candidates.find(is_free).unwrap_or_default()
}
