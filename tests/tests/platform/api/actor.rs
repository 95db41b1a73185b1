//! Those in whose name the walk asks.

use serde_json::json;
use wharf_tests::{Request, Stack, User, unique};

/// What machines show each other on the walk's stack.
pub const TICK_TOKEN: &str = "walk-tick";
pub const PSP_TOKEN: &str = "walk-psp";
pub const TELEGRAM_SECRET: &str = "walk-telegram";

pub struct Actor {
    pub name: &'static str,
    token: Option<String>,
}

impl Actor {
    /// Every kind of caller, the last one the admin.
    pub fn all(stack: &Stack) -> Vec<Self> {
        vec![
            Self {
                name: "nobody",
                token: None,
            },
            Self::signed_in("a driver", User::driver(stack).token),
            Self::signed_in("an owner", User::owner(stack).token),
            Self::signed_in("a customer", customer(stack)),
            Self::signed_in("an admin", admin(stack)),
        ]
    }

    /// Callers that may be lost.
    pub fn few(stack: &Stack) -> Vec<Self> {
        vec![
            Self {
                name: "nobody",
                token: None,
            },
            Self::signed_in("a driver", User::driver(stack).token),
            Self::signed_in("an admin", admin(stack)),
        ]
    }

    fn signed_in(name: &'static str, token: String) -> Self {
        Self {
            name,
            token: Some(token),
        }
    }

    /// One who shows the secret that operations of that function want.
    pub fn machine(component: &str) -> Self {
        let token = match component {
            "sandbox-psp" => PSP_TOKEN,
            _ => TICK_TOKEN,
        };
        Self {
            name: "a machine",
            token: Some(token.to_owned()),
        }
    }

    pub fn request(&self, stack: &Stack, method: &str, path: &str) -> Request {
        let request = stack.request(method, path);
        match &self.token {
            Some(token) => request.bearer(token),
            None => request,
        }
    }
}

/// Registered as in a fast-food shop: by a till that is signed in itself.
fn customer(stack: &Stack) -> String {
    let email = format!("{}@example.org", unique("customer"));
    let password = "Correct-Horse-1";
    let body = json!({ "email": email, "password": password });
    let kiosk = User::driver(stack);
    let register = kiosk.post("/customers/register").json(&body);
    register.send().expect(200);
    let form = format!("username={email}&password={password}");
    let answer = stack.post("/token").form(&form).send().expect(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

/// A sign-in of its own: it may be ended on the way.
fn admin(stack: &Stack) -> String {
    let User {
        login, password, ..
    } = User::admin(stack);
    let body = json!({ "login": login, "password": password });
    let answer = stack.post("/login").json(&body).send().expect(200).json();
    answer["token"].as_str().unwrap().to_owned()
}
