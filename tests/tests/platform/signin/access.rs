//! Every route with a token of every role: who may is let through, who may not is refused.
//!
//! The list is the component's own; that it names every route is tested there.

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User};

const LIST: &str = include_str!("../../../../components/signin/src/access.txt");

const ROLES: [&str; 8] = [
    "driver",
    "owner",
    "controller",
    "zone_admin",
    "customer",
    "moderator",
    "admin",
    "anonymous",
];

struct Line {
    method: &'static str,
    path: &'static str,
    /// Whether the request ends the account that is let through.
    ends: bool,
    who: Vec<&'static str>,
}

impl Line {
    fn all() -> Vec<Self> {
        let lines = LIST
            .lines()
            .filter(|it| !it.is_empty() && !it.starts_with('#'));
        lines
            .map(|line| {
                let mut words = line.split_whitespace();
                let (method, path) = (words.next().unwrap(), words.next().unwrap());
                let mut who: Vec<_> = words.collect();
                let ends = who[0] == "!";
                if ends {
                    who.remove(0);
                }
                Self {
                    method,
                    path,
                    ends,
                    who,
                }
            })
            .collect()
    }

    fn allows(&self, role: &str) -> bool {
        matches!(self.who[..], ["anybody"] | ["signed-in"]) || self.who.contains(&role)
    }

    /// Asks for something that does not exist, with a body that fits nothing. Methods by name read
    /// their arguments before anything else.
    fn ask(&self, stack: &Stack) -> Request {
        let id = "00000000-0000-4000-8000-000000000000";
        let path = self
            .path
            .replace("{id}", id)
            .replace("{username}", "nobody_at_all");
        let path = path.replace("{otp}", "no-otp");
        if path.starts_with("/api/method/") {
            let path = format!("{path}?v=1.0");
            return stack.request(self.method, &path).json(&json!({}));
        }
        stack.request(self.method, &path).json(&json!([]))
    }
}

/// A user with this role and no other.
fn with_role(stack: &Stack, admin: &User, role: &str) -> User {
    let mut user = User::driver(stack);
    let id = user.get("/auth/me").send().expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/auth/users/{id}/roles");
    let changed = admin
        .put(&path)
        .json(&json!({ "roles": [role] }))
        .send()
        .expect(200)
        .json();
    assert_eq!(changed["roles"], json!([role]));
    // A change of roles ends the session, so the user signs in again.
    user.get("/auth/me").send().problem(401);
    let body = json!({ "login": user.login, "password": user.password });
    let answer = stack.post("/login").json(&body).send().expect(200).json();
    user.token = answer["token"].as_str().unwrap().to_owned();
    user
}

#[test]
fn every_role_is_let_through_where_it_may_and_nowhere_else() {
    // A request in here deletes all users.
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let lines = Line::all();
    assert!(lines.len() > 90, "the list is read");
    for role in ROLES {
        let mut user = with_role(&stack, &admin, role);
        for line in &lines {
            if line.ends && line.allows(role) {
                continue;
            }
            let answer = line.ask(&stack).api_key(&user.token).send();
            let what = format!("{role}: {answer}");
            match (line.allows(role), answer.status()) {
                (true, status) => {
                    // A public route does not look at the token. It may answer 401 for a user that does not exist.
                    let is_public = line.who == ["anybody"];
                    assert!(is_public || !matches!(status, 401 | 403), "{what}");
                    assert!(status < 500, "{what}");
                }
                (false, status) => assert_eq!(status, 403, "{what}"),
            }
        }
        for line in lines.iter().filter(|it| it.ends && it.allows(role)) {
            if role == "admin" && line.path == "/api/v1/users" {
                continue;
            }
            let answer = line.ask(&stack).api_key(&user.token).send();
            assert!(answer.status() < 300, "{role}: {answer}");
            user.get("/auth/me").send().problem(401);
            user = with_role(&stack, &admin, role);
        }
    }
    let witness = User::registered(&stack);
    admin.delete("/api/v1/users").send().expect(204);
    witness.get("/auth/me").send().problem(401);
    admin.get("/auth/me").send().expect(200);
}

#[test]
fn without_a_token_only_the_public_answers() {
    let stack = Stack::shared();
    for line in Line::all() {
        let answer = line.ask(&stack).send();
        if line.who != ["anybody"] {
            assert_eq!(answer.status(), 401, "{answer}");
        } else {
            assert!(answer.status() < 500, "{answer}");
        }
    }
}

