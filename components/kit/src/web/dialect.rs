//! The members that clients of the five replaced systems read in a refusal,
//! beside the RFC 9457 ones.
//!
//! A route table names its dialect once; handlers do not know it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::problem::Problem;

/// Whose clients a route serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// Parking zones, tickets and fines under `/api/v1`: `error`.
    Zones,
    /// Accounts and payments (`/auth/signup`, `/payments/deposit` …): `error`.
    Accounts,
    /// Fast food (`/token`, `/customers`, `/orders` …): `msg` and `status code`.
    FastFood,
    /// OAuth's token endpoint, which fast-food clients ask too: `error` and `error_description` (RFC 6749), `msg` and
    /// `status code`.
    OAuth,
    /// Modpacks under `/api/method/`: nothing but `{"error": {"code", "message"}}`.
    Rpc,
    /// Parking places (`/login`, `/parking`, `/booking`, `/payment` …):
    /// `error_message` and `error_status_code`.
    Parking,
    /// `/auth/me`, which clients of both accounts and parking places ask: the members of both.
    AccountsAndParking,
    /// Routes of our own: RFC 9457 and nothing else.
    #[default]
    Plain,
}

impl Dialect {
    /// Marks a refusal with its dialect. A refusal that an inner table has marked keeps that mark.
    pub(super) fn mark(self, mut response: Response) -> Response {
        let extensions = response.extensions_mut();
        if extensions.get::<Problem>().is_some() {
            extensions.get_or_insert(self);
        }
        response
    }
}

#[cfg(not(target_family = "wasm"))]
impl Dialect {
    pub(crate) const ALL: [Self; 8] = [
        Self::Plain,
        Self::Zones,
        Self::Accounts,
        Self::FastFood,
        Self::OAuth,
        Self::Rpc,
        Self::Parking,
        Self::AccountsAndParking,
    ];

    /// The replaced system whose clients it serves.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Zones => Some("parking zones"),
            Self::Accounts => Some("accounts"),
            Self::FastFood | Self::OAuth => Some("fast-food"),
            Self::Rpc => Some("modpacks"),
            Self::Parking => Some("parking places"),
            Self::AccountsAndParking => Some("accounts and parking places"),
            Self::Plain => None,
        }
    }

    /// The name of its refusals' schema in the API description.
    pub(crate) const fn problem_schema(self) -> &'static str {
        match self {
            Self::Plain => "Problem",
            // Both keep the text in `error`.
            Self::Zones | Self::Accounts => "ProblemWithError",
            Self::FastFood => "ProblemOfFastFood",
            Self::OAuth => "ProblemOfOauth",
            Self::Rpc => "ProblemOfMethods",
            Self::Parking => "ProblemOfParking",
            Self::AccountsAndParking => "ProblemOfAccountsAndParking",
        }
    }

    /// The members beside those of RFC 9457, with the JSON type of each.
    pub(crate) const fn legacy_members(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Plain | Self::Rpc => &[],
            Self::Zones | Self::Accounts => &[("error", "string")],
            Self::FastFood => &[("msg", "string"), ("status code", "integer")],
            Self::OAuth => &[
                ("error", "string"),
                ("error_description", "string"),
                ("msg", "string"),
                ("status code", "integer"),
            ],
            Self::Parking => &[
                ("error_message", "string"),
                ("error_status_code", "integer"),
            ],
            Self::AccountsAndParking => &[
                ("error", "string"),
                ("error_message", "string"),
                ("error_status_code", "integer"),
            ],
        }
    }
}

const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

impl Dialect {
    /// The media type of a refusal.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Rpc | Self::OAuth => JSON,
            _ => PROBLEM,
        }
    }

    /// The status this dialect sends: its frameworks knew 400 where ours says 422, and launchers
    /// know nothing above 499.
    pub(crate) fn status(self, problem: &Problem) -> StatusCode {
        match self {
            Self::Rpc if problem.retry_after_s.is_some() => StatusCode::TOO_MANY_REQUESTS,
            Self::Rpc if problem.status.is_server_error() => StatusCode::BAD_REQUEST,
            Self::OAuth if matches!(problem.status.as_u16(), 401 | 409 | 422) => {
                StatusCode::BAD_REQUEST
            }
            Self::Zones | Self::Accounts | Self::Rpc
                if problem.status == StatusCode::UNPROCESSABLE_ENTITY
                    && problem.code == "invalid-body" =>
            {
                StatusCode::BAD_REQUEST
            }
            _ => problem.status,
        }
    }

    pub(crate) fn body(self, problem: &Problem, request_id: &str) -> Value {
        let status = self.status(problem).as_u16();
        let text = problem.detail.as_deref().unwrap_or(problem.title);
        if self == Self::Rpc {
            let code = problem.number.unwrap_or_else(|| rpc_number(problem));
            return json!({ "error": { "code": code, "message": text } });
        }
        let mut body = Map::new();
        body.insert("type".into(), format!("/problems/{}", problem.code).into());
        body.insert("title".into(), problem.title.into());
        body.insert("status".into(), status.into());
        if let Some(detail) = &problem.detail {
            body.insert("detail".into(), detail.as_ref().into());
        }
        body.insert("code".into(), problem.code.into());
        body.insert("request_id".into(), request_id.into());
        if let Some(link) = &problem.link {
            body.insert("link".into(), link.as_str().into());
        }
        if !problem.errors.is_empty() {
            body.insert("errors".into(), json!(problem.errors));
        }
        match self {
            Self::Zones | Self::Accounts => {
                body.insert("error".into(), text.into());
            }
            Self::FastFood => {
                body.insert("msg".into(), text.into());
                body.insert("status code".into(), status.into());
            }
            Self::OAuth => {
                body.insert("error".into(), oauth_error(problem).into());
                body.insert("error_description".into(), text.into());
                body.insert("msg".into(), text.into());
                body.insert("status code".into(), status.into());
            }
            Self::Parking => {
                body.insert("error_message".into(), text.into());
                body.insert("error_status_code".into(), status.into());
            }
            Self::AccountsAndParking => {
                body.insert("error".into(), text.into());
                body.insert("error_message".into(), text.into());
                body.insert("error_status_code".into(), status.into());
            }
            Self::Plain | Self::Rpc => {}
        }
        Value::Object(body)
    }
}

