-- $1 upload, $2 fence, $3 sha1, $4 sha256, $5 sha512, $6 CurseForge's fingerprint
SELECT finish_upload($1, $2, $3, $4, $5, $6) AS outcome
