-- Whose sign-in it is, so that it is erased with its person.
ALTER TABLE session ADD COLUMN user_id uuid;
CREATE INDEX session_of_user ON session (user_id);
