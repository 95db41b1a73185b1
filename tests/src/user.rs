//! A user of the platform: signs up as its clients do and sends requests with their token.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::account::{self, PASSWORD, Person};
use crate::answer::Answer;
use crate::request::Request;
use crate::stack::Stack;
use crate::times::measure;
use crate::wait::since_1970;

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

    /// A driver who registered as its clients do.
    pub fn registered(stack: &Stack) -> Self {
        let (login, email) = names("driver");
        let token = read_token(&register(stack, &login, &email, "driver"));
        Self::of(stack, login, email, token)
    }

    /// The admin whom the platform makes itself. A sign-in serves all tests of a stack while it is recent: some requests
    /// want one within ten minutes, and a whole run on a slow machine takes longer.
    pub fn admin(stack: &Stack) -> Self {
        let mut admin = stack.admin.lock().expect("the admin");
        match &*admin {
            Some((since, user)) if since.elapsed() < Duration::from_mins(5) => user.clone(),
            _ => {
                let user = measure("sign-in", || Self::sign_in_admin(stack));
                *admin = Some((Instant::now(), user.clone()));
                user
            }
        }
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
        let (login, email) = names(role);
        let token = measure("sign-up", || match stack.has_own_keys() {
            true => account::create(
                stack,
                &Person {
                    login: &login,
                    email: &email,
                    name: None,
                    surname: None,
                    role,
                },
            ),
            // The keys are those that the test chose.
            false => read_token(&register(stack, &login, &email, role)),
        });
        Self::of(stack, login, email, token)
    }

    fn of(stack: &Stack, login: String, email: String, token: String) -> Self {
        Self {
            at: stack.address(),
            login,
            email,
            password: PASSWORD.to_owned(),
            token,
        }
    }

    /// A user who may found zones and run them.
    pub fn zone_admin(stack: &Stack) -> Self {
        Self::appointed(stack, "zone_admin")
    }

    /// A user who may be made a controller of a zone.
    pub fn controller(stack: &Stack) -> Self {
        Self::appointed(stack, "controller")
    }

    fn appointed(stack: &Stack, role: &str) -> Self {
        let (login, email) = names(role);
        let person = Person {
            login: &login,
            email: &email,
            name: Some("Ana"),
            surname: Some("Souza"),
            role,
        };
        let token = measure("sign-up", || account::create(stack, &person));
        Self::of(stack, login, email, token)
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
        Request::new(self.at, method, path)
            .described()
            .api_key(&self.token)
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

fn names(role: &str) -> (String, String) {
    let login = unique(role);
    let email = format!("{login}@example.org");
    (login, email)
}

fn register(stack: &Stack, login: &str, email: &str, role: &str) -> Answer {
    let body = json!({ "login": login, "email": email, "password": PASSWORD, "role": role });
    stack.post("/register").json(&body).send().expect(200)
}

fn read_token(answer: &Answer) -> String {
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// A word that was not used before, on this stack or any other.
pub fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{:x}_{number}", since_1970().as_micros())
}
