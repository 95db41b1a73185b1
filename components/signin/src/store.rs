//! The SQL of accounts, sessions and proofs, one function per statement.
//!
//! What is done on behalf of a caller names their session first; the statement itself refuses a session that is
//! over.

pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod factors;
pub mod issuers;
pub mod letters;
pub mod passcodes;
pub mod sessions;

use kit::params;
use kit::store::{Column, Db, DbValue, FromRow, Param, ParameterValue};
use uuid::Uuid;

use crate::account::Account;
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::session::Start;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("signin_database_url").await?)
}

/// The parameters of a statement that a caller asks for: `$1` to `$3` are session, address and request id.
fn acting(actor: &Actor, others: Vec<ParameterValue>) -> Vec<ParameterValue> {
    let Actor { caller, client } = actor;
    let mut params = params![caller.session, &client.address, client.request_id.as_str()];
    params.extend(others);
    params
}

/// The parameters of a statement that opens a session: `$1` to `$10` are session, kind, seconds, refresh token,
/// address, agent, request id, proofs, when they were given, and the network.
fn opening(
    start: Option<&Start>,
    client: &Client,
    others: Vec<ParameterValue>,
) -> Vec<ParameterValue> {
    let mut params = params![
        start.map(|it| it.session),
        start.map(|it| it.kind),
        start.map(|it| it.seconds),
        start.and_then(|it| it.refresh),
        &client.address,
        client.agent.as_deref(),
        client.request_id.as_str(),
        start.map(|it| it.proof.amr.clone()),
        start.map(|it| it.proof.authenticated_at.as_millisecond()),
        client.network(),
    ];
    params.extend(others);
    params
}

/// Ids as `text[]`: arrays of uuid do not cross Spin's interface to PostgreSQL.
struct Ids(Vec<Uuid>);

impl Column for Ids {
    fn column(value: &DbValue) -> Option<Self> {
        let texts = Vec::<String>::column(value)?;
        let ids: Result<_, _> = texts.iter().map(|it| it.parse()).collect();
        ids.ok().map(Self)
    }
}

impl Param for Ids {
    fn param(self) -> ParameterValue {
        let texts: Vec<String> = self.0.iter().map(Uuid::to_string).collect();
        texts.param()
    }
}

/// An account after a change, with the sessions that the change ended.
#[derive(FromRow)]
struct Changed {
    #[row(flatten)]
    account: Account,
    ended: Ids,
}

impl From<Changed> for (Account, Vec<Uuid>) {
    fn from(changed: Changed) -> Self {
        (changed.account, changed.ended.0)
    }
}
