//! Payments: one ledger, wallets, promo codes, payments through a PSP.
