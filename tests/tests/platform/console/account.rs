//! One's own account: profile, e-mail, password, second factor, sessions, notices, and its end.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use serde_json::json;
use totp_rs::Totp;
use wharf_tests::{Browser, Page, Stack, Token, User, now_s, unique};

const PROOF: &str = "/console/account/proof";

/// The last proof of the user's sessions is older than what is hard to undo wants.
fn age_proofs(stack: &Stack, user: &User) {
    let age = "UPDATE signin.session SET authenticated_at = now() - interval '11 minutes'
        WHERE account = (SELECT id FROM signin.account WHERE login = $1)";
    let aged = stack.sql().execute(age, &[&user.login]).unwrap();
    assert!(aged > 0);
}

#[track_caller]
fn is_refused(page: &Page, text: &str) {
    assert_eq!(page.answer.status(), 422, "{}", page.text());
    assert!(page.says(text), "{}", page.text());
}

#[test]
fn a_person_changes_their_profile_and_e_mail() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let taken = User::driver(&stack).login;
    let mut browser = Browser::of(&stack, &user);
    let home = browser.open("/console");
    assert_eq!(home.link(&user.login), "/console/account");

    let path = "/console/account/profile";
    let page = browser.open(path);
    let filled = [("username", &*taken), ("name", "<b>Ana")];
    let refused = browser.send(&page, path, &filled);
    is_refused(&refused, "The login is taken");
    assert!(!refused.answer.text().contains("<b>Ana"));
    let login = unique("ana");
    let filled = [("username", &*login), ("name", "Ana"), ("surname", "Souza")];
    let shown = browser.send(&refused, path, &filled);
    assert_eq!(shown.path, "/console/account");
    assert!(
        shown.says(&login) && shown.says("Ana Souza"),
        "{}",
        shown.text()
    );

    let path = "/console/account/email";
    let page = browser.open(path);
    let refused = browser.send(&page, path, &[("email", "nowhere")]);
    is_refused(&refused, "an e-mail looks like");
    assert!(refused.answer.text().contains("value=\"nowhere\""));
    let email = format!("{login}@example.org");
    let changed = browser.send(&refused, path, &[("email", &*email)]);
    assert!(
        changed.says(&format!("It is {email}")),
        "{}",
        changed.text()
    );
    let code = format!("{path}/code");
    is_refused(
        &browser.send(&changed, &code, &[("code", "no")]),
        "code is wrong",
    );
    let sent = browser.send(&changed, &format!("{path}/letter"), &[]);
    assert!(
        sent.says("A letter with a code is on its way"),
        "{}",
        sent.text()
    );
}

#[test]
fn a_new_password_wants_a_recent_proof_and_ends_the_other_sessions() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &user);
    let mut other = Browser::of(&stack, &user.signed_in_again());
    age_proofs(&stack, &user);
    let path = "/console/account/password";
    let asked = browser.open(path);
    assert!(asked.path.starts_with(PROOF), "{}", asked.path);
    let refused = browser.send(&asked, PROOF, &[("password", "Wrong-Horse-1")]);
    is_refused(&refused, "Invalid login or password");
    let page = browser.send(&refused, PROOF, &[("password", &*user.password)]);
    assert_eq!(page.path, path);

    let typo = [("password", "Better-Horse-1"), ("again", "Better-Horse-2")];
    is_refused(&browser.send(&page, path, &typo), "differ");
    let common = [("password", "password123"), ("again", "password123")];
    is_refused(&browser.send(&page, path, &common), "first guesses");
    assert!(other.open("/console/account").says(&user.email));
    let right = [("password", "Better-Horse-1"), ("again", "Better-Horse-1")];
    let done = browser.send(&page, path, &right);
    assert_eq!(done.path, "/console/account/sessions");
    assert!(
        done.says("this one") && !done.says("End all others"),
        "{}",
        done.text()
    );
    let out = other.open("/console/account");
    assert!(out.path.starts_with("/console/sign-in"), "{}", out.path);
    let signed_in = [("login", &*user.login), ("password", "Better-Horse-1")];
    let again = other.send(&out, "/console/sign-in", &signed_in);
    assert_eq!(again.path, "/console/account");
}

#[test]
fn a_form_that_waited_too_long_leads_to_the_proof() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let page = Browser::of(&stack, &user).open("/console/account/delete");
    let key = SigningKey::from_pkcs8_pem(&stack.private_key()).unwrap();
    let aged = Token::of(&user.token).with_claim("auth_time", now_s() - 601);
    let mut late = user.clone();
    late.token = aged.signed_by(&key);
    let mut browser = Browser::of(&stack, &late);
    let filled = [("login", &*user.login)];
    let asked = browser.send(&page, "/console/account/delete", &filled);
    assert!(asked.path.starts_with(PROOF), "{}", asked.path);
    user.get("/auth/me").send().expect(200);
    let proven = browser.send(&asked, PROOF, &[("password", &*user.password)]);
    assert_eq!(proven.path, "/console/account/delete");
}

