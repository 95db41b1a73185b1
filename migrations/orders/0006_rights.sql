-- What an order costs, what was charged for it and what goes back is decided by functions, under their locks. The role only
-- says when a sweep comes again. A copy of the release before that still runs cannot mark a refund as paid; the sweep of
-- another copy does, because the ledger and the provider pay a refund once.
REVOKE INSERT, UPDATE, DELETE ON customer_order, item, charge, refund, given_back FROM wharf_orders;
GRANT UPDATE (due_at) ON charge, refund TO wharf_orders;
