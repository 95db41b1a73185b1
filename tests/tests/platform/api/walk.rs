//! A walk over every operation of the description: every kind of caller sends valid requests, requests on the edges of
//! the schemas and hostile ones, and every answer has to be described.
//!
//! `infra/test --seed 7 api::walk` chooses other requests; a failure shows the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};
use wharf_openapi::{Document, Operation};
use wharf_tests::described::{DOCUMENT, OPERATIONS, faults};
use wharf_tests::{Answer, Dice, Options, Outside, Reply, Stack, unique};

use super::actor::{Actor, PSP_TOKEN, TELEGRAM_SECRET, TICK_TOKEN};
use super::attempt::{Attempt, Making, changes};
use super::known::Known;
use super::spoiling::{SPOILING, is_spoiling};
use crate::bookings::at;

/// Changed requests to an operation, for each caller.
const CHANGES: usize = 10;

/// Few, because hashing a password occupies a core for a moment, by design.
const CHANGES_WITH_PASSWORD: usize = 1;

/// How many of ten operations have to succeed, because a walk with fewer tests too little. A whole run checks at its end
/// that each operation succeeded in some test.
const REACHED_TENTHS: usize = 6;

/// Many requests wait for the database, so more of them run at once than there are cores.
const THREADS: usize = 8;

pub struct Walk<'a> {
    document: &'a Document,
    pub stack: &'a Stack,
    operations: &'a [Operation<'a>],
    seed: u64,
    known: Known,
    faults: Mutex<BTreeMap<String, String>>,
    succeeded: Mutex<BTreeSet<&'a str>>,
    window: [String; 2],
}

#[test]
fn every_operation_answers_every_caller_as_described() {
    let seed = env::var("WALK_SEED").map_or(1, |it| it.parse().unwrap());
    let telegram = Outside::start(|_| Reply::json(200, &json!({ "ok": true, "result": true })));
    let stack = Options::default()
        .variable("tick_token", TICK_TOKEN)
        .variable("psp_token", PSP_TOKEN)
        .variable("telegram_webhook_secret", TELEGRAM_SECRET)
        .variable("telegram_url", &telegram.url())
        .start();
    let walk = Walk {
        document: &DOCUMENT,
        stack: &stack,
        operations: &OPERATIONS,
        seed,
        known: Known::default(),
        faults: Mutex::default(),
        succeeded: Mutex::default(),
        window: [at(&stack, 0), at(&stack, 60)],
    };
    let actors = Actor::all(&stack);
    let spoiling = SPOILING
        .iter()
        .flat_map(|(name, _)| OPERATIONS.iter().filter(move |it| it.name == *name));
    // Made before the walk: after its many wrong passwords sign-ins from this address are refused.
    let spoiling: Vec<_> = spoiling.map(|it| (it, Actor::few(&stack))).collect();
    walk.sign_up_example();
    walk.write_menu(&actors);
    walk.look(&actors, "POST");
    for phase in phases(&OPERATIONS) {
        walk.look(&actors, "GET");
        walk.all_at_once(&phase, &actors);
    }
    for (operation, actors) in &spoiling {
        walk.spoil(operation, actors);
    }
    walk.finish();
    assert_eq!(stack.redis_refusals(), Vec::<String>::new());
}

/// Operations that create come first and operations that delete last, so that there is something to ask for.
fn phases<'a>(operations: &'a [Operation<'a>]) -> Vec<Vec<&'a Operation<'a>>> {
    let mut phases = BTreeMap::<_, Vec<_>>::new();
    for it in operations {
        let is_about_one = it.path.contains('{');
        let phase = match it.method.as_str() {
            "POST" if !is_about_one => 0,
            "GET" if !is_about_one => 2,
            "GET" => 3,
            "DELETE" => 4,
            _ => 1,
        };
        if !is_spoiling(it) {
            phases.entry(phase).or_default().push(it);
        }
    }
    phases.into_values().collect()
}

impl<'a> Walk<'a> {
    /// The person of the examples, so that the examples are true.
    fn sign_up_example(&self) {
        let ana = json!({
            "login": "ana", "email": "ana@example.org", "password": "Correct-Horse-1", "role": "driver",
        });
        self.stack.post("/register").json(&ana).send().expect(200);
    }

    /// The product of the examples. Its category is the first one.
    fn write_menu(&self, actors: &[Actor]) {
        let admin = actors.iter().find(|it| it.name == "an admin").unwrap();
        let product = json!({ "name": "Fries", "price": 10.5, "category_id": 1 });
        for (path, body) in [
            ("/categories", json!({ "name": "Sides" })),
            ("/products", product),
        ] {
            let made = admin.request(self.stack, "POST", path).json(&body).send();
            assert_eq!(made.expect(200).json()["id"], 1);
        }
    }

