-- What is charged and refunded is decided by functions, under their locks. The role only says when a sweep comes again.
-- A copy of the release before that still runs cannot mark a refund as paid; the sweep of another copy does, because
-- the ledger pays a refund once.
REVOKE INSERT, UPDATE, DELETE ON charge, refund FROM wharf_bookings;
GRANT UPDATE (due_at) ON charge, refund TO wharf_bookings;
REVOKE EXECUTE ON FUNCTION owe FROM PUBLIC, wharf_bookings;
