//! Every refusal of this function.

use kit::Refusals;
use kit::store::DbError;

#[derive(Debug, Refusals)]
pub enum Error {
    #[refusal(404, "unknown-greeting", "There is no such greeting")]
    UnknownGreeting,
    #[refusal(
        422,
        "invalid-name",
        "The name does not fit",
        detail = "a name has 1 to 100 characters"
    )]
    InvalidName,
    #[refusal(transparent)]
    Db(DbError),
}