    /// Calls operations that create or list, with every caller, to learn the names in their answers.
    fn look(&self, actors: &[Actor], method: &str) {
        let simple = self
            .operations
            .iter()
            .filter(|it| it.method == method && !it.path.contains('{') && !is_spoiling(it));
        let simple: Vec<_> = simple
            .filter(|it| !has_password(self.document, it))
            .collect();
        self.each(&simple, |operation| {
            let mut dice = self.dice(operation, "look");
            for actor in actors {
                let making = self.making(actor, true, &[]);
                let attempt = Attempt::valid(&making, operation, &mut dice);
                self.attempt(operation, &attempt, actor);
            }
        });
    }

    fn all_at_once(&self, operations: &[&'a Operation<'a>], actors: &[Actor]) {
        self.each(operations, |operation| {
            let machine = Actor::machine(operation.component);
            let machine = operation.security.contains(&"secret").then_some(&machine);
            let actors: Vec<_> = actors.iter().chain(machine).collect();
            self.ask(operation, &actors, &[]);
        });
    }

    fn each(&self, operations: &[&'a Operation<'a>], act: impl Fn(&'a Operation<'a>) + Sync) {
        let waiting = Mutex::new(operations.iter());
        let next = || waiting.lock().unwrap().next();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some(operation) = next() {
                        act(operation);
                    }
                });
            }
        });
    }

    /// The dice of one operation: the same seed gives the same requests, also when other operations run.
    fn dice(&self, operation: &Operation<'_>, purpose: &str) -> Dice {
        let mut hasher = DefaultHasher::new();
        (operation.id, purpose).hash(&mut hasher);
        Dice::new(self.seed ^ hasher.finish())
    }

    fn making<'b>(
        &'b self,
        actor: &'b Actor,
        is_own: bool,
        pinned: &'b [(&'static str, String)],
    ) -> Making<'b> {
        Making {
            document: self.document,
            known: &self.known,
            actor,
            is_own,
            pinned,
            window: &self.window,
        }
    }

    /// Valid requests of all callers come first, because wrong ones may use up the attempts of an address.
    pub fn ask(
        &self,
        operation: &'a Operation<'a>,
        actors: &[&Actor],
        pinned: &[(&'static str, String)],
    ) {
        let mut described = Vec::new();
        for actor in actors {
            let mut dice = self.dice(operation, actor.name);
            let own = Attempt::valid(&self.making(actor, true, pinned), operation, &mut dice);
            let (answer, _) = self.attempt(operation, &own, actor);
            let making = self.making(actor, false, pinned);
            let foreign = Attempt::valid(&making, operation, &mut dice);
            self.attempt(operation, &foreign, actor);
            if operation
                .parameters
                .iter()
                .any(|it| it.name == "Idempotency-Key")
            {
                self.repeat(operation, &own, actor);
            }
            described.push((*actor, own, answer, dice));
        }
        let changes = changes(self.document, operation);
        for (actor, own, answer, mut dice) in described {
            let wanted = if has_password(self.document, operation) {
                CHANGES_WITH_PASSWORD
            } else if operation.is_other_spelling || answer.is_some_and(|it| is_denied(&it)) {
                // Another spelling of the same handler, or a caller who is refused at once: fewer are enough.
                CHANGES / 4
            } else {
                CHANGES
            };
            let mut left: Vec<_> = changes.iter().collect();
            for _ in 0..wanted.min(left.len()) {
                let change = left.swap_remove(dice.index(left.len()));
                self.attempt(operation, &own.with(change), actor);
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
        for fault in faults(self.document, operation, &answer) {
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
            self.known
                .learn(self.operations, operation, actor.name, &body);
        }
        let Some(location) = answer.header("location").filter(|it| it.starts_with('/')) else {
            return;
        };
        self.known.learn_link(self.operations, actor.name, location);
        if operation.method == "POST" && answer.status() < 300 {
            let shown = actor.request(self.stack, "GET", location);
            // A new account is shown to its owner, whose token is in the answer.
            let token = serde_json::from_str::<Value>(&answer.text()).ok();
            let token = token.and_then(|it| it["access_token"].as_str().map(str::to_owned));
            let shown = match token {
                Some(token) => shown.bearer(&token).send(),
                None => shown.send(),
            };
            if shown.status() != 200 {
                let fault = format!("{location} is not shown to its creator");
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
        let (succeeded, all) = (self.succeeded.into_inner().unwrap(), self.operations);
        assert!(
            succeeded.len() * 10 >= all.len() * REACHED_TENTHS,
            "of {} operations {} succeeded",
            all.len(),
            succeeded.len()
        );
        let faults = self.faults.into_inner().unwrap();
        let lines = faults
            .iter()
            .map(|(fault, example)| format!("{fault}\n{example}"));
        let lines: Vec<_> = lines.collect();
        assert!(
            lines.is_empty(),
            "with --seed {}, {} faults:\n{}",
            self.seed,
            lines.len(),
            lines.join("\n")
        );
    }
}

fn is_denied(answer: &Answer) -> bool {
    [401, 403].contains(&answer.status())
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