/// The error words of RFC 6749: those of the token endpoint (5.2), and where it lacks one those of the authorization
/// endpoint (4.1.2.1).
fn oauth_error(problem: &Problem) -> &'static str {
    match problem.code {
        "invalid-grant" => "invalid_grant",
        "unsupported-grant-type" => "unsupported_grant_type",
        _ if problem.retry_after_s.is_some() => "temporarily_unavailable",
        _ if problem.status.is_server_error() => "server_error",
        _ => "invalid_request",
    }
}

/// The RPC number of a problem that did not choose one itself.
fn rpc_number(problem: &Problem) -> u16 {
    match problem.status.as_u16() {
        401 => 10,
        403 | 429 => 20,
        404 if problem.code == NO_ROUTE => 40,
        405 => 41,
        400..500 => 31,
        _ => 50,
    }
}

/// The code of the refusal of a path that no route serves.
pub(crate) const NO_ROUTE: &str = "no-such-route";

#[cfg(test)]
mod tests {
    use super::*;

    const TAKEN: Problem = Problem::new(StatusCode::CONFLICT, "login-taken", "The login is taken");

    #[test]
    fn every_dialect_keeps_the_members_its_clients_read() {
        assert_eq!(
            Dialect::Zones.body(&TAKEN, "r")["error"],
            "The login is taken"
        );
        assert_eq!(Dialect::FastFood.body(&TAKEN, "r")["status code"], 409);
        assert_eq!(Dialect::Parking.body(&TAKEN, "r")["error_status_code"], 409);
        assert_eq!(
            Dialect::Rpc.body(&TAKEN.number(101), "r"),
            json!({ "error": { "code": 101, "message": "The login is taken" } })
        );
    }

    #[test]
    fn the_token_endpoint_speaks_the_words_of_oauth() {
        let told = |problem: Problem| {
            let body = Dialect::OAuth.body(&problem, "r");
            let status = Dialect::OAuth.status(&problem).as_u16();
            (status, body["error"].clone(), body["status code"].clone())
        };
        let grant = Problem::of_status(400, "invalid-grant", "No");
        assert_eq!(told(grant), (400, json!("invalid_grant"), json!(400)));
        let body = Problem::of_status(422, "invalid-body", "No");
        assert_eq!(told(body), (400, json!("invalid_request"), json!(400)));
        let limit = Problem::of_status(429, "too-many-tries", "No").retry_after_s(7);
        assert_eq!(
            told(limit),
            (429, json!("temporarily_unavailable"), json!(429))
        );
    }

    #[test]
    fn a_launcher_is_told_by_number_and_never_above_499() {
        let told = |status: u16, code| {
            let problem = Problem::new(StatusCode::from_u16(status).unwrap(), code, "No");
            let number = Dialect::Rpc.body(&problem, "r")["error"]["code"].clone();
            (Dialect::Rpc.status(&problem).as_u16(), number)
        };
        assert_eq!(told(404, NO_ROUTE), (404, json!(40)));
        assert_eq!(told(404, "unknown-user"), (404, json!(31)));
        assert_eq!(told(409, "login-taken"), (409, json!(31)));
        assert_eq!(told(500, "internal"), (400, json!(50)));
        let unavailable = Problem::unavailable(&std::io::Error::other("away"));
        assert_eq!(Dialect::Rpc.status(&unavailable).as_u16(), 429);
        assert_eq!(Dialect::Rpc.body(&unavailable, "r")["error"]["code"], 50);
    }

    #[test]
    fn a_problem_may_say_where_to_pay() {
        let problem = TAKEN.payment_link("https://pay.test/7");
        let body = Dialect::Zones.body(&problem, "r");
        assert_eq!(body["link"], "https://pay.test/7");
        assert!(Dialect::Zones.body(&TAKEN, "r").get("link").is_none());
    }

    #[test]
    fn a_problem_carries_the_request_id() {
        insta::assert_json_snapshot!(Dialect::Plain.body(&TAKEN, "r-1"), @r#"
        {
          "code": "login-taken",
          "request_id": "r-1",
          "status": 409,
          "title": "The login is taken",
          "type": "/problems/login-taken"
        }
        "#);
    }
}
