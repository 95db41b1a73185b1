-- $1 user, $2 quota
INSERT INTO usage AS u (user_id, quota, is_own_quota) VALUES ($1, $2, true)
ON CONFLICT (user_id) DO UPDATE SET quota = $2, is_own_quota = true
RETURNING stored, reserved, quota
