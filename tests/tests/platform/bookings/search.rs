//! The search of a hundred thousand places: what it finds is what a slow statement finds, and no page looks at more
//! than a bounded number of them. Of a million, with what each page takes:
//!
//! `SEARCH_PLACES=1000000 RUST_TEST_NOCAPTURE=1 infra/test bookings::search::a_page`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use serde_json::Value;
use wharf_tests::{Stack, User, pages_read, unique};

use super::{at, book_confirmed, driver, offer};

/// A thousand are named after a river, every 25 000th after a harbour, about every seventieth after a meadow, and one has
/// a name of its own. They stand all over the globe, in 500 cities; every fiftieth does not say where.
const MANY: &str = "INSERT INTO place
        (owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude)
    SELECT gen_random_uuid(),
        (ARRAY['Garage', 'Central', 'Plaza'])[1 + n % 3] || ' ' || n
            || CASE WHEN n % 25000 = 0 THEN ' harbour' WHEN n % 100 = 0 AND n <= 100000 THEN ' river' WHEN n = 77777 THEN ' Zyx' WHEN n % 70 = 0 THEN ' meadow' ELSE '' END,
        'City ' || n % 500, 'Street ' || n, (ARRAY['outdoor', 'covered'])[1 + n % 2], 50 + n % 1000, 1 + n % 20,
        CASE WHEN n % 50 <> 0 THEN degrees(asin(2 * random() - 1)) END,
        CASE WHEN n % 50 <> 0 THEN 360 * random() - 180 END
    FROM generate_series(1, $1::int) AS n";

/// City, part of the name, type, lowest rate, whether there is a window, from where, how many are left out.
#[derive(Clone, Copy, Default)]
struct Search {
    city: Option<&'static str>,
    name: Option<&'static str>,
    kind: Option<&'static str>,
    lowest: Option<i64>,
    is_windowed: bool,
    near: Option<(f64, f64)>,
    offset: i64,
}

impl Search {
    fn all() -> Self {
        Self::default()
    }

    fn near(latitude: f64, longitude: f64) -> Self {
        Self {
            near: Some((latitude, longitude)),
            ..Self::default()
        }
    }

    fn in_city(mut self, city: &'static str) -> Self {
        self.city = Some(city);
        self
    }

    fn named(mut self, part: &'static str) -> Self {
        self.name = Some(part);
        self
    }

    fn of_type(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    fn at_least(mut self, rate: i64) -> Self {
        self.lowest = Some(rate);
        self
    }

    fn with_room(mut self) -> Self {
        self.is_windowed = true;
        self
    }

    fn without(mut self, first: i64) -> Self {
        self.offset = first;
        self
    }

    /// The places of a page of a hundred, how many rows of places were read for it, and how long it took.
    fn run(self, sql: &mut Client) -> (Vec<i64>, i64, Duration) {
        let found = "SELECT place_id FROM search_places($1, $2, $3, NULL,
                CASE WHEN $4 THEN now() END, CASE WHEN $4 THEN now() + interval '1 hour' END,
                $5, NULL, $6, $7, NULL, $8, 100)
            WHERE place_id IS NOT NULL ORDER BY rank";
        let read = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint
            FROM pg_stat_xact_user_tables WHERE schemaname = 'bookings' AND relname = 'place'";
        let mut transaction = sql.transaction().unwrap();
        // Rows that earlier transactions read are among them until they were reported.
        let before: i64 = transaction.query_one(read, &[]).unwrap().get(0);
        let (latitude, longitude) = (self.near.map(|it| it.0), self.near.map(|it| it.1));
        let began = Instant::now();
        let rows = transaction
            .query(
                found,
                &[
                    &self.city,
                    &self.name,
                    &self.kind,
                    &self.is_windowed,
                    &self.lowest,
                    &latitude,
                    &longitude,
                    &self.offset,
                ],
            )
            .unwrap();
        let took = began.elapsed();
        let read: i64 = transaction.query_one(read, &[]).unwrap().get(0);
        (
            rows.iter().map(|it| it.get(0)).collect(),
            read - before,
            took,
        )
    }

    /// The same places by a statement that reads all of them.
    fn run_slowly(self, sql: &mut Client) -> Vec<i64> {
        let all = "SELECT id FROM place
            WHERE ($1::text IS NULL OR city = $1) AND ($2::text IS NULL OR name ILIKE '%' || $2 || '%')
                AND ($3::text IS NULL OR parking_type = $3) AND ($4::bigint IS NULL OR hourly_rate >= $4)
            ORDER BY sind(latitude) * sind($5::float8)
                + cosd(latitude) * cosd($5) * cosd(longitude - $6::float8) DESC NULLS LAST, id
            LIMIT 100 OFFSET $7";
        let (latitude, longitude) = (self.near.map(|it| it.0), self.near.map(|it| it.1));
        let rows = sql.query(
            all,
            &[
                &self.city,
                &self.name,
                &self.kind,
                &self.lowest,
                &latitude,
                &longitude,
                &self.offset,
            ],
        );
        rows.unwrap().iter().map(|it| it.get(0)).collect()
    }
}

