-- $1 names of the limits
UPDATE try SET count = count - 1
WHERE gate IN (SELECT gate FROM try WHERE gate = ANY ($1) AND count > 0 ORDER BY gate FOR UPDATE)
