//! Every refusal of this component.

use kit::Refusals;
use kit::store::DbError;

use crate::message::Ignored;

#[derive(Debug, Refusals)]
#[refusals(done("requeued", "discarded"))]
pub enum Error {
    #[refusal(404, "unknown-event", "No such event", outcome = "unknown_event")]
    UnknownEvent,
    #[refusal(
        409,
        "event-not-dead",
        "Only a dead letter can be discarded",
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
    #[refusal(404, "unknown-lane", "No such lane is in use")]
    UnknownLane,
    #[refusal(404, "not-paused", "It is not paused")]
    NotPaused,
    #[refusal(
        422,
        "invalid-body",
        "The body does not fit",
        detail = "the payload does not fit the kind: {0}",
        field = "/payload"
    )]
    Misfit(Ignored),
    #[refusal(unavailable, detail = "a message was ignored: {0}", from)]
    Ignored(Ignored),
    #[refusal(transparent)]
    Db(DbError),
}
