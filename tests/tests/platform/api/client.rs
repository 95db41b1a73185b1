//! The typed client, as another program uses it.

use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wharf_client::{
    BookingsNewBooking, BookingsNewPlace, BookingsParkingType, BookingsSearchPlacesQuery,
    BookingsStatus, Code, Error, PaymentsActivation, PaymentsCreation, SigninParkingRole,
    SigninRegistration, Transport, Wharf,
};
use wharf_tests::{Stack, User, unique};

use crate::bookings::at;

struct Wire<'a>(&'a Stack);

impl Transport for Wire<'_> {
    type Error = String;

    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> impl Future<Output = Result<http::Response<Vec<u8>>, String>> + Send {
        let (head, body) = request.into_parts();
        let mut sent = self.0.request(head.method.as_str(), &head.uri.to_string());
        for (name, value) in &head.headers {
            sent = sent.header(name.as_str(), value.to_str().unwrap());
        }
        if let Some(media_type) = head.headers.get("content-type") {
            sent = sent.body(media_type.to_str().unwrap(), body);
        }
        let answer = sent.send();
        let response = http::Response::builder().status(answer.status());
        ready(
            response
                .body(answer.text().into_bytes())
                .map_err(|it| it.to_string()),
        )
    }
}

/// Runs a future of the client, whose transport never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the wire waits"),
    }
}

fn wharf(stack: &Stack) -> Wharf<Wire<'_>> {
    Wharf::new(Wire(stack))
}

/// The client of a new account.
fn signed_up(stack: &Stack, role: SigninParkingRole) -> Wharf<Wire<'_>> {
    let login = unique("client");
    let person = SigninRegistration {
        email: format!("{login}@example.org"),
        login,
        password: "Correct-Horse-1".to_owned(),
        role,
        telegram_id: None,
    };
    let token = now(wharf(stack).signin().register(&person)).unwrap();
    wharf(stack).with_token(token.token)
}

fn give(stack: &Stack, driver: &Wharf<Wire<'_>>, cents: i64) {
    let admin = wharf(stack).with_token(User::admin(stack).token);
    let gift = PaymentsCreation {
        amount: cents,
        code: Some(unique("gift")),
        expires_at: None,
        max_uses: Some(1),
        max_uses_per_user: None,
        reason: None,
    };
    let code = now(admin.payments().create_promocode(&gift, None))
        .unwrap()
        .code;
    let activation = PaymentsActivation { code };
    now(driver.payments().activate_promocode(&activation, None)).unwrap();
}

#[test]
fn the_typed_client_signs_up_searches_quotes_and_books() {
    let stack = Stack::shared();
    let owner = signed_up(&stack, SigninParkingRole::Owner);
    let driver = signed_up(&stack, SigninParkingRole::Driver);
    let name = unique("Garage & Söhne");
    let place = BookingsNewPlace {
        address: "Rua das Flores 1".to_owned(),
        capacity: 1,
        city: "Porto".to_owned(),
        hourly_rate: 150,
        latitude: None,
        longitude: None,
        name: name.clone(),
        parking_type: BookingsParkingType::MultiLevel,
    };
    let id = now(owner.bookings().create_place(&place, None)).unwrap().id;

    let search = BookingsSearchPlacesQuery {
        name: Some(name.clone()),
        ..BookingsSearchPlacesQuery::default()
    };
    let found = now(wharf(&stack).bookings().search_places(&search)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, &found[0].name), (id, &name));
    assert_eq!(found[0].parking_type, BookingsParkingType::MultiLevel);

    let wish = BookingsNewBooking {
        plate: None,
        date_from: Some(at(&stack, 0)),
        date_to: Some(at(&stack, 60)),
        parking_place_id: Some(id),
        expected_cost: Some(150),
    };
    let quote = now(driver.bookings().quote_booking(&wish)).unwrap();
    assert_eq!((quote.full_cost, quote.available), (150, true));

    let refused = now(driver.bookings().create_booking(&wish, None)).unwrap_err();
    let Error::Refused(refusal) = refused else {
        panic!("{refused}");
    };
    assert_eq!(
        (refusal.status, &refusal.code),
        (400, &Code::InsufficientFunds)
    );

    give(&stack, &driver, 150);
    let key = unique("key");
    let book = || now(driver.bookings().create_booking(&wish, Some(&key))).unwrap();
    let booked = book();
    assert_eq!(booked.status, BookingsStatus::Confirmed);
    assert_eq!(book(), booked);
    let shown = now(driver.bookings().show_booking(booked.booking_id)).unwrap();
    assert_eq!((shown.parking_place_id, shown.full_cost), (id, 150));
}