#[test]
fn a_page_of_a_hundred_thousand_places_is_right_and_reads_few() {
    let stack = Stack::start();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = bookings").unwrap();
    let places = std::env::var("SEARCH_PLACES").map_or(100_000, |it| it.parse().unwrap());
    sql.execute(MANY, &[&places]).unwrap();
    sql.batch_execute("ANALYZE place").unwrap();
    // Places were made a moment ago, and no vacuum has tidied the index of their names since.
    sql.batch_execute("SET enable_seqscan = off").unwrap();
    let rare = "SELECT id FROM place WHERE searched_name LIKE '%zyx%' AND deleted_at IS NULL";
    let pages = pages_read(&mut sql, rare);
    assert!(pages <= 50, "{pages} pages");
    sql.batch_execute("RESET enable_seqscan").unwrap();
    // The index looks up each trigram of a name; a long one is found by its beginning.
    let long = "SELECT FROM search_places(NULL, (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 250) AS n),
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 100)";
    pages_read(&mut sql, long);
    let pages = pages_read(&mut sql, long);
    assert!(pages <= 1_000, "{pages} pages");
    let porto = || Search::near(41.15, -8.61);
    // A search, and how many places it may read.
    let right = [
        (Search::all(), 110),
        (Search::all().without(3_000), 3_110),
        (Search::all().in_city("City 77"), 110),
        (Search::all().named("CENTRAL"), 500),
        // Rare: by the index.
        (Search::all().named("zyx"), 50),
        (Search::all().named("harbour"), 100),
        (Search::all().named("000 harbour"), 100),
        (Search::all().named("river"), 1_100),
        (Search::all().of_type("covered"), 110),
        (Search::all().at_least(900), 2_000),
        (Search::all().with_room(), 200),
        // An index gives the nearest in turn: no more are read than the page needs.
        (porto(), 250),
        (Search::near(-89.9, 0.0), 250),
        (Search::near(0.0, 180.0), 250),
        (porto().without(500), 750),
        (porto().in_city("City 77"), 250),
        (porto().named("river"), 1_100),
        (porto().of_type("outdoor"), 450),
    ];
    for (number, (search, bound)) in right.into_iter().enumerate() {
        let (found, read, first) = search.run(&mut sql);
        let (_, _, again) = search.run(&mut sql);
        println!("search {number}: {first:?}, again {again:?}, {read} places read");
        assert_eq!(found, search.run_slowly(&mut sql), "search {number}");
        assert!(read <= bound, "search {number} read {read}");
    }
    // A name that is not rare and not frequent: a shorter page of the first ones.
    let meadows = Search::all().named("meadow");
    let (found, read, _) = meadows.run(&mut sql);
    assert!(found.len() > 30 && read <= 4_100, "{found:?}, {read} read");
    assert!(meadows.run_slowly(&mut sql).starts_with(&found));
    // Nothing is found, and little is read: the list goes on.
    let adversarial = [
        Search::all().at_least(1_000_000),
        Search::all().of_type("underground"),
        Search::all().named("central garage plaza"),
        // The index knows no part of these.
        porto().named("%"),
        Search::all().named("---"),
        Search::all().with_room().without(5_000),
    ];
    for (number, search) in adversarial.into_iter().enumerate() {
        let (found, read, _) = search.run(&mut sql);
        assert!(
            found.is_empty() && read <= 7_100,
            "search {number} read {read}"
        );
    }
}

