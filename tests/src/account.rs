//! Accounts for tests that are not about signing up. They are made by signin's own statement, with a token signed by the
//! platform's own key, because each registration would occupy a core to hash a password.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::Stack;
use crate::token::Token;
use crate::user::User;
use crate::wait::since_1970;

const CREATE: &str = include_str!("../../components/signin/src/sql/create_account.sql");

pub(crate) const PASSWORD: &str = "Correct-Horse-1";
/// The hash of `PASSWORD`, as signin stores it.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$Avv8263hWt2KqDYiTgmjOQ$gm3vbMc+CN1+Y1INb3j03KGbT5c3i1ttwI3+auYr3Ug";

const DAY_S: i64 = 86_400;
const HERE: &str = "127.0.0.1";

/// The person of a new account.
pub(crate) struct Person<'a> {
    pub login: &'a str,
    pub email: &'a str,
    pub name: Option<&'a str>,
    pub surname: Option<&'a str>,
    pub role: &'a str,
}

/// Creates the account, signed in; answers the token of its session.
pub(crate) fn create(stack: &Stack, person: &Person<'_>) -> String {
    let (id, session) = (Uuid::new_v4(), Uuid::new_v4());
    let now_ms = i64::try_from(since_1970().as_millis()).expect("before the year 200 million");
    let none: Option<&str> = None;
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = signin")
        .expect("the schema of signin");
    let made = sql.query(
        CREATE,
        &[
            &session,
            &"registration",
            &DAY_S,
            &None::<Uuid>,
            &HERE,
            &none,
            &"a test",
            &vec!["pwd"],
            &now_ms,
            &HERE,
            &id,
            &person.login,
            &person.email,
            &person.name,
            &person.surname,
            &none,
            &None::<i64>,
            &HASH,
            &vec![person.role],
            &None::<Uuid>,
            &none,
            &none,
            &false,
        ],
    );
    assert_eq!(made.expect("an account").len(), 1);
    // signin publishes this wake-up too: without it other functions hear of the account only at their next tick.
    let mut redis = stack.redis();
    let _: i64 = redis::cmd("PUBLISH")
        .arg("outbox")
        .arg("")
        .query(&mut redis)
        .expect("Redis");
    let now_s = now_ms / 1_000;
    let claims = json!({
        "sub": id,
        "username": person.login,
        "roles": [person.role],
        "sid": session,
        "jti": Uuid::new_v4(),
        "iat": now_s,
        "exp": now_s + DAY_S,
        "auth_time": now_s,
        "amr": ["pwd"],
    });
    sign(stack, &claims)
}

/// A token like the admin's with these claims in place of theirs.
fn sign(stack: &Stack, claims: &Value) -> String {
    let mut token = Token::of(&User::admin(stack).token);
    for (name, value) in claims.as_object().expect("claims") {
        token = token.with_claim(name, value.clone());
    }
    let key = SigningKey::from_pkcs8_pem(&stack.private_key()).expect("a key of Ed25519");
    token.signed_by(&key)
}
