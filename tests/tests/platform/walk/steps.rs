//! The steps of the walk. Each is carried out by the platform and by the model, and both are compared.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Dice, Options, Request, Stack, User, eventually, unique};

use super::chaos::{Asked, ask, read};
use super::model::{Account, Booking, Minute, Model, Person, Place};
use crate::bookings;

const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// Everything is compared after so many steps.
const STEPS_BETWEEN_AUDITS: u64 = 200;

pub struct Walk {
    pub(super) stack: Stack,
    dice: Dice,
    pub(super) model: Model,
    taken: u64,
}

impl Walk {
    pub fn start(seed: u64) -> Self {
        let stack = Options::default()
            .variable("tick_token", "tick-tock")
            .start_cabled();
        let mut walk = Self {
            stack,
            dice: Dice::new(seed),
            model: Model::default(),
            taken: 0,
        };
        for is_owner in [true, true, false, false, false, false] {
            walk.sign_up(is_owner);
        }
        for _ in 0..3 {
            walk.offer_place();
        }
        for _ in 0..4 {
            walk.open_account();
            walk.activate_code();
        }
        walk
    }

    pub fn step(&mut self) {
        match self.dice.below(100) {
            0 => {
                let is_owner = self.dice.below(4) == 0;
                self.sign_up(is_owner);
            }
            1 => self.offer_place(),
            2 => self.open_account(),
            3..15 => self.activate_code(),
            15..20 => self.generate_code(),
            20..30 => self.change_account("/payments/deposit"),
            30..40 => self.change_account("/payments/withdraw"),
            40..50 => self.send_money(),
            50..75 => self.book(),
            75..87 => self.cancel(),
            _ => self.move_end(),
        }
        self.taken += 1;
        if self.taken.is_multiple_of(STEPS_BETWEEN_AUDITS) {
            self.audit();
        }
    }

    /// Compares everything once all that goes on behind requests has ended.
    pub fn finish(mut self) {
        self.stack.redis_cable().mend();
        self.audit();
        println!("{} steps", self.taken);
        let mut sql = self.stack.sql();
        // A host that was killed holds its leases for a minute.
        let end_leases = "UPDATE events.delivery SET due_at = now()
            WHERE state = 'running' AND due_at > now() + interval '20 seconds'";
        let waiting = "SELECT count(*) FROM events.entry WHERE state NOT IN ('done', 'dead')";
        sql.execute(end_leases, &[]).unwrap();
        eventually("every event is settled", SETTLES_WITHIN, || {
            sql.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0
        });
        let dead = "SELECT count(*) FROM events.entry WHERE state = 'dead'";
        let dead: i64 = sql.query_one(dead, &[]).unwrap().get(0);
        let holders: i64 = sql
            .query_one("SELECT count(*) FROM payments.holder", &[])
            .unwrap()
            .get(0);
        // The first admin is one of them.
        let people = i64::try_from(self.model.people.len()).unwrap() + 1;
        assert_eq!((dead, holders), (0, people));
    }

    fn sign_up(&mut self, is_owner: bool) {
        let user = if is_owner {
            User::owner(&self.stack)
        } else {
            User::driver(&self.stack)
        };
        self.model.people.push(Person {
            user,
            is_owner,
            wallet: 0,
        });
    }

    fn pick_person(&mut self, is_owner: bool) -> usize {
        let people = self.model.people.iter().enumerate();
        let all: Vec<usize> = people
            .filter(|(_, it)| it.is_owner == is_owner)
            .map(|(index, _)| index)
            .collect();
        all[self.dice.index(all.len())]
    }

    /// Sends a request in the name of a person, with an idempotency key of its own.
    fn ask(&mut self, person: usize, method: &str, path: &str, body: &Value) -> Asked {
        let user = self.model.people[person].user.clone();
        let key = Uuid::new_v4().to_string();
        let request = || -> Request {
            let request = user.request(method, path).header("idempotency-key", &key);
            request.json(body)
        };
        ask(&mut self.stack, &mut self.dice, request)
    }

