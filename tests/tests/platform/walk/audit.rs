//! Whether the platform agrees with the model.

use std::time::Duration;

use serde_json::json;
use wharf_tests::eventually;

use super::chaos::read;
use super::model::{Account, Person};
use super::steps::Walk;
use crate::bookings;

const SETTLES_WITHIN: Duration = Duration::from_secs(60);

impl Walk {
    /// Makes the sweep finish at once what a fault left half done.
    pub(super) fn settle(&self) {
        let left = "SELECT (SELECT count(*) FROM bookings.charge WHERE status = 'opening')
            + (SELECT count(*) FROM bookings.refund WHERE status = 'owed')
            + (SELECT count(*) FROM bookings.booking WHERE status = 'Waiting')";
        let mut sql = self.stack.sql();
        eventually(
            "what was left half done is finished",
            SETTLES_WITHIN,
            || {
                bookings::make_due(&self.stack);
                let tick = self.stack.post("/booking/tick").bearer("tick-tock");
                let _ = tick.try_send();
                sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
            },
        );
    }

    pub(super) fn compare_wallet(&self, person: usize) {
        let Person { user, wallet, .. } = &self.model.people[person];
        let balance = read(user, "/payment/balance").expect(200).json();
        assert_eq!(balance["total"], *wallet, "cents of {}", user.login);
    }

    pub(super) fn compare_payment(&self, driver: usize, place: usize) {
        self.compare_wallet(driver);
        self.compare_wallet(self.model.places[place].owner);
    }

    pub(super) fn compare_account(&self, account: usize) {
        let Account {
            person,
            name,
            balance,
        } = &self.model.accounts[account];
        let user = &self.model.people[*person].user;
        let accounts = read(user, "/payments/accounts").expect(200).json();
        let shown = accounts.as_array().unwrap().iter();
        let shown = shown
            .filter(|it| it["paymentAccountId"] == **name)
            .map(|it| it["balance"].as_f64());
        assert!(shown.eq([Some(*balance as f64)]), "{name}: {accounts}");
    }

    pub(super) fn audit(&mut self) {
        self.settle();
        for person in 0..self.model.people.len() {
            self.compare_wallet(person);
        }
        for account in 0..self.model.accounts.len() {
            self.compare_account(account);
        }
        for booking in &self.model.bookings {
            let shown = self.show(booking).expect(200).json();
            let cost = self.model.cost(booking.place, booking.from, booking.to);
            assert_eq!(
                (&shown["status"], &shown["full_cost"], &shown["date_to"]),
                (
                    &json!("Confirmed"),
                    &json!(cost),
                    &json!(bookings::at(&self.stack, booking.to))
                ),
                "{booking:?}"
            );
        }
        assert_eq!(self.find_unknown_booking(), None);
        bookings::assert_books_agree(&self.stack);
    }
}
