-- What a booking costs, and what is owed for a late departure, decides what is charged and refunded: functions alone change it.
-- The role says when a sweep comes again, that the ledger was told to let go, and that people were reminded.
REVOKE INSERT, UPDATE, DELETE ON booking FROM wharf_bookings;
GRANT UPDATE (kept_to, overstay_due_at, reminded_at) ON booking TO wharf_bookings;
