//! A walk over every operation of the description: every kind of caller asks as described, on the edges, and
//! as nobody should, and every answer is one that is described.
//!
//! `WHARF_SEED` chooses what is asked; the seed is shown when something is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::thread;

use serde_json::Value;
use wharf_openapi::{Document, Operation};
use wharf_tests::{Answer, Dice, Options, Stack, repository, unique};

use super::actor::{Actor, PSP_TOKEN, TELEGRAM_SECRET, TICK_TOKEN};
use super::attempt::Attempt;
use super::judge;
use super::known::Known;

/// Operations that would spoil the walk for others, each with its reason. They come last, in this order, and
/// their callers are made for them.
const SPOILING: [(&str, &str); 15] = [
    (
        "signin_update_user",
        "changes names and passwords of users that the walk signs in",
    ),
    (
        "signin_update_caller",
        "a new password ends the caller's sessions",
    ),
    ("signin_change_password", "ends the caller's sessions"),
    ("signin_reset_password", "ends the caller's sessions"),
    ("signin_sign_out", "ends the caller's session"),
    ("signin_end_session", "may end the caller's session"),
    ("signin_end_all_sessions", "ends the caller's sessions"),
    ("signin_set_role", "takes rights from callers"),
    ("signin_set_roles", "takes rights from callers"),
    (
        "signin_revoke_second_factor",
        "ends the sessions of its user",
    ),
    ("signin_disable", "locks callers out"),
    (
        "signin_enable",
        "has something to do once users are disabled",
    ),
    ("signin_erase_caller", "the caller is gone"),
    ("signin_erase_user", "callers are gone"),
    ("signin_erase_all_users", "everyone is gone"),
];

/// What is sent to an operation beside the request that is as described, for each caller.
const VARIATIONS: usize = 12;

/// A password's hash takes a core for a moment, by design.
const VARIATIONS_WITH_PASSWORD: usize = 2;

/// Many requests wait for the database, so more of them run at once than there are cores.
const THREADS: usize = 8;

struct Walk<'a> {
    document: &'a Document,
    stack: &'a Stack,
    operations: &'a [Operation<'a>],
    seed: u64,
    known: Known,
    faults: Mutex<BTreeMap<String, String>>,
    succeeded: Mutex<BTreeSet<&'a str>>,
}

#[test]
fn every_operation_answers_as_it_is_described_whoever_asks_whatever() {
    let seed = env::var("WHARF_SEED").map_or(1, |it| it.parse().unwrap());
    let text = fs::read_to_string(repository().join("docs/openapi.json")).unwrap();
    let document = Document::parse(&text).unwrap();
    let operations = document.operations().unwrap();
    let stack = Options::default()
        .variable("tick_token", TICK_TOKEN)
        .variable("psp_token", PSP_TOKEN)
        .variable("telegram_webhook_secret", TELEGRAM_SECRET)
        // Nothing listens there: no request of the walk leaves this machine.
        .variable("telegram_url", "http://127.0.0.1:9")
        .start();
    let walk = Walk {
        document: &document,
        stack: &stack,
        operations: &operations,
        seed,
        known: Known::default(),
        faults: Mutex::default(),
        succeeded: Mutex::default(),
    };
    let actors = Actor::all(&stack);
    let spoiling = SPOILING
        .iter()
        .flat_map(|(name, _)| operations.iter().filter(move |it| it.name == *name));
    // Made now: after so many wrong passwords no more sign-ins are taken from this address.
    let spoiling: Vec<_> = spoiling.map(|it| (it, Actor::few(&stack))).collect();
    for phase in phases(&operations) {
        walk.all_at_once(&phase, &actors);
    }
    for (operation, actors) in &spoiling {
        walk.ask(operation, actors);
    }
    walk.finish();
}

/// What creates comes first and what deletes last, so that there is something to ask for.
fn phases<'a>(operations: &'a [Operation<'a>]) -> Vec<Vec<&'a Operation<'a>>> {
    let mut phases = BTreeMap::<_, Vec<_>>::new();
    for it in operations {
        let is_spoiling = SPOILING.iter().any(|(name, _)| it.name == *name);
        let is_about_one = it.path.contains('{');
        let phase = match it.method.as_str() {
            "POST" if !is_about_one => 0,
            "GET" if !is_about_one => 1,
            "GET" => 2,
            "DELETE" => 4,
            _ => 3,
        };
        if !is_spoiling {
            phases.entry(phase).or_default().push(it);
        }
    }
    phases.into_values().collect()
}

