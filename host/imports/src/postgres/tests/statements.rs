//! Statements, their values and their errors.

use super::*;
use crate::bindings::spin::postgres4_2_0::postgres::{DbDataType, Interval, RangeBoundKind};
use crate::testing::Proxy;

#[tokio::test]
async fn a_prepared_statement_takes_one_round_trip() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools();
    let statement = "SELECT $1::int4 + 1";
    let warm = open(&pools, proxy.port).await;
    warm.query(statement, &[ParameterValue::Int32(1)])
        .await
        .unwrap();

    let before = proxy.round_trips();
    let connection = open(&pools, proxy.port).await;
    for _ in 0..10 {
        connection
            .query(statement, &[ParameterValue::Int32(1)])
            .await
            .unwrap();
        drop(
            connection
                .stream(statement, &[ParameterValue::Int32(1)])
                .await
                .unwrap(),
        );
    }
    drop(connection);
    assert_eq!(proxy.round_trips() - before, 20);
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn the_text_of_a_long_statement_is_not_kept() {
    let pools = make_pools_with(limited_to(1));
    let connection = open(&pools, testing::shared_postgres()).await;
    let long = "x".repeat(MAX_KEPT_BYTES);
    for number in 0..3 {
        // The server is asked what the function does.
        let statement = format!("SELECT abs({number}) /* {long} */");
        assert_eq!(query_number(&connection, &statement).await, number);
    }
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE length(statement) > 1000";
    assert_eq!(query_number(&connection, prepared).await, 0);
    let known = connection.inner.pool.known_bytes();
    assert!((prepared.len()..1000).contains(&known), "{known}");
}

fn values() -> Vec<(&'static str, ParameterValue, DbValue, DbDataType)> {
    use RangeBoundKind::{Exclusive, Inclusive};
    macro_rules! same {
        ($type:literal, $kind:ident, $value:expr) => {
            (
                $type,
                ParameterValue::$kind($value),
                DbValue::$kind($value),
                DbDataType::$kind,
            )
        };
    }
    let interval = Interval {
        micros: -1,
        days: 40,
        months: 14,
    };
    let some = |value: &str| Some(value.to_owned());
    vec![
        same!("bool", Boolean, true),
        same!("\"char\"", Int8, 65),
        same!("int2", Int16, i16::MIN),
        same!("int4", Int32, i32::MIN),
        same!("int8", Int64, i64::MAX),
        same!("float4", Floating32, 1.5),
        same!("float8", Floating64, -0.1),
        same!("text", Str, "São Paulo 🚗".to_owned()),
        same!("varchar", Str, String::new()),
        same!("bytea", Binary, vec![0, 255, 10]),
        same!("date", Date, (2026, 11, 21)),
        same!("date", Date, (-43, 3, 15)),
        same!("time", Time, (23, 59, 59, 123_456_000)),
        same!("timestamp", Datetime, (1969, 7, 20, 20, 17, 40, 1_000)),
        same!("timestamptz", Datetime, (2026, 2, 28, 23, 0, 0, 0)),
        (
            "timestamptz",
            ParameterValue::Timestamp(1_000_000_000),
            DbValue::Datetime((2001, 9, 9, 1, 46, 40, 0)),
            DbDataType::Datetime,
        ),
        same!(
            "uuid",
            Uuid,
            "0190163d-8694-739b-aea5-966c26f8ad91".to_owned()
        ),
        same!("jsonb", Jsonb, br#"{"a": [1, null, "b"]}"#.to_vec()),
        same!(
            "numeric",
            Decimal,
            "-12345678901234567890.0000000001".to_owned()
        ),
        same!("numeric", Decimal, "0.00".to_owned()),
        same!("numeric", Decimal, "NaN".to_owned()),
        same!(
            "int4range",
            RangeInt32,
            (Some((1, Inclusive)), Some((7, Exclusive)))
        ),
        same!("int4range", RangeInt32, (None, None)),
        // The server's way of writing them is [a, b).
        (
            "int8range",
            ParameterValue::RangeInt64((Some((1, Exclusive)), Some((7, Inclusive)))),
            DbValue::RangeInt64((Some((2, Inclusive)), Some((8, Exclusive)))),
            DbDataType::RangeInt64,
        ),
        same!(
            "int8range",
            RangeInt64,
            (Some((0, Exclusive)), Some((0, Exclusive)))
        ),
        same!(
            "numrange",
            RangeDecimal,
            (Some(("0.5".to_owned(), Exclusive)), None)
        ),
        same!("int4[]", ArrayInt32, vec![Some(1), None, Some(-3)]),
        same!("int4[]", ArrayInt32, vec![]),
        same!("int8[]", ArrayInt64, vec![Some(i64::MIN)]),
        same!("numeric[]", ArrayDecimal, vec![some("1.50"), None]),
        same!("text[]", ArrayStr, vec![some("a,b"), None, some("")]),
        same!("varchar[]", ArrayStr, vec![some("c")]),
        same!("interval", Interval, interval),
    ]
}

#[tokio::test]
async fn every_type_survives_a_round_trip_and_may_be_null() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    for (ty, parameter, expected, data_type) in values() {
        let statement = format!("SELECT $1::{ty} AS v, NULL::{ty}");
        let set = connection
            .query(&statement, std::slice::from_ref(&parameter))
            .await;
        let set = set.unwrap_or_else(|error| panic!("{ty} {parameter:?}: {error:?}"));
        let row = format!("{:?}", set.rows[0]);
        assert_eq!(row, format!("{:?}", [expected, DbValue::DbNull]), "{ty}");
        assert_eq!(
            format!("{:?}", set.columns[0].data_type),
            format!("{data_type:?}")
        );
        assert_eq!(set.columns[0].name, "v");

        let set = connection
            .query(&statement, &[ParameterValue::DbNull])
            .await
            .unwrap();
        assert!(matches!(set.rows[0][0], DbValue::DbNull), "{ty}");
    }
}

