//! Stopping the platform at a statement: what the statement needs is locked, it is seen to wait, and then
//! whatever is to happen at that point happens.

use std::net::TcpStream;
use std::time::Duration;

use postgres::Client;

use crate::stack::Stack;
use crate::wait::eventually;

const SOON: Duration = Duration::from_secs(60);

impl Stack {
    /// Nobody uses the table until this connection is dropped.
    pub fn lock_table(&self, table: &str) -> Client {
        self.lock(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    }

    /// What `statement` locks stays locked until this connection is dropped.
    pub fn lock(&self, statement: &str) -> Client {
        let mut sql = self.sql();
        sql.batch_execute(&format!("BEGIN; {statement}")).unwrap();
        sql
    }

    /// A statement with these words waits for a lock.
    pub fn waits(&self, words: &str) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()";
        let mut sql = self.sql();
        eventually(words, SOON, || {
            let found: i64 = sql.query_one(waiting, &[&words]).unwrap().get(0);
            found > 0
        });
    }

    /// PostgreSQL, which goes the way of its host, is gone, and with it every statement that waits. A lock that
    /// is dropped sooner lets them through.
    pub fn outlive_postgres(&self) {
        eventually("PostgreSQL is gone", SOON, || {
            TcpStream::connect(self.postgres_address()).is_err()
        });
    }
}