/// The peak of a place is planned once, and not for each place of a search: that takes several times as long.
#[test]
fn a_search_with_a_window_plans_no_statement_for_each_of_its_places() {
    let stack = Stack::shared();
    let planned = Arc::new(AtomicUsize::new(0));
    let counter = planned.clone();
    let mut sql = stack.sql_hearing(move |told| {
        if told.message().starts_with("PLANNER") {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let city = unique("Aveiro");
    let many = "WITH made AS (
            INSERT INTO bookings.place (owner, name, city, address, parking_type, hourly_rate, capacity)
            SELECT gen_random_uuid(), 'Busy ' || n, $1, 'Rua 1', 'covered', 100, 50
            FROM generate_series(1, 100) AS n RETURNING id
        )
        INSERT INTO bookings.booking
            (place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost)
        SELECT made.id, gen_random_uuid(), starts, ends, ends, ends, 1, 1
        FROM made, generate_series(1, 5), (SELECT now(), now() + interval '1 hour') AS stay (starts, ends)";
    sql.execute(many, &[&city]).unwrap();
    sql.batch_execute(
        "SET search_path = bookings; SET client_min_messages = log; SET log_planner_stats = on",
    )
    .unwrap();
    let search = "SELECT sum(50 - free)::bigint
        FROM search_places($1, NULL, NULL, NULL, now(), now() + interval '1 hour', NULL, NULL, NULL, NULL, NULL, 0, 100)
        WHERE place_id IS NOT NULL";
    let row = sql.query_one(search, &[&city]).unwrap();
    assert_eq!(row.get::<_, i64>(0), 100 * 5);
    let planned = planned.load(Ordering::SeqCst);
    assert!((1..50).contains(&planned), "{planned} plans");
}

fn follow(stack: &Stack, first: &str) -> Vec<i64> {
    let mut path = first.to_owned();
    let mut ids = Vec::new();
    loop {
        let page = stack.get(&path).send().expect(200);
        let rows = page.json();
        let rows = rows.as_array().unwrap();
        ids.extend(rows.iter().map(|it: &Value| it["id"].as_i64().unwrap()));
        let Some(link) = page.header("link") else {
            return ids;
        };
        path = link[1..link.find('>').unwrap()].to_owned();
    }
}

#[test]
fn links_lead_through_a_whole_search_once() {
    let stack = Stack::shared();
    let city = unique("Guarda");
    let many = "INSERT INTO bookings.place
            (owner, name, city, address, parking_type, hourly_rate, capacity, latitude, longitude)
        SELECT gen_random_uuid(), CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END, $1, 'Rua 1', 'covered', 100, 1,
            CASE WHEN n % 10 <> 0 THEN 40 + n % 7 END, CASE WHEN n % 10 <> 0 THEN -7 END
        FROM generate_series(1, 250) AS n RETURNING id";
    let rows = stack.sql().query(many, &[&city]).unwrap();
    let all: Vec<i64> = rows.iter().map(|it| it.get(0)).collect();
    let found = |query: &str| follow(&stack, &format!("/parking?city={city}&{query}"));
    assert_eq!(found("limit=40"), all);
    assert_eq!(found("limit=40&offset=45"), all[45..]);
    assert_eq!(found("name=even&limit=7").len(), 125);
    // Many stand at the same point, and some say no point.
    let mut near = found("latitude=41&longitude=-7&limit=40");
    let nearest = stack.get(&format!("/parking?city={city}&latitude=41&longitude=-7"));
    let nearest = nearest.send().expect(200).json();
    let nearest: Vec<_> = nearest
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_i64().unwrap())
        .collect();
    assert_eq!(near, nearest);
    near.sort_unstable();
    assert_eq!(near, all);
    stack.get("/parking?offset=5001").send().problem(400);
}

#[test]
fn links_lead_through_all_places_with_room() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().expect(200).json()["id"].clone();
    let places: Vec<_> = (0..5).map(|_| offer(&owner, 100, 1)).collect();
    book_confirmed(&stack, &driver(&stack, 1_000), places[2], 0, 60);
    let (from, to) = (at(&stack, 0), at(&stack, 30));
    let path = format!(
        "/parking?owner_id={}&date_from={from}&date_to={to}&limit=2",
        me.as_str().unwrap()
    );
    let with_room = [places[0], places[1], places[3], places[4]];
    assert_eq!(follow(&stack, &path), with_room);
}

#[test]
fn links_lead_through_all_bookings_of_a_driver() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 9);
    let driver = driver(&stack, 1_000);
    let mut made: Vec<_> = (0..5)
        .map(|it| book_confirmed(&stack, &driver, place, it, it + 1))
        .collect();
    made.reverse();
    let mut path = "/booking?limit=2".to_owned();
    let mut listed = Vec::new();
    loop {
        let page = driver.get(&path).send().expect(200);
        let rows = page.json();
        listed.extend(
            rows.as_array()
                .unwrap()
                .iter()
                .map(|it| it["booking_id"].as_i64().unwrap()),
        );
        let Some(link) = page.header("link") else {
            break;
        };
        path = link[1..link.find('>').unwrap()].to_owned();
    }
    assert_eq!(listed, made);
}

#[test]
fn a_network_that_searches_without_end_is_slowed_down() {
    let stack = Stack::start();
    let many = redis::cmd("SET")
        .arg(&["bookings:searches:127.0.0.1", "1199", "EX", "60"])
        .query::<()>(&mut stack.redis());
    many.unwrap();
    let near = "/parking?latitude=1&longitude=1";
    stack.get(near).send().expect(200);
    for path in [near, "/parking?name=a"] {
        let refused = stack.get(path).send();
        assert_eq!(refused.header("retry-after"), Some("60"));
        assert_eq!(refused.problem(429)["code"], "too-many-searches");
    }
    // What an index answers at once is not counted.
    stack.get("/parking?city=Porto").send().expect(200);
}
