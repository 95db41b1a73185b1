SELECT code, title, amount, currency FROM violation WHERE removed_at IS NULL ORDER BY code LIMIT 1000
