-- $1 settlements
SELECT events.settle_deliveries($1)
