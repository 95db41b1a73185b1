//! What the platform should know after the steps so far, computed another way than the platform does.

/// Minutes of the day that all bookings are on.
pub type Minute = u32;

#[derive(Default)]
pub struct Model {
    pub people: Vec<Person>,
    pub places: Vec<Place>,
    pub bookings: Vec<Booking>,
    pub accounts: Vec<Account>,
}

#[derive(Clone)]
pub struct Person {
    pub user: wharf_tests::User,
    pub is_owner: bool,
    /// Cents.
    pub wallet: i64,
}

#[derive(Clone)]
pub struct Account {
    pub person: usize,
    pub name: String,
    /// Whole units.
    pub balance: i64,
}

#[derive(Clone)]
pub struct Place {
    pub id: i64,
    pub owner: usize,
    pub cents_per_minute: i64,
    pub capacity: usize,
}

/// A confirmed one.
#[derive(Clone, Debug)]
pub struct Booking {
    pub id: i64,
    pub driver: usize,
    pub place: usize,
    pub from: Minute,
    pub to: Minute,
}

impl Model {
    pub fn cost(&self, place: usize, from: Minute, to: Minute) -> i64 {
        self.places[place].cents_per_minute * i64::from(to - from)
    }

    /// Whether one more car fits at every minute, beside all bookings but the one to be left out.
    pub fn has_room(&self, place: usize, from: Minute, to: Minute, but: Option<i64>) -> bool {
        (from..to).all(|minute| {
            let standing = self.bookings.iter().filter(|it| {
                it.place == place && Some(it.id) != but && (it.from..it.to).contains(&minute)
            });
            standing.count() < self.places[place].capacity
        })
    }

    pub fn add(&mut self, booking: Booking) {
        let cost = self.cost(booking.place, booking.from, booking.to);
        self.pay(booking.driver, booking.place, cost);
        self.bookings.push(booking);
    }

    pub fn cancel(&mut self, id: i64) {
        let index = self.bookings.iter().position(|it| it.id == id).unwrap();
        let booking = self.bookings.swap_remove(index);
        let cost = self.cost(booking.place, booking.from, booking.to);
        self.pay(booking.driver, booking.place, -cost);
    }

    pub fn move_end(&mut self, id: i64, to: Minute) {
        let index = self.bookings.iter().position(|it| it.id == id).unwrap();
        let booking = self.bookings[index].clone();
        let more = i64::from(to) - i64::from(booking.to);
        let cost = self.places[booking.place].cents_per_minute * more;
        self.pay(booking.driver, booking.place, cost);
        self.bookings[index].to = to;
    }

    fn pay(&mut self, driver: usize, place: usize, cents: i64) {
        self.people[driver].wallet -= cents;
        self.people[self.places[place].owner].wallet += cents;
    }
}