    fn offer_place(&mut self) {
        let owner = self.pick_person(true);
        let cents_per_minute = i64::try_from(1 + self.dice.below(3)).unwrap();
        let capacity = 1 + self.dice.index(3);
        let body = json!({
            "name": unique("Garage"), "city": "Porto", "address": "Rua 1", "parking_type": "covered",
            "hourly_rate": 60 * cents_per_minute, "capacity": capacity,
        });
        let offered = self.ask(owner, "POST", "/parking", &body).answer;
        let id = offered.expect(200).json()["id"].as_i64().unwrap();
        self.model.places.push(Place {
            id,
            owner,
            cents_per_minute,
            capacity,
        });
    }

    fn open_account(&mut self) {
        let person = self.dice.index(self.model.people.len());
        let name = unique("account");
        let body =
            json!({ "paymentAccountId": name, "paymentAccountType": "DEBIT", "balance": 100 });
        let opened = self.ask(person, "POST", "/payments/accounts", &body);
        opened.answer.expect(200);
        self.model.accounts.push(Account {
            person,
            name,
            balance: 100,
        });
    }

    fn activate_code(&mut self) {
        let person = self.dice.index(self.model.people.len());
        let cents = i64::try_from(1 + self.dice.below(2_000)).unwrap();
        let code = unique("gift");
        let gift = json!({ "code": code, "amount": cents, "max_uses": 1 });
        let made = User::admin(&self.stack)
            .post("/payment/promocode")
            .json(&gift);
        made.send().expect(200);
        let body = json!({ "code": code });
        let path = "/payment/promocode/activate";
        self.ask(person, "POST", path, &body).answer.expect(200);
        self.model.people[person].wallet += cents;
        self.compare_wallet(person);
    }

    fn generate_code(&mut self) {
        // What owners earn is held until the booking ends.
        let person = self.pick_person(false);
        let cents = i64::try_from(1 + self.dice.below(3_000)).unwrap();
        let is_enough = self.model.people[person].wallet >= cents;
        let body = json!({ "amount": cents });
        let asked = self.ask(person, "POST", "/payment/promocode/generate", &body);
        asked.answer.expect(if is_enough { 200 } else { 400 });
        if is_enough {
            self.model.people[person].wallet -= cents;
        }
        self.compare_wallet(person);
    }

    fn change_account(&mut self, path: &str) {
        let account = self.dice.index(self.model.accounts.len());
        let amount = i64::try_from(1 + self.dice.below(150)).unwrap();
        let Account {
            person,
            name,
            balance,
        } = self.model.accounts[account].clone();
        let change = if path.ends_with("withdraw") {
            -amount
        } else {
            amount
        };
        let body = json!({ "paymentAccountId": name, "amount": amount });
        let is_enough = balance + change >= 0;
        let asked = self.ask(person, "POST", path, &body);
        asked.answer.expect(if is_enough { 200 } else { 400 });
        if is_enough {
            self.model.accounts[account].balance += change;
        }
        self.compare_account(account);
    }

    fn send_money(&mut self) {
        let from = self.dice.index(self.model.accounts.len());
        let to = self.dice.index(self.model.accounts.len());
        let amount = i64::try_from(1 + self.dice.below(150)).unwrap();
        let sender = self.model.accounts[from].clone();
        let body = json!({
            "fromPaymentAccountId": sender.name,
            "toPaymentAccountId": self.model.accounts[to].name,
            "amount": amount,
        });
        let is_possible = from != to && sender.balance >= amount;
        let asked = self.ask(sender.person, "POST", "/payments/send", &body);
        asked.answer.expect(if is_possible { 200 } else { 400 });
        if is_possible {
            self.model.accounts[from].balance -= amount;
            self.model.accounts[to].balance += amount;
        }
        self.compare_account(from);
        self.compare_account(to);
    }

    fn pick_window(&mut self) -> (Minute, Minute) {
        let from = u32::try_from(self.dice.below(600)).unwrap();
        (
            from,
            from + 1 + u32::try_from(self.dice.below(180)).unwrap(),
        )
    }

