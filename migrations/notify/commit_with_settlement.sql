-- The commit of a statement that calls it does not wait for the disk. A delivery writes this way before it is settled: the
-- commit of the settlement comes later in the log and waits for both, and after a crash before it the event is delivered
-- again.
CREATE OR REPLACE FUNCTION commit_with_settlement() RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN true;
END $$;
