-- A zone that is removed takes its kiosks with it: those of zones that were removed before go, too.
DELETE FROM totem USING zone WHERE zone.id = zone_id AND removed_at IS NOT NULL;
