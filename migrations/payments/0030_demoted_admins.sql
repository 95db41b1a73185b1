-- When the user last lost the role of an admin. Only acts that they proposed later count.
ALTER TABLE holder ADD demoted_at timestamptz;
