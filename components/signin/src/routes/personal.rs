//! Personal access tokens, for programs that act for somebody, and tokens of
//! other issuers: both are exchanged for a short one of ours.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use jiff::Timestamp;
use kit::{Dialect, Json, Problem, Spellings, is_scope, speaking};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Text;
use crate::client::{Client, Person};
use crate::error::{Error, invalid};
use crate::issue::{self, SignedIn};
use crate::routes::sessions::{Tokens, Uncached, uncached};
use crate::store::{self, NewPersonal};
use crate::{foreign, secret};

/// So that one that was left lying about is known for what it is.
const KIND: &str = "wharf_pat";

pub fn router() -> Router {
    let table = Router::new()
        .spelled(
            ["/auth/tokens", "/api/auth/tokens"],
            get(list_tokens).post(make_token),
        )
        .spelled(
            ["/auth/exchange", "/api/auth/exchange"],
            post(exchange_token),
        );
    speaking(Dialect::Plain, table)
}

#[derive(Deserialize)]
struct NewToken {
    name: Text,
    scope: String,
    days: Option<i64>,
}

#[derive(Serialize)]
struct Made {
    id: Uuid,
    /// Shown once; only its digest is kept.
    token: String,
    scope: String,
    expires_at: Timestamp,
}

async fn make_token(
    Person(caller): Person,
    client: Client,
    Json(asked): Json<NewToken>,
) -> Result<(StatusCode, Uncached<Made>), Problem> {
    if !is_scope(&asked.scope) {
        return Err(invalid(
            "scope",
            "words as `read`, `write` or `payments:read`",
        ));
    }
    let days = asked.days.unwrap_or(30);
    if !(1..=365).contains(&days) {
        return Err(invalid("days", "1 to 365"));
    }
    let (id, token) = (Uuid::new_v4(), secret::new(KIND));
    let new = NewPersonal {
        id,
        digest: secret::digest(&token),
        name: asked.name.as_str(),
        scope: &asked.scope,
        seconds: days * 86_400,
    };
    let db = store::open().await?;
    let expires_at = store::make_personal(&db, caller.session, new, &client).await?;
    let made = Made {
        id,
        token,
        scope: asked.scope,
        expires_at,
    };
    Ok((StatusCode::CREATED, uncached(made)))
}

#[derive(Serialize)]
struct Token {
    id: Uuid,
    name: Option<String>,
    scope: Option<String>,
    made_at: Timestamp,
    expires_at: Timestamp,
}

/// One of them ends as any session does.
async fn list_tokens(Person(caller): Person) -> Result<Json<Vec<Token>>, Problem> {
    let db = store::open().await?;
    let tokens = store::personal_tokens(&db, caller.session).await?;
    let shown = |it: store::Session| Token {
        id: it.id,
        name: it.name,
        scope: it.scope,
        made_at: it.started_at,
        expires_at: it.expires_at,
    };
    Ok(Json(tokens.into_iter().map(shown).collect()))
}

#[derive(Deserialize)]
struct Foreign {
    token: String,
}

/// Tokens of other issuers are taken here and as `subject_token` of `/token`, and nowhere else: no
/// other function could check one without asking its issuer.
async fn exchange_token(
    client: Client,
    Json(foreign): Json<Foreign>,
) -> Result<Uncached<Tokens>, Problem> {
    Ok(uncached(exchange(&foreign.token, &client).await?.into()))
}

/// A short token of ours for one that stands for somebody here.
pub async fn exchange(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let exchanged = match token.starts_with(KIND) {
        true => personal(token, client).await,
        false => foreign::enter(token, client).await,
    };
    if let Err(refused @ Error::BadForeignToken) = &exchanged {
        store::refused(&store::open().await?, None, refused, client).await?;
    }
    exchanged
}

async fn personal(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let found = store::find_personal(&db, secret::digest(token), client).await?;
    let found = found.ok_or(Error::BadForeignToken)?;
    let seconds = issue::short_seconds().await?.min(found.seconds_left);
    issue::access_token(found.account, found.session, seconds, Some(found.scope)).await
}
