//! Classifies statements: which need a session or a connection of their own, and which may run on any connection of the
//! pool, with others queued behind them.
//!
//! Statements that are not known to be free of session state are assumed to have some. The check reads words, not SQL, so it
//! also counts words inside literals and comments; such a mistake costs a dedicated connection, never correctness. It cannot
//! see that a SELECT calls a user-defined function that changes the session, or that a view calls one that locks.

/// The part of its session that a statement uses, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// None: the statement is a transaction of its own, leaves no state behind and waits for no lock of a row.
    Nothing,
    /// The same, if the functions that it calls only read. The server knows.
    Calls,
    /// Its connection while it runs: it may wait for a lock that another transaction holds. A statement queued behind it would
    /// wait with it, and the two would wait for each other if that transaction comes to its end only after the second.
    Alone,
    /// The transaction that it begins, ends or belongs to. A rollback leaves the session clean.
    Transaction,
    /// The session: its changes stay until a reset.
    Session,
    /// The connection: no reset makes it reusable.
    Connection,
}

/// Functions that read or change the session.
const SESSION_FUNCTIONS: [&str; 5] = [
    "currval",
    "lastval",
    "pg_export_snapshot",
    "set_config",
    "setseed",
];
/// Prefixes of the names of such functions and schemas.
const SESSION_PREFIXES: [&str; 7] = [
    "dblink",
    "lo_",
    "pg_advisory_lock",
    "pg_advisory_unlock",
    "pg_my_temp",
    "pg_temp",
    "pg_try_advisory_lock",
];

pub fn classify(statement: &str) -> Need {
    let mut words = words(statement);
    let first = words.next().unwrap_or_default();
    let is = |word: &str| first.eq_ignore_ascii_case(word);

    let plain = [
        "select", "insert", "update", "delete", "with", "values", "merge",
    ];
    if plain.into_iter().any(is) {
        let mut previous = first;
        let uses_session = words.any(|word| {
            let before = std::mem::replace(&mut previous, word);
            uses_session(word) || makes_temporary_table(before, word)
        });
        return if uses_session {
            Need::Session
        } else if has_writing_words(statement) {
            Need::Alone
        } else if called_names(statement).next().is_some() {
            Need::Calls
        } else {
            Need::Nothing
        };
    }
    // The first two also deallocate the host's prepared statements. The driver cannot end a COPY that waits for data.
    if ["deallocate", "discard", "copy"].into_iter().any(is) {
        return Need::Connection;
    }
    let transaction_words = [
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
    let scoped_to_transaction = ["local", "transaction", "constraints"];
    let set = is("set").then(|| words.next().unwrap_or_default());
    let sets_for_transaction = set.is_some_and(|scope| {
        scoped_to_transaction
            .into_iter()
            .any(|word| scope.eq_ignore_ascii_case(word))
    });
    if sets_for_transaction || transaction_words.into_iter().any(is) {
        return Need::Transaction;
    }
    Need::Session
}

fn uses_session(word: &str) -> bool {
    // Statements are classified on every call. The first letter rules out most words.
    let first = word.as_bytes().first().map(u8::to_ascii_lowercase);
    matches!(first, Some(b'c' | b'd' | b'l' | b'p' | b's'))
        && (SESSION_FUNCTIONS
            .into_iter()
            .any(|known| word.eq_ignore_ascii_case(known))
            || SESSION_PREFIXES
                .into_iter()
                .any(|known| has_prefix(word, known)))
}

fn has_writing_words(statement: &str) -> bool {
    words(statement).any(|word| {
        let first = word.as_bytes().first().map(u8::to_ascii_lowercase);
        matches!(first, Some(b'd' | b'f' | b'i' | b'm' | b'u'))
            && ["insert", "update", "delete", "merge", "for", "into"]
                .into_iter()
                .any(|known| word.eq_ignore_ascii_case(known))
    })
}

/// The words before a parenthesis that may be functions. Also types, aliases and keywords that are not listed.
pub fn called_names(statement: &str) -> impl Iterator<Item = &str> {
    let mut rest = skip_comments(statement);
    let mut previous = "";
    words(statement).filter(move |word| {
        let before = std::mem::replace(&mut previous, word);
        // `words` yields them in order, so the next occurrence is this one.
        rest = rest.split_once(word).map_or("", |(_, after)| after);
        let is_called = rest
            .trim_start_matches(['"', ' ', '\n', '\t', '\r'])
            .starts_with('(');
        // What follows AS is an alias or a type.
        is_called && !before.eq_ignore_ascii_case("as") && !is_keyword(word)
    })
}

/// Whether the word is a keyword that often stands before a parenthesis.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 25] = [
        "all",
        "and",
        "any",
        "as",
        "by",
        "coalesce",
        "distinct",
        "except",
        "exists",
        "filter",
        "from",
        "in",
        "intersect",
        "join",
        "lateral",
        "not",
        "on",
        "or",
        "over",
        "select",
        "union",
        "using",
        "values",
        "when",
        "where",
    ];
    KEYWORDS
        .into_iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

