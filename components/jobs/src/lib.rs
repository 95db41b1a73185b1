//! Jobs: the background work. It passes events on to the functions that they concern, runs the sweeps of
//! functions that hear no tick themselves, and shows admins the outbox.
//!
//! Read in this order: [`triggers`] is what a message or the tick sets in motion, [`message`] the forms
//! of messages, [`consumers`] the rules of who gets which event, [`sweep`] the sweeps and their periods,
//! [`routes`] and [`queue`] the view of the outbox, [`calls`] what is asked of other functions, [`store`]
//! the SQL, [`error`] every refusal. Events are claimed and settled by `kit::store::relay`.
//!
//! Invariants:
//! - an event in the outbox is carried out at least once or becomes a dead letter that admins see; none
//!   is dropped;
//! - jobs makes no request to the outside world: it calls other functions over WIT, and people and their
//!   programs are told by `notify`.

kit::bindings!(
    "wharf:jobs/jobs",
    [
        "../../wit/payments.wit",
        "../../wit/signin.wit",
        "../../wit/jobs.wit"
    ]
);

mod calls;
mod consumers;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod message;
mod queue;
pub mod routes;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
pub mod triggers;