#[tokio::test]
async fn values_of_types_that_wit_lacks_keep_their_type_name_and_bytes() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    let set = connection
        .query("SELECT '1'::json, 'a'::name", &[])
        .await
        .unwrap();
    assert!(matches!(&set.columns[0].data_type, DbDataType::Other(name) if name == "json"));
    assert!(matches!(&set.rows[0][0], DbValue::Unsupported(raw) if raw == b"1"));
    assert!(matches!(&set.rows[0][1], DbValue::Unsupported(raw) if raw == b"a"));

    run(
        &connection,
        "CREATE DOMAIN plate AS text CHECK (length(VALUE) = 7)",
    )
    .await;
    let plate = [ParameterValue::Str("ABC1D23".to_owned())];
    let set = connection.query("SELECT $1::plate", &plate).await.unwrap();
    assert!(matches!(&set.rows[0][0], DbValue::Str(plate) if plate == "ABC1D23"));
}

#[tokio::test]
async fn a_parameter_that_does_not_fit_is_not_reported_as_a_failed_query() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    for (statement, parameters, hint) in [
        ("SELECT $1::int8", vec![ParameterValue::Int32(1)], "int32"),
        (
            "SELECT $1::uuid",
            vec![ParameterValue::Uuid("x".to_owned())],
            "invalid UUID",
        ),
        (
            "SELECT $1::date",
            vec![ParameterValue::Date((2026, 2, 30))],
            "invalid date",
        ),
        (
            "SELECT $1::numeric",
            vec![ParameterValue::Decimal("1e3".to_owned())],
            "invalid decimal",
        ),
        ("SELECT $1::int4", vec![], "takes 1 parameters, not 0"),
    ] {
        match connection.query(statement, &parameters).await {
            Err(Error::BadParameter(cause)) => assert!(cause.contains(hint), "{cause}"),
            other => panic!("{statement}: {other:?}"),
        }
    }
    for value in [
        "'infinity'::timestamp",
        "ARRAY[[1],[2]]",
        "'-infinity'::date",
    ] {
        let failed = connection
            .query(&format!("SELECT {value}"), &[])
            .await
            .unwrap_err();
        assert!(
            matches!(failed, Error::ValueConversionFailed(_)),
            "{failed:?}"
        );
    }
    assert_eq!(query_number(&connection, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_database_error_carries_its_code_and_the_constraint() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    run(
        &connection,
        "CREATE TABLE spot (id int4 CONSTRAINT spot_is_unique PRIMARY KEY)",
    )
    .await;
    run(&connection, "INSERT INTO spot VALUES (1)").await;
    let failed = connection.execute("INSERT INTO spot VALUES (1)", &[]).await;
    let error = expect_db_error(failed.unwrap_err());
    assert_eq!(
        (error.code.as_str(), error.severity.as_str()),
        ("23505", "ERROR")
    );
    assert!(error.message.contains("spot_is_unique"));
    assert_eq!(
        error.detail.as_deref(),
        Some("Key (id)=(1) already exists.")
    );
    let extra = |name| {
        error
            .extras
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(extra("constraint"), Some("spot_is_unique"));
    assert_eq!(extra("table"), Some("spot"));
    assert_eq!(extra("schema"), Some("public"));
    assert!(error.as_text.contains("23505"), "{}", error.as_text);
}

#[tokio::test]
async fn execute_returns_the_number_of_affected_rows() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    run(&connection, "CREATE TABLE counted (id int4)").await;
    assert_eq!(
        run(&connection, "INSERT INTO counted VALUES (1), (2), (3)").await,
        3
    );
    assert_eq!(
        run(&connection, "UPDATE counted SET id = 0 WHERE id > 1").await,
        2
    );
    assert_eq!(run(&connection, "SELECT * FROM counted").await, 3);
    assert_eq!(
        run(&connection, "DELETE FROM counted WHERE id = 7").await,
        0
    );
}

#[tokio::test]
async fn a_prepared_statement_survives_a_change_of_its_table() {
    let pools = make_pools_with(limited_to(1));
    let connection = open(&pools, testing::shared_postgres()).await;
    run(&connection, "CREATE TABLE altered (id int4, note text)").await;
    run(&connection, "INSERT INTO altered VALUES (1, 'a')").await;
    let statement = "SELECT * FROM altered";
    let before = connection.query(statement, &[]).await.unwrap();
    let other = open(&make_pools_with(limited_to(1)), testing::shared_postgres()).await;
    run(
        &other,
        "ALTER TABLE altered ALTER id TYPE int8, ADD extra bool DEFAULT true",
    )
    .await;
    drop(connection);
    let connection = open(&pools, testing::shared_postgres()).await;
    let after = connection.query(statement, &[]).await.unwrap();
    assert_eq!((before.columns.len(), after.columns.len()), (2, 3));
    assert!(
        matches!(after.rows[0][0], DbValue::Int64(1)),
        "{:?}",
        after.rows
    );
}
