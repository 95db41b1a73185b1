-- Chats in which their person has signed in. Anyone can give any Telegram id, so notices about security go to these
-- alone.
CREATE TABLE linked_chat (
    user_id uuid PRIMARY KEY,
    chat    bigint NOT NULL,
    since   timestamptz NOT NULL DEFAULT now()
);
