-- Moments cross to a component as milliseconds since 1970, because Spin's interface to PostgreSQL has no
-- timestamptz. Not STRICT, so that the planner replaces a call with its body and still uses an index.
CREATE OR REPLACE FUNCTION millis(at timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (extract(epoch FROM at) * 1000)::bigint;

CREATE OR REPLACE FUNCTION moment(millis bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_timestamp(millis / 1000.0);

-- Granted to the role by name: a schema may revoke from PUBLIC every right that is not granted by name.
DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION millis(timestamptz), moment(bigint) TO %I', 'wharf_' || current_schema);
END
$$;
