//! The callers of the walk.

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User, unique};

/// The secrets of the walk's stack.
pub const TICK_TOKEN: &str = "walk-tick";
pub const PSP_TOKEN: &str = "walk-psp";
pub const TELEGRAM_SECRET: &str = "walk-telegram";

pub struct Actor {
    pub name: &'static str,
    pub login: String,
    token: Option<String>,
}

impl Actor {
    /// Every kind of caller. Signed-in ones have money.
    pub fn all(stack: &Stack) -> Vec<Self> {
        let actors = vec![
            Self::anonymous(),
            Self::user("a driver", User::driver(stack)),
            Self::user("an owner", User::owner(stack)),
            customer(stack),
            admin(stack),
        ];
        endow(stack, &actors);
        actors
    }

    /// Callers of an operation that ends sessions or accounts.
    pub fn few(stack: &Stack) -> Vec<Self> {
        let driver = Self::user("a driver", User::driver(stack));
        vec![Self::anonymous(), driver, admin(stack)]
    }

    fn anonymous() -> Self {
        Self {
            name: "an anonymous caller",
            login: String::new(),
            token: None,
        }
    }

    fn user(name: &'static str, user: User) -> Self {
        Self {
            name,
            login: user.login,
            token: Some(user.token),
        }
    }

    /// A caller with the secret that operations of that function want.
    pub fn machine(component: &str) -> Self {
        let token = match component {
            "sandbox-psp" => PSP_TOKEN,
            _ => TICK_TOKEN,
        };
        Self {
            name: "a machine",
            login: String::new(),
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

    /// What the platform answers this caller there.
    pub fn shown(&self, stack: &Stack, path: &str) -> Value {
        self.request(stack, "GET", path).send().expect(200).json()
    }
}

/// Registered as in a fast-food shop: by a till that is signed in itself.
fn customer(stack: &Stack) -> Actor {
    let email = format!("{}@example.org", unique("customer"));
    let password = "Correct-Horse-1";
    let body = json!({ "email": email, "password": password });
    let till = User::driver(stack);
    let registered = till.post("/customers/register").json(&body).send();
    registered.expect(200);
    let form = format!("username={email}&password={password}");
    let answer = stack.post("/token").form(&form).send().expect(200).json();
    Actor {
        name: "a customer",
        login: email,
        token: answer["access_token"].as_str().map(str::to_owned),
    }
}

/// Not the first admin: the walk may erase this one.
fn admin(stack: &Stack) -> Actor {
    let user = User::driver(stack);
    let id = user.get("/auth/me").send().expect(200).json()["id"].clone();
    let roles = format!("/auth/users/{}/roles", id.as_str().unwrap());
    let first = User::admin(stack);
    let promoted = first
        .put(&roles)
        .json(&json!({ "roles": ["admin"] }))
        .send();
    promoted.expect(200);
    let body = json!({ "login": user.login, "password": user.password });
    let answer = stack.post("/login").json(&body).send().expect(200).json();
    Actor {
        name: "an admin",
        login: user.login,
        token: answer["token"].as_str().map(str::to_owned),
    }
}

fn endow(stack: &Stack, actors: &[Actor]) {
    let code = unique("gift");
    let gift = json!({ "code": code, "amount": 1_000_000, "max_uses": actors.len() });
    let made = User::admin(stack)
        .post("/payment/promocode")
        .json(&gift)
        .send();
    made.expect(200);
    for it in actors.iter().filter(|it| it.token.is_some()) {
        let claimed = it
            .request(stack, "POST", "/payment/promocode/activate")
            .json(&json!({ "code": code }))
            .send();
        claimed.expect(200);
    }
}
