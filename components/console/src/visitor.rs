//! Who looks at a page. Other functions are called with the token that the visitor's browser shows.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use kit::identity::{CROSS_ORIGIN, Role, Roles, cookie_tokens, is_same_origin};
use kit::web::outbound::Answer;
use kit::web::{Call, Input, Operation, Problem};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::lists::Listed;
use crate::page::PREFIX;
use crate::words::query;

/// A handler that takes a visitor is for people who are signed in: others are led to the sign-in, and back.
#[derive(Debug)]
pub struct Visitor {
    client: Client,
    pub me: Me,
}

/// A handler that takes anyone is for people who are not signed in, too.
#[derive(Debug)]
pub struct Anyone {
    client: Client,
    pub me: Option<Me>,
}

/// What signin tells a person of themselves.
#[derive(Debug, Deserialize)]
pub struct Me {
    pub user_id: Uuid,
    pub login: String,
    pub email: Option<String>,
    pub roles: Roles,
}

impl Me {
    pub fn is(&self, role: Role) -> bool {
        self.roles.has(role)
    }
}

/// The browser: for it other functions are called.
#[derive(Debug)]
pub struct Client {
    /// Those of the request.
    headers: HeaderMap,
    token: Option<String>,
}

impl Client {
    pub async fn get<T: DeserializeOwned>(&self, function: &str, path: &str) -> Result<T, Error> {
        read(&self.call(Method::GET, function, path).await?)
    }

    pub async fn list<T: DeserializeOwned>(
        &self,
        function: &str,
        path: &str,
    ) -> Result<Listed<T>, Error> {
        let answer = self.call(Method::GET, function, path).await?;
        Ok(Listed::new(read(&answer)?, &answer.headers))
    }

    /// Sends a body. Calls with the same `key` are carried out once; an empty one is none.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        function: &str,
        path: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let call = self.prepare(method, function, path).body(body);
        let call = if key.is_empty() { call } else { call.once(key) };
        read(&check(call.send().await?)?)
    }

    /// Sends a body whose answer is not read.
    pub async fn change(
        &self,
        method: Method,
        function: &str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(), Error> {
        self.change_once(method, function, path, "", body).await
    }

    /// The same; calls with the same `key` are carried out once.
    pub async fn change_once(
        &self,
        method: Method,
        function: &str,
        path: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Result<(), Error> {
        let IgnoredAny = self.send(method, function, path, key, body).await?;
        Ok(())
    }

    /// A call without a body whose answer is not read.
    pub async fn act(&self, method: Method, function: &str, path: &str) -> Result<(), Error> {
        self.call(method, function, path).await.map(drop)
    }

    /// A call without a body.
    pub async fn call(&self, method: Method, function: &str, path: &str) -> Result<Answer, Error> {
        check(self.prepare(method, function, path).send().await?)
    }

    fn prepare(&self, method: Method, function: &str, path: &str) -> Call {
        let call = Call::new(method, function, path).for_client(&self.headers);
        match &self.token {
            Some(token) => call.by(token),
            None => call,
        }
    }
}

impl Deref for Visitor {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Deref for Anyone {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

fn check(answer: Answer) -> Result<Answer, Error> {
    match answer.status.is_success() {
        true => Ok(answer),
        false => Err(Error::told(answer.status, &answer.body)),
    }
}

/// The JSON of an answer; one without a body reads as `null`.
fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    let body: &[u8] = match answer.body.is_empty() {
        true => b"null",
        false => &answer.body,
    };
    serde_json::from_slice(body).map_err(Error::Unreadable)
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let Anyone { client, me } = recognize(parts).await.map_err(Problem::into_response)?;
        match me {
            Some(me) => Ok(Self { client, me }),
            None => Err(to_sign_in(parts)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        recognize(parts).await
    }
}

impl Input for Visitor {
    fn describe(_: &mut Operation) {}
}

impl Input for Anyone {
    fn describe(_: &mut Operation) {}
}

/// Who sent a request. `me` is absent when there is no cookie, or when its session has ended.
async fn recognize(parts: &Parts) -> Result<Anyone, Problem> {
    let headers = parts.headers.clone();
    let is_unsafe = parts.method != Method::GET && parts.method != Method::HEAD;
    if is_unsafe && !is_same_origin(&headers) {
        return Err(CROSS_ORIGIN);
    }
    let token = token_of(&headers);
    let mut client = Client { headers, token };
    let me = match &client.token {
        Some(_) => find_me(&client).await?,
        None => None,
    };
    if me.is_none() {
        client.token = None;
    }
    Ok(Anyone { client, me })
}

/// A cookie of another site of our domain comes beside ours, or before it: as elsewhere, different tokens are none.
fn token_of(headers: &HeaderMap) -> Option<String> {
    let mut tokens = cookie_tokens(headers);
    let token = tokens.next()?;
    tokens.all(|it| it == token).then(|| token.to_owned())
}

async fn find_me(client: &Client) -> Result<Option<Me>, Error> {
    match client.get("signin", "/auth/me").await {
        Err(Error::Refused { status, .. }) if status == StatusCode::UNAUTHORIZED => Ok(None),
        answer => answer.map(Some),
    }
}

/// After the sign-in a page is shown that was asked for; what was sent is sent again by hand.
fn to_sign_in(parts: &Parts) -> Response {
    let asked = parts.uri.path_and_query().map(|it| it.as_str());
    let asked = asked.filter(|_| parts.method == Method::GET);
    let next = query([("next", asked.unwrap_or_default())]);
    Redirect::to(&format!("{PREFIX}/sign-in?{next}")).into_response()
}
