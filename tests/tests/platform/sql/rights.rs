//! Roles by which one function asks another: they reach what the other gives, and nothing beside it.

use std::fs;

use wharf_tests::repository;

use super::Database;

/// What other functions may know of a person.
const PERSON: [&str; 12] = [
    "cpf",
    "email",
    "has_totp",
    "id",
    "is_disabled",
    "is_email_verified",
    "login",
    "name",
    "number",
    "roles",
    "surname",
    "telegram_id",
];

#[test]
fn the_roles_that_look_people_up_read_no_table() {
    let database = Database::migrated();
    let reads = "SELECT relation.oid::regclass::text
        FROM pg_class AS relation JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'v', 'm', 'p', 'S') AND nspname !~ '^(pg_|information_schema|wharf|events)'
            AND nspname <> $1 AND has_schema_privilege('wharf_' || $1, pg_namespace.oid, 'USAGE')
            AND (has_table_privilege('wharf_' || $1, relation.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                OR relkind <> 'S'
                    AND has_any_column_privilege('wharf_' || $1, relation.oid, 'SELECT, INSERT, UPDATE'))";
    for role in ["accounts", "passcodes"] {
        let read = database.owner().query(reads, &[&role]).unwrap();
        let read: Vec<String> = read.iter().map(|it| it.get(0)).collect();
        assert!(read.is_empty(), "wharf_{role} reaches {read:?}");
        let mut client = database.role(role);
        for secret in [
            "SELECT password FROM signin.account",
            "SELECT secret FROM signin.session",
            "SELECT code FROM signin.passcode",
            "SELECT signin.look_up(NULL, NULL, 'admin', NULL, NULL)",
            "SELECT signin.forget_addresses(gen_random_uuid())",
        ] {
            let refused = client.batch_execute(secret).unwrap_err();
            assert_eq!(refused.code().unwrap().code(), "42501", "{secret}");
        }
    }
    let guess = "SELECT passcodes.redeem_passcode('123456', '', '')";
    assert!(database.role("accounts").batch_execute(guess).is_err());
}

/// With tries of sign-ins a kiosk's function could lock people out, or guess their passwords without a limit.
#[test]
fn the_role_of_kiosks_counts_tries_of_passcodes_alone() {
    let mut client = Database::migrated().role("passcodes");
    for (gate, may) in [
        ("{tries}:passcode:x", true),
        ("{tries}:passcode-anywhere:x", true),
        ("{tries}:recorded-unknown:x", true),
        ("{tries}:pair:x", false),
        ("{tries}:account:passcode", false),
    ] {
        for call in [
            "SELECT take_try(ARRAY[$1], '{5}', '{60}')",
            "SELECT forgive_try(ARRAY['{tries}:passcode:x', $1])",
        ] {
            let mut sql = client.transaction().unwrap();
            let called = sql.query_one(call, &[&gate]);
            let code = called.as_ref().err().map(|it| it.code().unwrap().code());
            assert_eq!(code, (!may).then_some("42501"), "{call} of {gate}");
        }
    }
}

