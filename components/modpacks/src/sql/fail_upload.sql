-- $1 upload, $2 fence, $3 why
SELECT fail_upload($1, $2, $3) AS outcome
