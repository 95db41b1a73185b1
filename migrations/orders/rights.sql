-- Rights: admins may do everything, staff the acts that `permission` gives to their roles in that shop.
CREATE OR REPLACE FUNCTION may(the_shop bigint, the_caller uuid, is_admin boolean, the_act text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN is_admin OR EXISTS (
        SELECT
        FROM staff
        JOIN permission ON permission.role = staff.role
        WHERE staff.shop_id = the_shop AND staff.user_id = the_caller AND permission.act = the_act
    );
END
$$;

-- Gives a person a role in a shop, or takes it away.
CREATE OR REPLACE FUNCTION assign_staff(
    the_shop bigint, the_caller uuid, is_admin boolean, the_user uuid, the_role text, is_given boolean
) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM shop WHERE id = the_shop) THEN
        RETURN 'unknown_shop';
    END IF;
    IF NOT may(the_shop, the_caller, is_admin, 'assign_staff') THEN
        RETURN 'forbidden';
    END IF;
    IF is_given THEN
        INSERT INTO staff (shop_id, user_id, role, assigned_by)
        VALUES (the_shop, the_user, the_role, the_caller)
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM staff WHERE shop_id = the_shop AND user_id = the_user AND role = the_role;
    END IF;
    RETURN 'assigned';
END
$$;

-- What an order costs, what was charged for it and what goes back is decided by functions, under their locks. The role only
-- says when a sweep comes again. The functions of the files before this one act with the owner's rights, so that copies of
-- an older release go on; such a copy cannot mark a refund as paid, and the sweep of another copy does: the ledger and the
-- provider pay a refund once.
REVOKE INSERT, UPDATE, DELETE ON customer_order, item, charge, refund, given_back FROM wharf_orders;
GRANT UPDATE (due_at) ON charge, refund TO wharf_orders;