/// A code opens the account of its reader, and a letter that cannot be sent waits for long.
#[test]
fn the_role_of_jobs_reads_no_code_of_a_letter() {
    let mut owner = Database::migrated().owner();
    let mut sql = owner.transaction().unwrap();
    sql.batch_execute(
        r#"INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT kind, 'letter of ' || kind, '{
            "user_id": 7, "params": {"token": "s3cr3t"}, "subject": "s3cr3t", "text": "s3cr3t"
        }' FROM unnest(ARRAY['notify:security', 'deliver:letter']) AS kind"#,
    )
    .unwrap();
    let claim = "SET LOCAL SESSION AUTHORIZATION wharf_notify;
        SELECT FROM events.claim_deliveries(10, 10, 1000)";
    for (step, state) in [("SELECT", "emitted"), (claim, "running")] {
        sql.batch_execute(step).unwrap();
        sql.batch_execute("SET LOCAL SESSION AUTHORIZATION wharf_jobs")
            .unwrap();
        let seen = "SELECT payload::text FROM events.entry
            WHERE aggregate LIKE 'letter of %' AND state = $1";
        let seen = sql.query(seen, &[&state]).unwrap();
        let seen: Vec<String> = seen.iter().map(|it| it.get(0)).collect();
        assert_eq!(seen, [r#"{"user_id": 7}"#; 2], "{state}");
    }
    let refused = sql.batch_execute("SELECT payload FROM events.delivery");
    assert_eq!(refused.unwrap_err().code().unwrap().code(), "42501");
}

#[test]
fn what_other_functions_know_of_people_has_no_secret_in_it() {
    let database = Database::migrated();
    for (role, person) in [
        (
            "accounts",
            "accounts.find_person(NULL, NULL, '', NULL, NULL)",
        ),
        ("accounts", "accounts.list_people('{}')"),
        ("accounts", "accounts.list_people_of_chat(1)"),
        ("passcodes", "accounts.list_people('{}')"),
        ("passcodes", "find_passcode_owner('', '', '')"),
        ("passcodes", "redeem_passcode('', '', '')"),
    ] {
        let mut client = database.role(role);
        let statement = client.prepare(&format!("SELECT * FROM {person}")).unwrap();
        let mut columns: Vec<_> = statement.columns().iter().map(|it| it.name()).collect();
        columns.sort_unstable();
        assert_eq!(columns, PERSON, "{person}");
        assert!(client.query(&statement, &[]).unwrap().is_empty());
    }
}

/// Asserts that the role of a component may run none of these statements.
fn assert_forbidden(role: &str, statements: &[&str]) {
    let mut client = Database::migrated().role(role);
    for forbidden in statements {
        let refused = client.batch_execute(forbidden).unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{forbidden}");
    }
}

/// The columns of these tables that the role of a component may write. The role may delete none of their rows.
fn written_columns(role: &str, tables: &[&str]) -> Vec<String> {
    let mut owner = Database::migrated().owner();
    let deleted = format!(
        "SELECT relname::text FROM pg_class WHERE relnamespace = '{role}'::regnamespace AND relname = ANY ($1)
            AND has_table_privilege('wharf_{role}', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
    );
    assert!(owner.query(&deleted, &[&tables]).unwrap().is_empty());
    let written = format!(
        "SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = '{role}'::regnamespace AND relname = ANY ($1) AND attnum > 0 AND NOT attisdropped
            AND has_column_privilege('wharf_{role}', attrelid, attnum, 'INSERT, UPDATE')
        ORDER BY 1"
    );
    let written = owner.query(&written, &[&tables]).unwrap();
    written.iter().map(|it| it.get(0)).collect()
}

#[test]
fn the_role_of_bookings_changes_what_is_paid_for_through_functions_only() {
    let written = written_columns("bookings", &["booking", "charge", "refund"]);
    assert_eq!(
        written,
        [
            "booking.kept_to",
            "booking.overstay_due_at",
            "booking.reminded_at",
            "charge.due_at",
            "refund.due_at",
        ]
    );
    assert_forbidden(
        "bookings",
        &[
            "INSERT INTO booking (place_id) VALUES (1)",
            "UPDATE booking SET overstay_cost = 1000000",
            "UPDATE booking SET full_cost = 0",
            "DELETE FROM booking",
            "INSERT INTO charge (booking_id, amount, date_to) VALUES (1, 100, now())",
            "UPDATE charge SET status = 'void'",
            "UPDATE charge SET amount = amount + 1",
            "DELETE FROM charge",
            "INSERT INTO refund (booking_id, charge_id, amount) VALUES (1, gen_random_uuid(), 100)",
            "UPDATE refund SET status = 'done'",
            "UPDATE refund SET amount = amount + 1",
            "DELETE FROM refund",
            "SELECT owe(1, 100)",
        ],
    );
}

#[test]
fn the_role_of_orders_changes_what_is_paid_for_through_functions_only() {
    let money = ["customer_order", "item", "charge", "refund", "given_back"];
    let written = written_columns("orders", &money);
    assert_eq!(written, ["charge.due_at", "refund.due_at"]);
    assert_forbidden(
        "orders",
        &[
            "UPDATE customer_order SET paid_at = now()",
            "UPDATE item SET refunded = 0",
            "INSERT INTO charge (order_id, kind, amount) VALUES (1, 'wallet', 100)",
            "UPDATE charge SET status = 'paid'",
            "INSERT INTO refund (order_id, charge_id, amount) VALUES (1, gen_random_uuid(), 100)",
            "UPDATE refund SET status = 'done'",
            "DELETE FROM given_back",
            "SELECT owe(1, 100)",
            "SELECT begin_kitchen(1, NULL)",
            "SELECT end_order(customer_order, 'refunded', NULL, true) FROM customer_order",
        ],
    );
}

#[test]
fn the_role_of_fines_changes_what_is_paid_for_through_functions_only() {
    let money = ["ticket", "past_tariff", "fine", "charge", "refund"];
    let written = written_columns("fines", &money);
    assert_eq!(
        written,
        [
            "charge.due_at",
            "fine.warned_at",
            "refund.due_at",
            "ticket.alerted_at",
            "ticket.buyer",
            "ticket.warned_at",
        ]
    );
    assert_forbidden(
        "fines",
        &[
            "UPDATE ticket SET paid_at = now()",
            "UPDATE fine SET status = 'cancelled'",
            "UPDATE fine SET amount = 1",
            "UPDATE charge SET status = 'void'",
            "INSERT INTO refund (charge_id, amount) VALUES (gen_random_uuid(), 100)",
            "UPDATE refund SET status = 'done'",
            "DELETE FROM refund",
            "SELECT fine_paid(charge) FROM charge",
            "SELECT fine_returned(charge) FROM charge",
            "SELECT open_charge('fine', 1, 'wallet', NULL, NULL, 1, 'EUR', false, NULL, NULL)",
        ],
    );
}

#[test]
fn the_role_of_payments_changes_money_through_functions_only() {
    let written = "SELECT relname::text FROM pg_class
        WHERE relnamespace = 'payments'::regnamespace AND relkind IN ('r', 'v', 'm', 'p')
            AND (has_table_privilege('wharf_payments', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                OR has_any_column_privilege('wharf_payments', oid, 'INSERT, UPDATE'))";
    let written = Database::migrated().owner().query(written, &[]).unwrap();
    let written: Vec<&str> = written.iter().map(|it| it.get(0)).collect();
    assert_eq!(written, ["idempotency_key"]);
    // What an admin does by hand leaves a trace: these are parts of functions that do.
    let untraced = "SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'payments'::regnamespace AND has_function_privilege('wharf_payments', oid, 'EXECUTE')
            AND proname IN ('create_promocode', 'withdraw_promocode', 'pay_out', 'return_payout', 'note_act', 'book')";
    let untraced = Database::migrated().owner().query(untraced, &[]).unwrap();
    let untraced: Vec<&str> = untraced.iter().map(|it| it.get(0)).collect();
    assert!(untraced.is_empty(), "{untraced:?}");
}

/// Otherwise its caller says which tables it finds.
#[test]
fn every_function_that_runs_as_the_owner_names_its_search_path() {
    let without = "SELECT oid::regprocedure::text FROM pg_proc
        WHERE prosecdef AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
            AND NOT coalesce(array_to_string(proconfig, ';') ~ 'search_path=[a-z_]+, pg_temp(;|$)', false)";
    let without = Database::migrated().owner().query(without, &[]).unwrap();
    let without: Vec<&str> = without.iter().map(|it| it.get(0)).collect();
    assert!(without.is_empty(), "{without:#?}");
}

/// The components that are given a variable in the manifest.
fn given(variable: &str) -> Vec<String> {
    let manifest = fs::read_to_string(repository().join("spin.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut given = Vec::new();
    for (name, component) in manifest["component"].as_table().unwrap() {
        let variables = component.get("variables").and_then(|it| it.as_table());
        let values = variables
            .into_iter()
            .flatten()
            .filter_map(|it| it.1.as_str());
        if values.into_iter().any(|it| it.contains(variable)) {
            given.push(name.clone());
        }
    }
    given
}

#[test]
fn secrets_are_given_to_the_functions_that_need_them() {
    assert_eq!(given("signin_database_url"), ["signin"]);
    assert_eq!(given("jwt_private_key"), ["signin"]);
    // Nothing else may mark sessions as ended, or lose such marks.
    assert_eq!(given("signin_redis_url"), ["signin"]);
    assert!(given("{{ redis_url }}").is_empty(), "it may do everything");
    for half in ["access", "secret"] {
        for function in ["orders", "fines", "modpacks"] {
            let key = format!("{{{{ {function}_s3_{half}_key }}}}");
            assert_eq!(given(&key), [function]);
        }
        let everything = format!("{{{{ s3_{half}_key }}}}");
        assert!(given(&everything).is_empty(), "it may do everything");
    }
    // The route of its webhooks reads it, and no function that payments is composed into.
    assert_eq!(given("psp_webhook_secret"), ["payments", "sandbox-psp"]);
}
