//! Which statements need a session of their own, and which may run on any connection of the pool.
//!
//! Conservative: whatever is not known to be free of session state is taken to have some. It reads words, not SQL, so a
//! word inside a text or a comment counts too; that costs an exclusive connection, never a wrong answer. What it cannot
//! see is a function of the database that changes the session from within a SELECT.

/// How much of its session a statement needs, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// None: it is a transaction of its own and leaves nothing behind.
    Nothing,
    /// The transaction it begins, ends or is part of.
    Transaction,
    /// The session, which it may change until it is reset.
    Session,
    /// The connection, which is of no use to anybody else afterwards.
    Connection,
}

/// Functions that read or change the session, and beginnings of the names of such.
const OF_THE_SESSION: [&str; 5] = [
    "currval",
    "lastval",
    "pg_export_snapshot",
    "set_config",
    "setseed",
];
const BEGINNINGS: [&str; 7] = [
    "dblink",
    "lo_",
    "pg_advisory_lock",
    "pg_advisory_unlock",
    "pg_my_temp",
    "pg_temp",
    "pg_try_advisory_lock",
];

pub fn need_of(statement: &str) -> Need {
    let mut words = words(statement);
    let first = words.next().unwrap_or_default();
    let is = |word: &str| first.eq_ignore_ascii_case(word);

    let plain = [
        "select", "insert", "update", "delete", "with", "values", "merge",
    ];
    if plain.into_iter().any(is) {
        let mut previous = first;
        let of_the_session = words.any(|word| {
            let before = std::mem::replace(&mut previous, word);
            is_of_the_session(word) || makes_temporary_table(before, word)
        });
        return if of_the_session {
            Need::Session
        } else {
            Need::Nothing
        };
    }
    // Statements we prepared are gone with the guest's; a copy waits for data in a way the driver cannot end.
    if ["deallocate", "discard", "copy"].into_iter().any(is) {
        return Need::Connection;
    }
    let of_transactions = [
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
        "lock",
    ];
    let ends_with_it = ["local", "transaction", "constraints"];
    let set = is("set").then(|| words.next().unwrap_or_default());
    let set_for_transaction = set.is_some_and(|what| {
        ends_with_it
            .into_iter()
            .any(|word| what.eq_ignore_ascii_case(word))
    });
    if set_for_transaction || of_transactions.into_iter().any(is) {
        return Need::Transaction;
    }
    Need::Session
}

fn is_of_the_session(word: &str) -> bool {
    // Every statement is read at every call; most words are done with here.
    let first = word.as_bytes().first().map(u8::to_ascii_lowercase);
    matches!(first, Some(b'c' | b'd' | b'l' | b'p' | b's'))
        && (OF_THE_SESSION
            .into_iter()
            .any(|known| word.eq_ignore_ascii_case(known))
            || BEGINNINGS.into_iter().any(|known| begins_with(word, known)))
}

fn begins_with(word: &str, beginning: &str) -> bool {
    let start = word.get(..beginning.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// `SELECT … INTO TEMP …`.
fn makes_temporary_table(before: &str, word: &str) -> bool {
    before.eq_ignore_ascii_case("into")
        && (word.eq_ignore_ascii_case("temp") || word.eq_ignore_ascii_case("temporary"))
}

/// Everything that could be a keyword or a name, comments before the first one left out.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    skip_comments(statement)
        .split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn skip_comments(statement: &str) -> &str {
    let mut rest = statement;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(line) = rest.strip_prefix("--") {
            rest = line.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(block) = rest.strip_prefix("/*") {
            rest = after_comment(block);
        } else {
            return rest;
        }
    }
}

/// What follows the end of a block comment. They nest.
fn after_comment(block: &str) -> &str {
    let mut rest = block;
    let mut depth = 1;
    while depth > 0 {
        let Some((inside, after)) = rest.split_once("*/") else {
            return "";
        };
        match inside.split_once("/*") {
            Some((before, _)) => {
                depth += 1;
                rest = rest.get(before.len() + 2..).unwrap_or_default();
            }
            None => {
                depth -= 1;
                rest = after;
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_statements_need_nothing() {
        for statement in [
            "SELECT 1",
            "  select temp from a where temporary > 3",
            "\n-- the balance\nSELECT balance FROM account",
            "/* a */ /* b /* c */ /* d */ */ (SELECT 1) UNION (SELECT 2)",
            "INSERT INTO a (note) VALUES ($1) RETURNING id",
            "UPDATE a SET b = nextval('s')",
            "DELETE FROM a",
            "WITH x AS (INSERT INTO a VALUES (1) RETURNING *) SELECT * FROM x",
            "VALUES (1), (2)",
            "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE",
            "SELECT pg_advisory_xact_lock(1)",
            "SELECT pg_notify('a', 'b')",
            "SELECT * FROM job FOR UPDATE SKIP LOCKED",
        ] {
            assert_eq!(need_of(statement), Need::Nothing, "{statement}");
        }
    }

    #[test]
    fn transactions_need_their_connection_but_leave_it_clean() {
        for statement in [
            "BEGIN",
            "begin isolation level serializable",
            "START TRANSACTION",
            "COMMIT",
            "END",
            "ROLLBACK TO SAVEPOINT a",
            "SAVEPOINT a",
            "RELEASE a",
            "LOCK TABLE a",
            "SET LOCAL work_mem = '1MB'",
            "SET TRANSACTION READ ONLY",
            "SET CONSTRAINTS ALL DEFERRED",
        ] {
            assert_eq!(need_of(statement), Need::Transaction, "{statement}");
        }
    }

    #[test]
    fn what_cannot_be_undone_spoils_the_connection() {
        for statement in ["DISCARD ALL", "deallocate all", "COPY a FROM STDIN"] {
            assert_eq!(need_of(statement), Need::Connection, "{statement}");
        }
    }

    #[test]
    fn everything_else_needs_the_session() {
        for statement in [
            "",
            ";",
            "SET search_path = a",
            "RESET ALL",
            "PREPARE a AS SELECT 1",
            "EXECUTE a",
            "LISTEN a",
            "DECLARE a CURSOR FOR SELECT 1",
            "CREATE TEMP TABLE a (b int)",
            "DO $$ BEGIN END $$",
            "CALL a()",
            "SELECT set_config('a.b', 'c', false)",
            "select PG_ADVISORY_LOCK(1)",
            "SELECT pg_try_advisory_lock_shared(1)",
            "SELECT currval('a'), lastval()",
            "SELECT 1 AS a INTO TEMP b",
            "SELECT * FROM pg_temp.a",
            "SELECT * FROM pg_temp_3.a",
            "/* a /* nested */ SELECT */ SET a = 1",
            "/* endless SELECT 1",
            "-- only a comment",
        ] {
            assert_eq!(need_of(statement), Need::Session, "{statement}");
        }
    }
}
