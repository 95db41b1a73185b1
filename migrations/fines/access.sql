-- The rights of a caller, zone by zone.

-- Whether a user runs a zone.
CREATE OR REPLACE FUNCTION runs_zone(the_zone bigint, the_user uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM zone_role WHERE zone_id = the_zone AND user_id = the_user AND role = 'admin');

-- Whether a user works in a zone: runs it, or checks cars there.
CREATE OR REPLACE FUNCTION works_in_zone(the_zone bigint, the_user uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM zone_role WHERE zone_id = the_zone AND user_id = the_user);

-- Whether a user may see a fine: the staff of its zone and its driver may.
CREATE OR REPLACE FUNCTION sees_fine(it fine, the_caller uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN works_in_zone(it.zone_id, the_caller)
    OR EXISTS (SELECT FROM feed WHERE fine_id = it.id AND user_id = the_caller);
