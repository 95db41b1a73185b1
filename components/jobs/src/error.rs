//! Every refusal of this component.

use kit::Refusals;
use kit::store::DbError;

use crate::message::Ignored;

#[derive(Debug, Refusals)]
#[refusals(done("requeued", "discarded"))]
pub enum Error {
    #[refusal(404, "unknown-event", "No such event")]
    UnknownEvent,
    #[refusal(
        409,
        "event-not-dead",
        "Only a dead event can be discarded",
        outcome = "not_dead"
    )]
    NotDead,
    #[refusal(
        409,
        "event-not-waiting",
        "The event is being carried out, or already was",
        outcome = "not_waiting"
    )]
    NotWaiting,
    #[refusal(404, "kind-not-paused", "The kind is not paused")]
    NotPaused,
    #[refusal(unavailable, detail = "a message was ignored: {0}", from)]
    Ignored(Ignored),
    #[refusal(unavailable, detail = "{0} does not answer")]
    Unavailable(&'static str),
    #[refusal(transparent)]
    Db(DbError),
}
