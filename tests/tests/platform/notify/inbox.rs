//! The inbox: every notice of a person, no matter which channels they chose.

use serde_json::{Value, json};
use wharf_tests::eventually;

use super::{Person, SOON, Told};

fn inbox(told: &Told, person: &Person, query: &str) -> Vec<Value> {
    let path = format!("/notify/inbox{query}");
    let listed = person.request(told, "GET", &path).send().expect(200).json();
    listed.as_array().unwrap().clone()
}

fn unread(told: &Told, person: &Person) -> i64 {
    let answer = person.request(told, "GET", "/notify/inbox/unread").send();
    answer.expect(200).json()["unread"].as_i64().unwrap()
}

#[test]
fn a_person_reads_here_what_they_were_told_and_no_other_person_does() {
    let told = Told::shared();
    let (ana, bob) = (
        Person::registered(told, "driver", 1),
        Person::registered(told, "driver", 1),
    );
    told.stack.get("/notify/inbox").send().problem(401);
    ana.prefer(told, "pt", false);
    for place in ["Garagem", "Praça", "Rua"] {
        told.ending(&ana, place);
    }
    let letter = json!({ "email": ana.email, "token": "s3cr3t-code", "minutes": 30 });
    told.planned(told.notify(&ana, "password-reset", &letter));
    told.planned(told.notify(
        &ana,
        "password-changed",
        &json!({ "address": "203.0.113.7" }),
    ));
    told.drained(&ana);
    eventually("all are there", SOON, || inbox(told, &ana, "").len() == 4);
    let all = inbox(told, &ana, "");
    assert!(
        all.iter().all(|it| it["template"] != "password-reset"),
        "a code is in no inbox"
    );
    let first = all.last().unwrap();
    assert_eq!(first["subject"], "A reserva 17 termina em breve");
    assert_eq!(first["text"], "Garagem, até 2026-11-21 11:30 UTC.");
    assert_eq!((unread(told, &ana), unread(told, &bob)), (4, 0));
    assert!(inbox(told, &bob, "").is_empty());

    let page = inbox(told, &ana, "?limit=1");
    let next = inbox(told, &ana, &format!("?limit=3&before={}", page[0]["id"]));
    assert_eq!([page.clone(), next.clone()].concat(), all);
    // Reading is one's own: bob's mark is nothing to her.
    for (reader, left) in [(&bob, 4), (&ana, 1)] {
        let read = reader.request(told, "POST", "/notify/inbox/read");
        read.json(&json!({ "up_to": next[0]["id"] }))
            .send()
            .expect(204);
        assert_eq!(unread(told, &ana), left);
    }
    assert_eq!(inbox(told, &ana, "?unread=true"), page);
}
