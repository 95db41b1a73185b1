//! A user of the platform: signs up as its clients do and sends requests with their token.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::answer::Answer;
use crate::request::Request;
use crate::stack::Stack;
use crate::times::measure;

#[derive(Clone)]
pub struct User {
    at: SocketAddr,
    pub login: String,
    pub email: String,
    pub password: String,
    pub token: String,
}

impl User {
    pub fn driver(stack: &Stack) -> Self {
        Self::sign_up(stack, "driver")
    }

    pub fn owner(stack: &Stack) -> Self {
        Self::sign_up(stack, "owner")
    }

    /// The admin whom the platform makes itself, signed in once per stack.
    pub fn admin(stack: &Stack) -> Self {
        stack
            .admin
            .get_or_init(|| measure("sign-in", || Self::sign_in_admin(stack)))
            .clone()
    }

    /// Another admin than the first.
    pub fn second_admin(stack: &Stack) -> Self {
        let user = Self::driver(stack);
        let id = user.get("/auth/me").send().expect(200).json()["id"].clone();
        let roles = format!("/auth/users/{}/roles", id.as_str().expect("an id"));
        let promoted = json!({ "roles": ["admin"] });
        Self::admin(stack)
            .put(&roles)
            .json(&promoted)
            .send()
            .expect(200);
        let body = json!({ "login": user.login, "password": user.password });
        let answer = stack.post("/login").json(&body).send();
        let token = read_token(&answer.expect(200));
        Self { token, ..user }
    }

    fn sign_in_admin(stack: &Stack) -> Self {
        let (login, password) = ("admin", stack.admin_password.as_str());
        let answer = stack
            .post("/login")
            .json(&json!({ "login": login, "password": password }))
            .send();
        Self {
            at: stack.address(),
            login: login.to_owned(),
            email: "admin@wharf.test".to_owned(),
            password: password.to_owned(),
            token: read_token(&answer.expect(200)),
        }
    }

    fn sign_up(stack: &Stack, role: &str) -> Self {
        let login = unique(role);
        let email = format!("{login}@example.org");
        let password = "Correct-Horse-1".to_owned();
        let body = json!({ "login": login, "email": email, "password": password, "role": role });
        let answer = measure("sign-up", || stack.post("/register").json(&body).send());
        Self {
            at: stack.address(),
            login,
            email,
            password,
            token: read_token(&answer.expect(200)),
        }
    }

    /// A user who may found zones and run them.
    pub fn zone_admin(stack: &Stack) -> Self {
        Self::appointed(stack, "admin")
    }

    /// A user who may be made a controller of a zone.
    pub fn controller(stack: &Stack) -> Self {
        Self::appointed(stack, "controller")
    }

    /// Registered by the admin, in the words of the clients of zones.
    fn appointed(stack: &Stack, role: &str) -> Self {
        let login = unique(role);
        let email = format!("{login}@example.org");
        let password = "Correct-Horse-1".to_owned();
        let body = json!({
            "name": "Ana", "surname": "Souza", "username": login, "email": email, "password": password, "role": role,
        });
        let admin = Self::admin(stack);
        let answer = measure("sign-up", || {
            admin.post("/api/v1/register").json(&body).send()
        });
        let token = answer.expect(201).json()["access_token"].clone();
        Self {
            at: stack.address(),
            login,
            email,
            password,
            token: token.as_str().expect("a token").to_owned(),
        }
    }

    /// The same user, signed in anew: with the roles that they have now.
    pub fn signed_in_again(&self) -> Self {
        let body = json!({ "login": self.login, "password": self.password });
        let answer = Request::new(self.at, "POST", "/login").json(&body).send();
        Self {
            token: read_token(&answer.expect(200)),
            ..self.clone()
        }
    }

    /// A request in their name.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.at, method, path).api_key(&self.token)
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    pub fn patch(&self, path: &str) -> Request {
        self.request("PATCH", path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }
}

fn read_token(answer: &Answer) -> String {
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// A word that was not used before, on this stack or any other.
pub fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static MADE: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{:x}_{number}", since.as_micros())
}
