//! Personal access tokens, for programs that act for a person, and the exchange of these and of other issuers'
//! tokens.

use jiff::Timestamp;
use kit::identity::{INVALID_TOKEN, is_scope};
use kit::web::{Created, Dialect, Json, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::error::Error;
use crate::exchange::{self, PERSONAL_TOKEN};
use crate::identity::{Proven, Unscoped};
use crate::name::Text;
use crate::routes::sessions::Tokens;
use crate::secret;
use crate::session::{NewPersonalToken, Session};
use crate::store::{self, sessions};

pub fn routes() -> Routes {
    Routes::new("Personal access tokens", Dialect::Plain)
        .get(["/auth/tokens", "/api/auth/tokens"], list_tokens, |it| {
            it.summary("List personal access tokens")
                .note("Their secrets are not stored. One is ended as a session: `DELETE /auth/sessions/{id}`.")
        })
        .post(["/auth/tokens", "/api/auth/tokens"], create_token, |it| {
            it.summary("Create a personal access token")
                .note("The token carries its maker's proofs: where admins need a second factor, an admin who did not show a code makes a token without admin rights. Functions do not accept it directly: exchange it at `POST /auth/exchange` for a short access token.")
                .refuses([Error::INVALID_FIELD])
        })
        .post(["/auth/exchange", "/api/auth/exchange"], exchange_token, |it| {
            it.summary("Exchange a token for an access token")
                .note("Takes a personal access token, or a token of an issuer that the operator configured.")
                .refuses([
                    INVALID_TOKEN,
                    Error::CODE_REQUIRED,
                    Error::WRONG_CODE,
                    Error::LAST_ADMIN,
                    Error::TOO_MANY_TRIES,
                ])
        })
        .no_store()
}

#[derive(Deserialize, Schema)]
struct NewToken {
    /// For the person, to tell tokens apart.
    name: Text,
    /// Words separated by spaces, as `read`, `write` or `payments:read`.
    #[schemars(example = &"payments:read")]
    scope: String,
    /// Days until it expires; 30 when absent.
    #[schemars(range(min = 1, max = 365), example = 30)]
    days: Option<i64>,
}

#[derive(Serialize, Schema)]
struct CreatedToken {
    /// Of its session.
    id: Uuid,
    /// Shown once; only its digest is stored.
    token: String,
    scope: String,
    expires_at: Timestamp,
}

async fn create_token(
    Proven(actor): Proven,
    Json(body): Json<NewToken>,
) -> Result<Created<CreatedToken>, Problem> {
    if !is_scope(&body.scope) {
        let rule = "words as `read`, `write` or `payments:read`";
        return Err(Error::invalid("scope", rule).into());
    }
    let days = body.days.unwrap_or(30);
    if !(1..=365).contains(&days) {
        return Err(Error::invalid("days", "1 to 365").into());
    }
    let (id, token) = (Uuid::new_v4(), secret::generate(PERSONAL_TOKEN));
    let new = NewPersonalToken {
        id,
        digest: secret::digest(&token),
        name: body.name.as_str(),
        scope: &body.scope,
        seconds: days * 86_400,
    };
    let db = store::open().await?;
    let expires_at = sessions::create_personal_token(&db, &actor, new).await?;
    let created = CreatedToken {
        id,
        token,
        scope: body.scope,
        expires_at,
    };
    // It is seen in the list; by its id it can only be ended.
    Ok(Created::at("/auth/tokens", created))
}

#[derive(Serialize, Schema)]
struct ListedToken {
    id: Uuid,
    name: Option<String>,
    scope: Option<String>,
    made_at: Timestamp,
    expires_at: Timestamp,
}

async fn list_tokens(Unscoped(actor): Unscoped) -> Result<Json<Vec<ListedToken>>, Problem> {
    let db = store::open().await?;
    let tokens = sessions::list_sessions(&db, actor.caller.session, true).await?;
    let listed = |it: Session| ListedToken {
        id: it.id,
        name: it.name,
        scope: it.scope,
        made_at: it.started_at,
        expires_at: it.expires_at,
    };
    Ok(Json(tokens.into_iter().map(listed).collect()))
}

#[derive(Deserialize, Schema)]
struct ExchangedToken {
    token: String,
    /// Of the second factor here, when another issuer's user has one.
    code: Option<String>,
}

async fn exchange_token(
    client: Client,
    Json(body): Json<ExchangedToken>,
) -> Result<Json<Tokens>, Problem> {
    let signed_in = exchange::exchange(&body.token, body.code.as_deref(), &client).await?;
    Ok(Json(signed_in.into()))
}
