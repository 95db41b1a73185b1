-- When the sweep tries again to end a code of an erased user whose money could not go back to their wallet.
ALTER TABLE promocode ADD retry_at timestamptz;