/// By every route that makes or changes a user.
#[test]
fn a_zone_admin_makes_no_platform_admin() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let zone_admin = with_role(&stack, &admin, "zone_admin");
    let registration = |name: &str, role: &str| -> Value {
        json!({ "name": "A", "surname": "B", "username": name, "email": format!("{name}@example.org"),
                "password": "Correct-Horse-1", "role": role })
    };
    let name = wharf_tests::unique("made");
    let by_zone_admin = |role: &str| {
        let body = registration(&name, role);
        stack
            .post("/api/v1/register")
            .bearer(&zone_admin.token)
            .json(&body)
            .send()
    };
    by_zone_admin("superuser").problem(403);
    let made = by_zone_admin("controller").expect(201).json();
    assert_eq!(made["user"]["role"], "controller");
    let path = format!("/api/v1/users/{name}");
    zone_admin
        .request("PATCH", &path)
        .json(&json!({ "role": "superuser" }))
        .send()
        .problem(403);
    let promoted = zone_admin
        .request("PATCH", &path)
        .json(&json!({ "role": "admin" }))
        .send();
    assert_eq!(
        promoted.expect(200).json()["role"],
        "admin",
        "which is a zone admin"
    );

    let me = zone_admin.get("/auth/me").send().expect(200).json();
    let own = format!("/api/v1/users/{}", zone_admin.login);
    zone_admin
        .request("PATCH", &own)
        .json(&json!({ "role": "superuser" }))
        .send();
    zone_admin
        .request("PATCH", "/api/v1/users/me")
        .json(&json!({ "role": "superuser" }))
        .send()
        .problem(403);
    let roles = format!("/auth/users/{}/roles", me["id"].as_str().unwrap());
    zone_admin
        .put(&roles)
        .json(&json!({ "roles": ["admin"] }))
        .send()
        .problem(403);
    let customer = json!({ "name": "C", "email": format!("{name}2@example.org"), "password": "Correct-Horse-1" });
    zone_admin
        .post("/customers/admin")
        .json(&customer)
        .send()
        .problem(403);
    let path = "/api/method/users.setRole?v=1.0&user_id=1&role=99";
    assert_eq!(
        zone_admin.get(path).send().expect(403).json()["error"]["code"],
        20
    );
    assert_eq!(
        zone_admin.get("/auth/me").send().expect(200).json()["roles"],
        json!(["zone_admin"])
    );

    // A zone admin does not see a stranger's account.
    let stranger = User::registered(&stack);
    let path = format!("/api/v1/users/{}", stranger.login);
    zone_admin.get(&path).send().problem(404);
    zone_admin.delete(&path).send().problem(404);
    stranger.get("/auth/me").send().expect(200);
}

#[test]
fn a_zone_admin_manages_staff_that_they_made_and_only_while_it_is_staff() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let zone_admin = with_role(&stack, &admin, "zone_admin");
    let name = wharf_tests::unique("risen");
    let body = json!({ "name": "A", "surname": "B", "username": name, "email": format!("{name}@example.org"),
                       "password": "Correct-Horse-1", "role": "controller" });
    let made = stack
        .post("/api/v1/register")
        .bearer(&zone_admin.token)
        .json(&body)
        .send()
        .expect(201)
        .json();
    let path = format!("/api/v1/users/{name}");
    let change = || {
        zone_admin
            .request("PATCH", &path)
            .json(&json!({ "password": "Another-Horse-2" }))
            .send()
    };
    change().expect(200);
    // The account that they made gets more rights than they have.
    let id = admin
        .get(&format!("/user?login={name}"))
        .send()
        .expect(200)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let roles = format!("/auth/users/{id}/roles");
    for roles_now in [
        json!(["controller", "admin"]),
        json!(["moderator"]),
        json!(["controller", "owner"]),
        json!(["customer"]),
    ] {
        let roles_now = json!({ "roles": roles_now });
        admin.put(&roles).json(&roles_now).send().expect(200);
        change().problem(404);
        zone_admin.get(&path).send().problem(404);
        zone_admin.delete(&path).send().problem(404);
    }
    assert_eq!(made["user"]["username"], name);

    // A customer whom the zone admin registered is a customer, and belongs to no staff.
    let email = format!("{name}.2@example.org");
    let customer = json!({ "name": "C", "email": email, "password": "Correct-Horse-1" });
    zone_admin
        .post("/customers/register")
        .json(&customer)
        .send()
        .expect(200);
    let path = format!("/api/v1/users/{email}");
    zone_admin.get(&path).send().problem(404);
    zone_admin.delete(&path).send().problem(404);
    // A former zone admin has no rights over their former staff.
    let staff = json!({ "roles": ["controller"] });
    admin.put(&roles).json(&staff).send().expect(200);
    let me = zone_admin.get("/auth/me").send().expect(200).json();
    let path = format!("/auth/users/{}/roles", me["id"].as_str().unwrap());
    let owner = json!({ "roles": ["owner"] });
    admin.put(&path).json(&owner).send().expect(200);
    let credentials = json!({ "login": zone_admin.login, "password": zone_admin.password });
    let again = stack.post("/login").json(&credentials).send().expect(200);
    stack
        .get(&format!("/api/v1/users/{name}"))
        .api_key(again.json()["token"].as_str().unwrap())
        .send()
        .problem(403);
}

#[test]
fn users_cannot_change_their_own_role() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let me = admin.get("/auth/me").send().expect(200).json();
    let path = format!("/auth/users/{}", me["id"].as_str().unwrap());
    admin
        .put(&format!("{path}/roles"))
        .json(&json!({ "roles": ["driver"] }))
        .send()
        .problem(403);
    admin.post(&format!("{path}/disable")).send().problem(403);
    admin.get("/auth/me").send().expect(200);
}
