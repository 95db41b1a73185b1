//! Stops the platform at a statement: the test locks rows that the statement needs, sees the statement wait, and then acts
//! at that point.

use std::thread;
use std::time::Duration;

use postgres::Client;

use crate::stack::Stack;
use crate::wait::eventually;

const SOON: Duration = Duration::from_secs(60);

impl Stack {
    /// Locks the table until this connection is dropped.
    pub fn lock_table(&self, table: &str) -> Client {
        self.lock(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    }

    /// Carries out `statement`, whose locks are held until this connection is dropped.
    pub fn lock(&self, statement: &str) -> Client {
        let mut sql = self.sql();
        sql.batch_execute(&format!("BEGIN; {statement}")).unwrap();
        sql
    }

    /// Waits until a statement with these words waits for a lock.
    pub fn wait_for_lock(&self, words: &str) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()";
        let mut sql = self.sql();
        eventually(words, SOON, || {
            let found: i64 = sql.query_one(waiting, &[&words]).unwrap().get(0);
            found > 0
        });
    }

    /// Carries out `first` in a transaction that is committed once `second` waits for it; answers the text that
    /// each returns. Both run with this schema as their search path.
    #[track_caller]
    pub fn overlap(&self, schema: &str, first: &str, second: &str) -> (String, String) {
        let begin = format!("SET search_path = {schema}; BEGIN");
        let mut earlier = self.sql();
        earlier.batch_execute(&begin).unwrap();
        let first = earlier.query_one(first, &[]).unwrap().get(0);
        thread::scope(|scope| {
            let later = scope.spawn(|| {
                let mut sql = self.sql();
                sql.batch_execute(&begin).unwrap();
                let second = sql.query_one(second, &[]).unwrap().get(0);
                sql.batch_execute("COMMIT").unwrap();
                second
            });
            self.wait_for_lock(second);
            earlier.batch_execute("COMMIT").unwrap();
            (first, later.join().unwrap())
        })
    }

    /// Ends every statement of a host that was killed. Otherwise PostgreSQL would still carry out one that
    /// waits for a lock once the lock is released.
    pub fn end_statements(&self) {
        let end =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'wharf\\_%'";
        let mut sql = self.sql();
        eventually("no connection of the host is left", SOON, || {
            sql.query(end, &[]).unwrap().is_empty()
        });
    }
}
