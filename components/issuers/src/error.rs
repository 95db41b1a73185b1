//! Every refusal of this component.

use kit::store::DbError;
use kit::web::outbound::Failed;
use kit::{Refusals, Unset};

#[derive(Debug, Refusals)]
pub enum Error {
    /// One answer for every token that no configured issuer vouches for.
    #[refusal(401, "invalid-token", "No configured issuer vouches for the token")]
    BadToken,
    #[refusal(transparent)]
    Db(DbError),
    #[refusal(transparent)]
    Setting(Unset),
    #[refusal(unavailable, detail = "{0}", from)]
    Outbound(Failed),
    #[refusal(internal, detail = "unreadable JSON: {0}", from)]
    Json(serde_json::Error),
}