    fn book(&mut self) {
        let driver = self.pick_person(false);
        let place = self.dice.index(self.model.places.len());
        let (from, to) = self.pick_window();
        let has_room = self.model.has_room(place, from, to, None);
        let can_pay = self.model.people[driver].wallet >= self.model.cost(place, from, to);
        let body = json!({
            "parking_place_id": self.model.places[place].id,
            "date_from": bookings::at(&self.stack, from),
            "date_to": bookings::at(&self.stack, to),
        });
        let asked = self.ask(driver, "POST", "/booking", &body);
        let id = if asked.is_disturbed {
            self.settle();
            self.find_unknown_booking()
        } else {
            let answer = asked.answer.expect(match (has_room, can_pay) {
                (true, true) => 200,
                (true, false) => 400,
                (false, _) => 409,
            });
            answer.json()["booking_id"].as_i64()
        };
        if let Some(id) = id {
            assert!(has_room && can_pay, "booking {id} is confirmed");
            self.model.add(Booking {
                id,
                driver,
                place,
                from,
                to,
            });
        }
        self.compare_payment(driver, place);
    }

    /// A confirmed booking that the model does not have.
    pub(super) fn find_unknown_booking(&self) -> Option<i64> {
        let known: Vec<i64> = self.model.bookings.iter().map(|it| it.id).collect();
        let unknown =
            "SELECT id FROM bookings.booking WHERE status = 'Confirmed' AND id <> ALL ($1)";
        let found = self.stack.sql().query(unknown, &[&known]).unwrap();
        assert!(
            found.len() <= 1,
            "one request made {} bookings",
            found.len()
        );
        found.first().map(|it| it.get(0))
    }

    fn pick_booking(&mut self) -> Option<Booking> {
        let count = self.model.bookings.len();
        (count > 0).then(|| self.model.bookings[self.dice.index(count)].clone())
    }

    fn cancel(&mut self) {
        let Some(booking) = self.pick_booking() else {
            return;
        };
        let path = format!("/booking/{}", booking.id);
        let asked = self.ask(booking.driver, "DELETE", &path, &json!({}));
        if asked.is_disturbed {
            // It may be that an earlier copy has canceled it.
            assert!(
                matches!(asked.answer.status(), 200 | 404),
                "{}",
                asked.answer
            );
            self.settle();
        } else {
            asked.answer.expect(200);
        }
        self.model.cancel(booking.id);
        self.show(&booking).expect(404);
        self.compare_payment(booking.driver, booking.place);
    }

    fn move_end(&mut self) {
        let Some(booking) = self.pick_booking() else {
            return;
        };
        let Booking {
            id,
            driver,
            place,
            from,
            to,
        } = booking;
        let end = from + 1 + u32::try_from(self.dice.below(240)).unwrap();
        let has_room = end <= to || self.model.has_room(place, to, end, Some(id));
        let can_pay =
            end <= to || self.model.people[driver].wallet >= self.model.cost(place, to, end);
        let body = json!({ "date_to": bookings::at(&self.stack, end) });
        let path = format!("/booking/{id}/end");
        let asked = self.ask(driver, "PUT", &path, &body);
        let is_moved = if asked.is_disturbed {
            self.settle();
            let shown = self.show(&booking).expect(200).json();
            shown["date_to"] == bookings::at(&self.stack, end)
        } else {
            asked.answer.expect(match (has_room, can_pay) {
                (true, true) => 200,
                (true, false) => 400,
                (false, _) => 409,
            });
            has_room && can_pay
        };
        if is_moved {
            assert!(has_room && can_pay, "booking {id} ends at minute {end}");
            self.model.move_end(id, end);
        }
        self.compare_payment(driver, place);
    }

    pub(super) fn show(&self, booking: &Booking) -> Answer {
        let driver = &self.model.people[booking.driver].user;
        read(driver, &format!("/booking/{}", booking.id))
    }
}
