//! The cost of sweeps and lists after years of data. The test counts pages of the database, not time.

use std::fs;

use postgres::Transaction;
use wharf_tests::{Options, pages_read, repository};

use super::Zone;

/// Fines that were never paid and whose drivers were told of a discount, with their checks and photos, and tickets of other
/// buyers; all of them four years old.
const KEPT: &str = "
    INSERT INTO car (plate, shown) SELECT 'KEPT' || n, 'KEPT' || n FROM generate_series(1, 20000) AS n;
    WITH checked AS (
        INSERT INTO plate_check (zone_id, plate, controller, checked_at, result, grace_minutes, is_fined)
        SELECT {zone}, 'KEPT' || n, gen_random_uuid(), now() - interval '4 years', 'none', 5, true
        FROM generate_series(1, 20000) AS n
        RETURNING id, plate
    ), fined AS (
        INSERT INTO fine (
            request, reference, zone_id, plate, shown, amount, currency, issued_at, issuer, check_id, schedule, noted_due,
            next_step_at, warned_at
        )
        SELECT gen_random_uuid(), 'kept-' || id, {zone}, plate, plate, 2000, 'USD', now() - interval '4 years',
            gen_random_uuid(), id, '{\"discounts\": [], \"surcharges\": [], \"appeal_days\": 30, \"waiver_percent\": 0}', 1000,
            now() + interval '1 day', now()
        FROM checked
        RETURNING id
    )
    INSERT INTO photo (id, fine_id, author, by_staff, size, media_type, added_at, sha256)
    SELECT gen_random_uuid(), id, gen_random_uuid(), true, 1000, 'image/png', now() - interval '4 years', repeat('a', 64)
    FROM fined;
    INSERT INTO ticket (
        request, zone_id, plate, buyer, start_at, end_at, price, currency, paid_at, stay_from, created_at
    )
    SELECT gen_random_uuid(), {zone}, 'KEPT' || n, gen_random_uuid(), at, at, 100, 'USD', at, at, at
    FROM generate_series(1, 20000) AS n, LATERAL (SELECT now() - interval '4 years' + n * interval '1 minute') AS one (at);
    ANALYZE car;
    ANALYZE plate_check;
    ANALYZE fine;
    ANALYZE photo;
    ANALYZE ticket;";

/// The pages that a statement of fines reads once its plans are made.
fn pages(sql: &mut Transaction<'_>, statement: &str, params: &str) -> i64 {
    let file = format!("components/fines/src/sql/{statement}.sql");
    let text = fs::read_to_string(repository().join(file)).unwrap();
    let execute = format!("EXECUTE it{params}");
    sql.batch_execute(&format!("PREPARE it AS {text}")).unwrap();
    pages_read(sql, &execute);
    let pages = pages_read(sql, &execute);
    sql.batch_execute("DEALLOCATE it").unwrap();
    pages
}

#[test]
fn sweeps_and_lists_do_not_read_long_open_cases() {
    // Not shared: statements of sweeps would claim rows that other tests wait for.
    let stack = Options::default().without_clock().start();
    let zone = Zone::found(&stack).id.to_string();
    let no_check = format!("({zone}, NULL, true, 'NONE', 20, 0)");
    let no_valid = format!("({zone}, NULL, true, true, 20, 0)");
    let no_paid = format!("({zone}, NULL, true, NULL, 'paid', false, 20, 0)");
    let years_ago = |years: i32| {
        format!("(extract(epoch FROM now() - interval '{years} years') * 1000)::bigint")
    };
    let later = format!("(false, {}, NULL, 20, 0)", years_ago(3));
    let earlier = format!("(false, NULL, {}, 20, 0)", years_ago(5));
    let statements = [
        ("anonymize", "(1095, 20)"),
        ("claim_stale_photos", "(50)"),
        ("warn_discounts", "(50)"),
        ("erase", "('00000000-0000-0000-0000-00000000000e')"),
        ("list_checks", &no_check),
        ("list_tickets", "(true, NULL, NULL, 20, 0)"),
        ("list_tickets", &later),
        ("list_tickets", &earlier),
        ("list_tickets_in", &no_valid),
        ("list_cars", "(true, 20, 0)"),
        ("list_fines", "(NULL, 'paid', false, 20, 0)"),
        ("list_fines", "('NONE', NULL, false, 20, 0)"),
        ("list_fines", "(NULL, NULL, true, 20, 0)"),
        ("list_fines_in", &no_paid),
    ];
    let mut sql = stack.sql();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute("SET LOCAL search_path = fines").unwrap();
    let few = statements.map(|(statement, params)| pages(&mut sql, statement, params));
    sql.batch_execute(&KEPT.replace("{zone}", &zone)).unwrap();
    for ((statement, params), few) in statements.into_iter().zip(few) {
        let many = pages(&mut sql, statement, params);
        assert!(
            many <= 2 * few + 200,
            "{statement}: {many} pages with many cases, {few} without"
        );
    }
}