impl<'a> Walk<'a> {
    fn all_at_once(&self, operations: &[&'a Operation<'a>], actors: &[Actor]) {
        let waiting = Mutex::new(operations.iter());
        let next = || waiting.lock().unwrap().next();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some(operation) = next() {
                        self.ask(operation, actors);
                    }
                });
            }
        });
    }

    /// The same seed asks the same of an operation, whatever is asked of others meanwhile.
    fn ask(&self, operation: &'a Operation<'a>, actors: &[Actor]) {
        let mut hasher = DefaultHasher::new();
        operation.id.hash(&mut hasher);
        let mut dice = Dice::new(self.seed ^ hasher.finish());
        let machine = Actor::machine(operation.component);
        let machine = operation.security.contains(&"secret").then_some(&machine);
        for actor in actors.iter().chain(machine) {
            let valid = Attempt::valid(self.document, operation, &self.known, &mut dice);
            let (answer, _) = self.attempt(operation, &valid, actor);
            if operation
                .parameters
                .iter()
                .any(|it| it.name == "Idempotency-Key")
            {
                self.repeat(operation, &valid, actor);
            }
            let mut variations = valid.variations(self.document, operation);
            let wanted = if has_password(self.document, operation) {
                VARIATIONS_WITH_PASSWORD
            } else if answer.is_some_and(|it| [401, 403].contains(&it.status())) {
                // Refused before anything is looked at.
                VARIATIONS / 4
            } else {
                VARIATIONS
            };
            for _ in 0..wanted.min(variations.len()) {
                let attempt = variations.swap_remove(dice.index(variations.len()));
                self.attempt(operation, &attempt, actor);
            }
        }
    }

    /// Sends it and judges the answer; says whether it succeeded.
    fn attempt(
        &self,
        operation: &'a Operation<'a>,
        attempt: &Attempt,
        actor: &Actor,
    ) -> (Option<Answer>, bool) {
        let answer = match attempt.request(self.stack, actor).try_send() {
            Ok(answer) => answer,
            Err(error) => {
                self.blame(operation, actor, attempt, &format!("{error:?}"), "");
                return (None, false);
            }
        };
        for fault in judge::faults(self.document, operation, &answer) {
            self.blame(operation, actor, attempt, &fault, &answer.to_string());
        }
        let has_succeeded = answer.status() < 400;
        if has_succeeded {
            self.succeeded.lock().unwrap().insert(operation.id);
            self.learn(operation, attempt, actor, &answer);
        }
        (Some(answer), has_succeeded)
    }

    /// Remembers what there is now, and looks at what was created.
    fn learn(
        &self,
        operation: &'a Operation<'a>,
        attempt: &Attempt,
        actor: &Actor,
        answer: &Answer,
    ) {
        if let Ok(body) = serde_json::from_str::<Value>(&answer.text()) {
            self.known.learn_list(self.operations, operation, &body);
        }
        let Some(location) = answer.header("location").filter(|it| it.starts_with('/')) else {
            return;
        };
        self.known.learn_location(self.operations, location);
        if operation.method == "POST" && answer.status() < 300 {
            let shown = actor.request(self.stack, "GET", location).send();
            if shown.status() != 200 {
                let fault = format!("{location} is not shown to who created it");
                self.blame(operation, actor, attempt, &fault, &shown.to_string());
            }
        }
    }

    /// The same key twice is one request.
    fn repeat(&self, operation: &'a Operation<'a>, valid: &Attempt, actor: &Actor) {
        let mut attempt = valid.clone();
        attempt.what = "with a key".to_owned();
        attempt.set_header("Idempotency-Key", &unique("walk"));
        let (Some(first), true) = self.attempt(operation, &attempt, actor) else {
            return;
        };
        let (Some(second), _) = self.attempt(operation, &attempt, actor) else {
            return;
        };
        let is_replay = second.header("idempotent-replayed") == Some("true");
        if !is_replay || second.text() != first.text() || second.status() != first.status() {
            let fault = "the key was carried out twice";
            self.blame(operation, actor, &attempt, fault, &second.to_string());
        }
    }

    /// One example a fault is enough.
    fn blame(
        &self,
        operation: &Operation<'_>,
        actor: &Actor,
        attempt: &Attempt,
        fault: &str,
        answer: &str,
    ) {
        let fault = format!(
            "{} ({} {}): {fault}",
            operation.id, operation.method, operation.path
        );
        let example = format!(
            "  as {}, {attempt}\n  {}",
            actor.name,
            answer.replace('\n', "\n  ")
        );
        let mut faults = self.faults.lock().unwrap();
        faults.entry(fault).or_insert(example);
    }

    fn finish(self) {
        let succeeded = self.succeeded.into_inner().unwrap();
        let never: Vec<_> = self
            .operations
            .iter()
            .filter(|it| !it.is_other_spelling && !succeeded.contains(it.id))
            .map(|it| it.id)
            .collect();
        let faults = self.faults.into_inner().unwrap();
        let lines: Vec<_> = faults
            .iter()
            .map(|(it, example)| format!("{it}\n{example}"))
            .collect();
        assert!(
            lines.is_empty(),
            "with WHARF_SEED={}, {} faults:\n{}",
            self.seed,
            lines.len(),
            lines.join("\n")
        );
        println!("never succeeded: {never:?}");
    }
}

fn has_password(document: &Document, operation: &Operation<'_>) -> bool {
    let body = operation
        .body
        .as_ref()
        .map(|it| document.resolved(it.schema).unwrap());
    body.is_some_and(|it| it.to_string().contains("assword"))
        || operation
            .parameters
            .iter()
            .any(|it| it.name.contains("assword"))
}