#[test]
fn an_app_is_a_second_factor_until_it_is_removed() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &user);
    let path = "/console/account/factor";
    let page = browser.open(path);
    let offered = browser.send(&page, path, &[]);
    let app = Totp::from_url(offered.link("Open it in the app")).unwrap();
    assert!(offered.says("Key"), "{}", offered.text());
    let confirm = format!("{path}/confirm");
    let wrong = browser.send(&offered, &confirm, &[("code", "000000")]);
    is_refused(&wrong, "The code is wrong or used up");
    let code = app.generate(now_s()).to_string();
    let codes = browser.send(&wrong, &confirm, &[("code", &*code)]);
    assert!(codes.says("The second factor is on"), "{}", codes.text());
    let backup: Vec<_> = codes
        .text()
        .split(' ')
        .filter(|it| it.len() == 9 && it.chars().nth(4) == Some('-'))
        .map(str::to_owned)
        .collect();
    assert_eq!(backup.len(), 10, "{}", codes.text());

    age_proofs(&stack, &user);
    let asked = browser.open("/console/account/password");
    let proven = browser.send(&asked, PROOF, &[("code", &*backup[0])]);
    assert_eq!(proven.path, "/console/account/password");
    let page = browser.open(path);
    assert!(
        page.says("It is on") && !page.has_form(path),
        "{}",
        page.text()
    );
    let remove = format!("{path}/remove");
    let used = browser.send(&page, &remove, &[("code", &*backup[0])]);
    is_refused(&used, "The code is wrong or used up");
    let removed = browser.send(&used, &remove, &[("code", &*backup[1])]);
    assert!(
        removed.says("It is off") && removed.has_form(path),
        "{}",
        removed.text()
    );
    // The session was proven by a code once; now a password is wanted.
    let asked = browser.open(PROOF);
    let refused = browser.send(&asked, PROOF, &[("code", "000000")]);
    is_refused(&refused, "password is required");
    let proven = browser.send(&refused, PROOF, &[("password", &*user.password)]);
    assert_eq!(proven.path, "/console");
}

#[test]
fn a_person_ends_sessions_chooses_notices_and_erases_the_account() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &user);
    let mut others = [0; 2].map(|_| Browser::of(&stack, &user.signed_in_again()));
    let path = "/console/account/sessions";
    let page = browser.open(path);
    let ended = browser.send(&page, &format!("{path}/end-others"), &[]);
    assert!(
        ended.says("this one") && !ended.says("End all others"),
        "{}",
        ended.text()
    );
    for other in &mut others {
        let out = other.open("/console");
        assert!(out.path.starts_with("/console/sign-in"), "{}", out.path);
    }

    let path = "/console/account/notices/preferences";
    let page = browser.open(path);
    let half = [("quiet_from", "22:00"), ("time_zone", "Europe/Lisbon")];
    let refused = browser.send(&page, path, &half);
    is_refused(&refused, "a time of day");
    let whole = [("quiet_until", "07:30"), ("language", "pt")];
    browser.send(&refused, path, &whole);
    let chosen = user.get("/notify/preferences").send().expect(200).json();
    assert_eq!(chosen["quiet_hours"]["from"], "22:00");
    assert_eq!(chosen["time_zone"], "Europe/Lisbon");
    assert_eq!(chosen["language"], "pt");
    assert_eq!(chosen["email"], true);

    let path = "/console/account/delete";
    let page = browser.open(path);
    is_refused(
        &browser.send(&page, path, &[("login", "no")]),
        "Type your login",
    );
    let gone = browser.send(&page, path, &[("login", &*user.login)]);
    assert_eq!(gone.path, "/console/sign-in");
    let filled = [("login", &*user.login), ("password", &*user.password)];
    let page = browser.send(&gone, "/console/sign-in", &filled);
    is_refused(&page, "Invalid login or password");
}

#[test]
fn a_person_makes_a_token_for_a_program_and_ends_it() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &user);
    let path = "/console/account/tokens";
    age_proofs(&stack, &user);
    let page = browser.open(path);
    assert!(!page.has_form(path) && page.says("You have made none"));
    let asked = browser.open(&page.link("Prove who you are"));
    let page = browser.send(&asked, PROOF, &[("password", &*user.password)]);
    assert_eq!(page.path, path);

    let wrong = [("name", "<b>sync"), ("scope", "everything"), ("days", "7")];
    let refused = browser.send(&page, path, &wrong);
    assert_eq!(refused.answer.status(), 422, "{}", refused.text());
    assert!(refused.answer.text().contains("value=\"everything\""));
    let right = [("name", "<b>sync"), ("scope", "read"), ("days", "7")];
    let made = browser.send(&refused, path, &right);
    let text = made.answer.text();
    let token = text.split("<code>").nth(1).unwrap();
    let token = token.split("</code>").next().unwrap();
    let exchange = || {
        let body = json!({ "token": token });
        stack.post("/auth/exchange").json(&body).send()
    };
    exchange().expect(200);

    let page = browser.open(path);
    assert!(page.says("<b>sync") && !page.answer.text().contains(token));
    let tokens = user.get("/auth/tokens").send().expect(200).json();
    let end = format!("{path}/{}/end", tokens[0]["id"].as_str().unwrap());
    let page = browser.send(&page, &end, &[]);
    assert!(page.says("You have made none"), "{}", page.text());
    exchange().problem(401);
}
