-- Every webhook as its owner sees it.
CREATE OR REPLACE VIEW webhook_card AS
SELECT shown.*
FROM webhook
CROSS JOIN LATERAL show_webhook(webhook) AS shown;
