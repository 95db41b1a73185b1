-- What tickets and fines cost, what was charged for them and what goes back is decided by functions, under their locks. The
-- role says when a sweep comes again, that people were told, and that the buyer of a ticket was erased. A copy of the release
-- before that still runs cannot mark a refund as paid or a charge as void; the sweep of another copy does, because the ledger
-- pays a refund once and keeps a charge void.
REVOKE INSERT, UPDATE, DELETE ON ticket, fine, charge, refund FROM wharf_fines;
GRANT UPDATE (due_at) ON charge, refund TO wharf_fines;
GRANT UPDATE (warned_at, alerted_at, buyer) ON ticket TO wharf_fines;
GRANT UPDATE (warned_at) ON fine TO wharf_fines;
