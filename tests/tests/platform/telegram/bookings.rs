//! Places and bookings in a chat.

use serde_json::json;
use wharf_tests::{eventually, eventually_some, unique};

use super::super::notify::{Person, Told};
use super::{Chat, SOON, bring, chat_of, next_update, said};

#[test]
fn a_driver_books_and_cancels_a_place_that_an_owner_added() {
    let told = Told::shared();
    let owner = Person::registered(told, "owner", 1);
    let landlord = chat_of(told, &owner);
    landlord.sign_in(&owner.login);
    let city = unique("Porto");
    landlord.write("/add");
    for answer in [
        "Garage of the bot",
        &city,
        "Rua das Flores 1",
        "covered",
        "2,50",
    ] {
        landlord.write(answer);
    }
    assert!(landlord.write("3").starts_with("Your place is on offer"));
    assert!(landlord.write("/parkings").contains("Garage of the bot"));
    assert!(landlord.write("/book_1").contains("Only drivers"));

    let driver = Person::registered(told, "driver", 1);
    driver.endow(told, 1_000);
    let chat = chat_of(told, &driver);
    chat.sign_in(&driver.login);
    chat.write("/book");
    let found = chat.write(&city);
    let book = found.lines().last().unwrap().to_owned();
    assert!(book.starts_with("/book_"), "{found}");
    assert!(chat.write(&book).contains("From when?"));
    assert!(chat.write("tomorrow").contains("2026-11-25 09:00"));
    let day: String = told
        .stack
        .sql()
        .query_one(
            "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '3 days', 'YYYY-MM-DD')",
            &[],
        )
        .unwrap()
        .get(0);
    chat.write(&format!("{day} 09:00"));
    let offer = chat.write("3h");
    assert!(offer.contains("for 7.50 USD. Book it?"), "{offer}");

    // Telegram may bring the same twice: it is one booking.
    // On a busy machine the bot may have to be asked again.
    let (yes, booked) = eventually_some("it is booked", SOON, || {
        let yes = chat.update(next_update(), "yes");
        let said = said(&bring(told, &yes));
        said.starts_with("Booked").then_some((yes, said))
    });
    assert_eq!(said(&bring(told, &yes)), booked, "its answer was lost");
    let bookings = chat.write("/bookings");
    assert_eq!(bookings.matches("Confirmed").count(), 1, "{bookings}");
    assert_eq!(chat.write("/balance"), "Your balance: 2.50 USD");

    let cancel = bookings.lines().last().unwrap().to_owned();
    assert!(cancel.starts_with("/cancel_"), "{bookings}");
    assert!(chat.write(&cancel).contains("yes / no"));
    assert!(chat.write("yes").ends_with("is canceled."));
    assert_eq!(chat.write("/balance"), "Your balance: 10.00 USD");
}

#[test]
fn an_owner_changes_and_removes_a_place() {
    let told = Told::shared();
    let owner = Person::registered(told, "owner", 1);
    let place = json!({
        "name": "Garage", "city": unique("Porto"), "address": "Rua 1", "parking_type": "covered",
        "hourly_rate": 250, "capacity": 3, "latitude": 41.5, "longitude": -8.5,
    });
    let made = told.stack.post("/parking").api_key(&owner.token);
    let id = made.json(&place).send().expect(200).json()["id"].to_string();
    let show = || told.stack.get(&format!("/parking/{id}")).send();
    let chat = chat_of(told, &owner);
    chat.sign_in(&owner.login);
    let listed = chat.write("/parkings");
    assert!(
        listed.ends_with(&format!("/edit_{id} /remove_{id}")),
        "{listed}"
    );
    let before = show().expect(200).json();

    let asked = chat.write(&format!("/edit_{id}"));
    assert!(asked.contains("3 cars\nWhat shall change?"), "{asked}");
    chat.write("5");
    assert!(chat.write("for free").contains("an amount"));
    assert!(chat.write("4,20").ends_with("is changed. /parkings"));
    let mut expected = before;
    expected["hourly_rate"] = json!(420);
    assert_eq!(show().expect(200).json(), expected, "nothing else changed");

    // The place of another owner, and one of a driver's wishes.
    let other = Person::registered(told, "owner", 1);
    let stranger = chat_of(told, &other);
    stranger.sign_in(&other.login);
    stranger.write(&format!("/edit_{id}"));
    stranger.write("1");
    assert!(stranger.write("Mine").starts_with("That does not work"));
    stranger.write(&format!("/remove_{id}"));
    assert!(stranger.write("yes").starts_with("That does not work"));
    let driver = Person::registered(told, "driver", 1);
    let visitor = chat_of(told, &driver);
    visitor.sign_in(&driver.login);
    assert!(
        visitor
            .write(&format!("/edit_{id}"))
            .contains("Only owners")
    );
    visitor.write(&format!("/remove_{id}"));
    assert!(visitor.write("yes").contains("Only owners"));
    assert_eq!(show().expect(200).json(), expected);

    chat.write(&format!("/remove_{id}"));
    assert_eq!(chat.write("no"), "All right, I leave it.");
    show().expect(200);
    chat.write(&format!("/remove_{id}"));
    assert!(chat.write("yes").ends_with("is removed. /parkings"));
    show().problem(404);
}

#[test]
fn a_refusal_of_the_platform_is_shown_in_the_chat() {
    let told = Told::shared();
    let driver = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &driver);
    chat.sign_in(&driver.login);
    chat.write("/cancel_999999999");
    assert!(chat.write("yes").starts_with("That does not work"));
    assert!(
        chat.write("/book_999999999")
            .starts_with("That does not work")
    );
}

/// A driver with money before a place that can be booked; the last question waits for a yes.
fn about_to_book<'a>(told: &'a Told, driver: &Person) -> Chat<'a> {
    let owner = Person::registered(told, "owner", 1);
    let place = json!({
        "name": "Garage", "city": unique("Porto"), "address": "Rua 1", "parking_type": "covered",
        "hourly_rate": 250, "capacity": 1,
    });
    let request = told.stack.post("/parking").api_key(&owner.token);
    let place = request.json(&place).send().expect(200).json()["id"].to_string();
    driver.endow(told, 2_000);
    let chat = chat_of(told, driver);
    chat.sign_in(&driver.login);
    chat.write(&format!("/book_{place}"));
    let day = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '3 days', 'YYYY-MM-DD')";
    let day: String = told.stack.sql().query_one(day, &[]).unwrap().get(0);
    chat.write(&format!("{day} 09:00"));
    assert!(chat.write("3h").contains("Book it?"));
    chat
}

/// The ledger answers after the bot's timeout, and still carries the payment out.
#[test]
fn a_booking_with_a_lost_answer_is_paid_once() {
    let told = Told::shared();
    let driver = Person::registered(told, "driver", 1);
    let chat = about_to_book(told, &driver);
    let mut lock = told.stack.sql();
    // Only this driver's account: the platform is shared.
    lock.batch_execute("BEGIN").unwrap();
    lock.query(
        "SELECT FROM payments.account WHERE owner = $1 FOR UPDATE",
        &[&driver.id],
    )
    .unwrap();
    let unclear = chat.write("yes");
    assert!(unclear.contains("yes again"), "{unclear}");
    lock.batch_execute("COMMIT").unwrap();
    eventually("it is booked once", SOON, || {
        chat.write("yes").starts_with("Booked")
    });
    let bookings = chat.write("/bookings");
    assert_eq!(bookings.matches("Confirmed").count(), 1, "{bookings}");
    assert_eq!(chat.write("/balance"), "Your balance: 12.50 USD");
}