fn has_prefix(word: &str, prefix: &str) -> bool {
    let start = word.get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `SELECT … INTO TEMP …`.
fn makes_temporary_table(before: &str, word: &str) -> bool {
    before.eq_ignore_ascii_case("into")
        && (word.eq_ignore_ascii_case("temp") || word.eq_ignore_ascii_case("temporary"))
}

/// The words that could be keywords or names. Only comments before the first word are skipped.
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

/// The text after a block comment. Block comments nest.
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
    fn plain_statements_need_no_session() {
        for statement in [
            "SELECT 1",
            "  select temp from a where temporary > 3",
            "\n-- the balance\nSELECT balance FROM account",
            "/* a */ /* b /* c */ /* d */ */ (SELECT 1) UNION (SELECT 2)",
            "VALUES (1), (2)",
            "WITH x AS (SELECT 1) SELECT * FROM x WHERE EXISTS (SELECT 1) AND a IN (1, 2)",
        ] {
            assert_eq!(classify(statement), Need::Nothing, "{statement}");
        }
    }

    #[test]
    fn statements_that_may_wait_for_a_lock_run_alone() {
        for statement in [
            "INSERT INTO a (note) VALUES ($1) RETURNING id",
            "UPDATE a SET b = nextval('s')",
            "DELETE FROM a",
            "WITH x AS (INSERT INTO a VALUES (1) RETURNING *) SELECT * FROM x",
            "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE",
            "SELECT * FROM job FOR UPDATE SKIP LOCKED",
        ] {
            assert_eq!(classify(statement), Need::Alone, "{statement}");
        }
    }

    #[test]
    fn what_functions_do_is_asked_of_the_server() {
        for (statement, names) in [
            (
                "SELECT pg_advisory_xact_lock(1)",
                &["pg_advisory_xact_lock"][..],
            ),
            ("SELECT pg_notify('a', 'b')", &["pg_notify"]),
            ("SELECT * FROM shop.take ($1)", &["take"]),
            (
                "SELECT \"Take\"(count) AS t(a), b::numeric(2)",
                &["Take", "numeric"],
            ),
            (
                "WITH a AS (SELECT max(x) FROM b) SELECT lower(y) FROM a",
                &["max", "lower"],
            ),
        ] {
            assert_eq!(classify(statement), Need::Calls, "{statement}");
            let called: Vec<&str> = called_names(statement).collect();
            assert_eq!(called, names, "{statement}");
        }
    }

    #[test]
    fn transaction_statements_need_only_a_rollback_afterwards() {
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
            assert_eq!(classify(statement), Need::Transaction, "{statement}");
        }
    }

    #[test]
    fn statements_that_no_reset_undoes_need_the_connection() {
        for statement in ["DISCARD ALL", "deallocate all", "COPY a FROM STDIN"] {
            assert_eq!(classify(statement), Need::Connection, "{statement}");
        }
    }

    #[test]
    fn all_other_statements_need_the_session() {
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
            assert_eq!(classify(statement), Need::Session, "{statement}");
        }
    }
}
