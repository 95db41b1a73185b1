//! The HTTP face of payments: one table per dialect, over the same ledger.

mod accounts;
mod cash_outs;
mod commissions;
mod manual;
mod payments;
mod promocodes;
mod provider_files;
mod statements;
mod stuck;
mod wallet;
mod webhook;

use kit::identity::Clock;
use kit::web::{Dialect, NoContent, Operation, Problem, Routes};

use crate::error::Error;
use crate::sweep;

pub fn routes() -> Routes {
    // The second prefix is that of an old proxy.
    let below = ["/payments", "/api/payments"];
    Routes::of([wallets(), operation()]).below(below, Routes::of([accounts(), payments()]))
}

fn operation() -> Routes {
    Routes::new("Operation", Dialect::Plain).post("/payments/tick", tick, |it| {
        it.summary("Run due background work")
            .note("Does what the host's tick does, on platforms that have none.")
    })
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    sweep::tick().await?;
    Ok(NoContent)
}

fn wallets() -> Routes {
    Routes::new("Wallets", Dialect::Parking)
        .get("/payment/balance", wallet::show_balance, |it| {
            it.summary("Show the balance of the wallet")
                .note("In minor units. `balance` can be spent; `held` and `total` stand beside it. A balance at a moment of the past includes money that was held then.")
        })
        .get("/payment/transactions", wallet::list_transactions, |it| {
            it.summary("List transactions of the wallet")
                .note("The newest first.")
                .refuses([Error::TOO_FAR])
        })
        .get("/payment/statement", wallet::show_statement, |it| {
            it.summary("Show the statement of the wallet")
                .note("Every movement with the balance it left, the newest first.")
        })
        .get("/payment/statement.csv", wallet::download_statement, |it| {
            as_file(it.summary("Download the statement of the wallet"))
        })
        .post("/payment/deposit", wallet::deposit, |it| {
            it.summary("Pay money into the wallet")
                .note("Accepts every currency that a wallet holds. The answer says where to pay; the wallet is credited when the provider confirms the payment.")
                .refuses([
                    Error::INVALID_CENTS,
                    Error::CURRENCY_NOT_TAKEN,
                    Error::REFUSED_BY_PROVIDER,
                ])
        })
        .get("/payment/commission", commissions::show_own_commission, |it| {
            it.summary("Show the commission of the caller")
                .note("In hundredths of a percent: the part of payments to the caller that the house takes, and gives back with a refund. The statement shows both.")
        })
        .about("Cash-outs")
        .get(DESTINATIONS, cash_outs::list_destinations, |it| {
            it.summary("List destinations")
                .note("The caller's own, the oldest first. Accounts are masked.")
        })
        .post(DESTINATIONS, cash_outs::add_destination, |it| {
            it.summary("Add a destination")
                .note("A Pix key (BRL), an IBAN (EUR) or a bank account in the United States (USD). Money is sent there after a day, in a sandbox at once. It asks for a sign-in within the last ten minutes.")
                .refuses([
                    Error::INVALID_DESTINATION,
                    Error::DESTINATION_KNOWN,
                    Error::TOO_MANY_DESTINATIONS,
                ])
        })
        .delete("/payment/destinations/{destination_id}", cash_outs::remove_destination, |it| {
            it.summary("Remove a destination")
                .note("Cash-outs that are under way go there all the same.")
                .refuses([Error::UNKNOWN_DESTINATION])
        })
        .get(CASH_OUTS, cash_outs::list_cash_outs, |it| {
            it.summary("List cash-outs")
                .note("The caller's own, the newest first.")
        })
        .post(CASH_OUTS, cash_outs::cash_out, |it| {
            it.summary("Cash out of the wallet")
                .note("From the wallet of the destination's currency. The money leaves the wallet at once; an admin approves the cash-out and pays it. It asks for a sign-in within the last ten minutes.")
                .refuses([
                    Error::INVALID_CENTS,
                    Error::UNKNOWN_DESTINATION,
                    Error::DESTINATION_WAITS,
                    Error::INSUFFICIENT_FUNDS,
                    Error::OWES,
                ])
        })
        .get("/payment/cash-outs/{cash_out_id}", cash_outs::show_cash_out, |it| {
            it.summary("Show a cash-out").refuses([Error::UNKNOWN_CASH_OUT])
        })
        .post("/payment/cash-outs/{cash_out_id}/cancel", cash_outs::cancel_cash_out, |it| {
            it.summary("Cancel a cash-out")
                .note("Until an admin has approved it. The money is back in the wallet. Repeated: no effect.")
                .refuses([
                    Error::UNKNOWN_CASH_OUT,
                    Error::CASH_OUT_UNDER_WAY,
                    Error::LIMIT_REACHED,
                ])
        })
        .about("Receipts")
        .get("/payment/receipts/{transfer_id}", cash_outs::show_receipt, |it| {
            it.summary("Show a receipt")
                .note("`transfer_id` is the id of a transfer, a payment, a deposit or a cash-out that moved the caller's money. Numbers ascend, with gaps.")
                .refuses([Error::UNKNOWN_RECEIPT])
        })
        .get("/payment/receipts/{transfer_id}/receipt.html", cash_outs::print_receipt, |it| {
            it.summary("Print a receipt").refuses([Error::UNKNOWN_RECEIPT])
        })
        .about("Promo codes")
        .post("/payment/promocode/activate", promocodes::activate_promocode, |it| {
            it.summary("Claim a promo code")
                .note("Its amount goes to the wallet, whose balance is answered.")
                .refuses([
                    Error::INVALID_CODE,
                    Error::UNKNOWN_CODE,
                    Error::TOO_MANY_GUESSES,
                    Error::CROWDED,
                    Error::USED_UP,
                    Error::CODE_EXPIRED,
                    Error::LIMIT_REACHED,
                ])
        })
        .post("/payment/promocode/generate", promocodes::generate_promocode, |it| {
            it.summary("Generate a promo code")
                .note("A random code for one use, paid from the wallet at once.")
                .refuses([Error::INVALID_CENTS, Error::INSUFFICIENT_FUNDS, Error::OWES])
        })
        .get(CODES, promocodes::list_promocodes, |it| {
            it.summary("List promo codes")
                .note("The newest first. Codes that users paid for are masked.")
        })
        .get("/payment/promocodes", promocodes::list_own_promocodes, |it| {
            it.summary("List promo codes that the caller paid for")
                .note("The newest first, and whole: they are the caller's to give away. To all others they are masked.")
        })
        .post(CODES, promocodes::create_promocode, |it| {
            it.summary("Create a promo code")
                .note("The house pays for each use. Outside a sandbox a code that is worth more than an amount in all its uses takes a second admin: the first one is refused with 409, and another one creates it by the same request within a week.")
                .refuses([
                    Error::SECOND_ADMIN_NEEDED,
                    Error::INVALID_CENTS,
                    Error::INVALID_USES,
                    Error::INVALID_CODE,
                    Error::CODE_TAKEN,
                ])
        })
        .get("/payment/promocode/{code}", promocodes::show_promocode, |it| {
            it.summary("Show a promo code")
                .refuses([Error::UNKNOWN_CODE, Error::TOO_MANY_GUESSES])
        })
        .delete("/payment/promocode/{code}", promocodes::withdraw_promocode, |it| {
            it.summary("End a promo code")
                .note("It can no longer be claimed. A code that a user paid for is money and cannot be ended.")
                .refuses([Error::UNKNOWN_CODE, Error::CODE_PAID_FOR])
        })
}

const DESTINATIONS: &str = "/payment/destinations";
const CASH_OUTS: &str = "/payment/cash-outs";

const CODES: [&str; 2] = ["/payment/promocode", "/payment/promocode/create"];

const ACCOUNTS: [&str; 2] = ["/accounts", "/account"];

fn accounts() -> Routes {
    Routes::new("Accounts", Dialect::Accounts)
        .get(ACCOUNTS, accounts::list_accounts, |it| {
            it.summary("List accounts")
                .note("The caller's own, the oldest first, up to 5000.")
        })
        .post(ACCOUNTS, accounts::open_account, |it| {
            it.summary("Open an account").refuses([
                Error::INVALID_AMOUNT,
                Error::OPENING_NOT_FREE,
                Error::NAME_TAKEN,
            ])
        })
        .get("/accounts/{name}/balance", accounts::show_account_balance, |it| {
            it.summary("Show the balance of an account")
                .refuses([Error::UNKNOWN_ACCOUNT])
        })
        .get("/accounts/{name}/statement", accounts::show_account_statement, |it| {
            it.summary("Show the statement of an account")
                .note("Every movement with the balance it left, the newest first.")
                .refuses([Error::UNKNOWN_ACCOUNT])
        })
        .get("/accounts/{name}/statement.csv", accounts::download_account_statement, |it| {
            as_file(it.summary("Download the statement of an account"))
                .refuses([Error::UNKNOWN_ACCOUNT])
        })
        .post("/deposit", accounts::deposit, |it| {
            it.summary("Deposit to an account")
                .note("The account is credited at once in a sandbox. Otherwise the answer says where to pay, and the account is credited when the provider confirms the payment.")
                .refuses(moving())
                .refuses([
                    Error::LIMIT_REACHED,
                    Error::CURRENCY_NOT_TAKEN,
                    Error::REFUSED_BY_PROVIDER,
                ])
        })
        .post("/withdraw", accounts::withdraw, |it| {
            it.summary("Withdraw from an account")
                .note("The money leaves the account at once. Outside a sandbox an admin pays it out. It asks for a sign-in within the last day.")
                .refuses(moving())
                .refuses([Error::INSUFFICIENT_FUNDS, Error::OWES])
        })
        .post("/send", accounts::send, |it| {
            it.summary("Send money to an account")
                .note("From an account of the caller to an account of any user.")
                .refuses(moving())
                .refuses([
                    Error::INSUFFICIENT_FUNDS,
                    Error::OWES,
                    Error::LIMIT_REACHED,
                    Error::SAME_ACCOUNT,
                    Error::OTHER_CURRENCY,
                ])
        })
        .get("/histories", accounts::list_histories, |it| {
            it.summary("List transfers of the accounts")
                .note("Of all accounts of the caller, the newest first. Without `limit`, `after` and `offset` everything, up to 5000 transfers.")
                .refuses([Error::TOO_FAR])
        })
        .about("Payouts")
        .get("/payouts", manual::list_payouts, |it| {
            it.summary("List payouts that wait")
                .note("Withdrawals and cash-outs that an admin has to pay out, the oldest first.")
                .refuses([Error::TOO_FAR])
        })
        .get("/payouts/ended", manual::list_ended_payouts, |it| {
            it.summary("List payouts that ended")
                .note("Paid, returned or cancelled, the newest first.")
                .refuses([Error::TOO_FAR])
        })
        .get("/payouts/{id}", manual::show_payout, |it| {
            it.summary("Show a payout").refuses([Error::UNKNOWN_PAYOUT])
        })
        .post("/payouts/{id}/approved", manual::approve_payout, |it| {
            it.summary("Approve a payout")
                .note("An approval comes before the payment at the bank. An approved cash-out can no longer be cancelled.")
                .note(SECOND_ADMIN)
                .refuses([
                    Error::UNKNOWN_PAYOUT,
                    Error::PAYOUT_RETURNED,
                    Error::RECIPIENT_OWES,
                ])
        })
        .post("/payouts/{id}/paid", manual::mark_paid_out, |it| {
            it.summary("Record that a payout was paid")
                .note("A cash-out is approved first.")
                .note(SECOND_ADMIN)
                .refuses([
                    Error::UNKNOWN_PAYOUT,
                    Error::PAYOUT_RETURNED,
                    Error::PAYOUT_NOT_APPROVED,
                    Error::RECIPIENT_OWES,
                ])
        })
        .post("/payouts/{id}/returned", manual::return_payout, |it| {
            it.summary("Return a payout to its account")
                .note("It could not be paid out, or the bank sent it back.")
                .note(SECOND_ADMIN)
                .refuses([Error::UNKNOWN_PAYOUT, Error::LIMIT_REACHED])
        })
        .about("Receivables")
        .get("/receivables", manual::list_receivables, |it| {
            it.summary("List what users owe")
                .note("A payer took back a payment whose money the user had spent. Until the next incoming money settles it, the user can withdraw, send and book nothing. The oldest first.")
        })
        .get("/receivables/{id}", manual::show_receivable, |it| {
            it.summary("Show what a user owes or owed")
                .refuses([Error::UNKNOWN_RECEIVABLE])
        })
        .post("/receivables/{id}/written-off", manual::write_off, |it| {
            it.summary("Write a receivable off")
                .note("The house bears the rest of it.")
                .note(SECOND_ADMIN)
                .refuses([Error::UNKNOWN_RECEIVABLE])
        })
        .about("Unclaimed money")
        .get("/unclaimed", manual::list_unclaimed, |it| {
            it.summary("List unclaimed money")
                .note("Money that erased people left behind, the oldest first. With `user_id` that of one person.")
        })
        .post("/unclaimed/{user_id}/handed-over", manual::hand_over, |it| {
            it.summary("Hand unclaimed money over")
                .note("The money goes to the wallet of a person who has proven that it is theirs.")
                .note(SECOND_ADMIN)
                .refuses([
                    Error::UNKNOWN_UNCLAIMED,
                    Error::UNKNOWN_CLAIMANT,
                    Error::LIMIT_REACHED,
                ])
        })
        .about("Commissions")
        .get("/commissions", commissions::list_commissions, |it| {
            it.summary("List commissions")
                .note("The latest settings, the default for all owners first.")
                .refuses([Error::TOO_FAR])
        })
        .put("/commissions", commissions::set_common_commission, |it| {
            it.summary("Set the commission of all owners")
                .note("Applies to later payments between users, to owners who have no commission of their own. It is 0 until it is set.")
        })
        .put("/commissions/{user_id}", commissions::set_commission, |it| {
            it.summary("Set the commission of an owner")
                .note("Applies to later payments.")
        })
        .about("Manual acts")
        .get("/proposals", manual::list_proposals, |it| {
            it.summary("List what waits for a second admin")
                .note("Proposals that still count: of the last week, by an admin who still is one, and neither done nor replaced since. The newest first.")
        })
        .get("/acts", manual::list_acts, |it| {
            it.summary("List the manual acts of admins")
                .note("Includes proposals that wait for a second admin. The newest first.")
        })
}

const PROVIDER_FILES: &str = "/provider-files";

const SECOND_ADMIN: &str = "Above an amount, and for the admin's own benefit, the first admin proposes it (202) and another one does it by the same request within a week (200). Repeated: no effect.";

/// The refusals of every movement between accounts.
fn moving() -> [Problem; 2] {
    [Error::INVALID_AMOUNT, Error::UNKNOWN_ACCOUNT]
}

fn payments() -> Routes {
    Routes::new("Payments", Dialect::FastFood)
        .post("/", payments::create_payment, |it| {
            it.summary("Open a payment")
                .note("Answers where to pay. When the provider does not answer, the request still succeeds: the status says so, and the payment is opened later.")
                .refuses([
                    Error::NOT_FOR_QR,
                    Error::CURRENCY_NOT_TAKEN,
                    Error::UNFIT_AMOUNT,
                    Error::REFUSED_BY_PROVIDER,
                ])
        })
        .get("/", payments::list_payments, |it| {
            it.summary("Find payments")
                .note("By `payment_id` one payment; by `order_id` or `customer_id` a list, the newest first. Admins see every payment, other callers their own.")
                .refuses([Error::NOTHING_ASKED_FOR, Error::UNKNOWN_PAYMENT])
        })
        .post("/webhook", webhook::receive_webhook, |it| {
            it.summary("Receive a webhook of the provider")
                .note("Nothing but the id is taken from it: the payment is looked up at the provider.")
                .header("x-signature", true, "`ts=…,v1=…`: HMAC-SHA-256 of `id:…;request-id:…;ts:…;`")
                .header("x-request-id", true, "Part of what is signed")
                .takes::<webhook::NotificationBody>("application/json")
                .refuses([
                    Error::NO_PAYMENT_ID,
                    Error::FORGED_WEBHOOK,
                    Error::REFUSED_BY_PROVIDER,
                ])
        })
        .get("/trial-balance", payments::show_trial_balance, |it| {
            it.summary("Prove the books")
                .note("Per currency everything adds up to 0, and every stored balance is the sum of its transfers.")
        })
        .get("/disputed", payments::list_disputes, |it| {
            it.summary("List disputed payments")
                .note("Money at the provider with a wrong amount, currency or checkout, the oldest first.")
        })
        .get("/returns", payments::list_returns, |it| {
            it.summary("List money that the provider has not sent back yet")
                .note("Refunds of whole payments and of parts of them, the oldest first. They are asked for again until the provider says that the money has gone back; where it refuses, an admin settles it there.")
        })
        .about("Files of the provider")
        .get(PROVIDER_FILES, provider_files::list_provider_files, |it| {
            it.summary("List files of the provider")
                .note("The newest first.")
                .refuses([Error::TOO_FAR])
        })
        .post(PROVIDER_FILES, provider_files::import_provider_file, |it| {
            it.summary("Import a file of the provider")
                .note("Its settlement report as CSV, 2 MB at most: `SOURCE_ID`, `TRANSACTION_TYPE`, `TRANSACTION_AMOUNT`, `TRANSACTION_CURRENCY`, `TRANSACTION_DATE` and `FEE_AMOUNT` are read. The provider's fees and its payments to the bank are booked; other lines are counted by kind. Files may overlap: each line counts once.")
                .refuses([Error::INVALID_FILE_NAME, Error::INVALID_FILE])
        })
        .get("/provider-files/{file_id}", provider_files::show_provider_file, |it| {
            it.summary("Show a file of the provider")
                .refuses([Error::UNKNOWN_FILE])
        })
        .get("/provider-files/{file_id}/differences", provider_files::list_differences, |it| {
            it.summary("Compare a file of the provider with the books")
                .note("`not_booked`: the provider settled a payment that is not booked here. `amount`: another amount or currency. `sent_back`: the provider sent back more than is booked, or less since a part came again. `not_reported`: booked in the span of the file or since the one before it ended, and in no file.")
                .refuses([Error::UNKNOWN_FILE])
        })
        .about("Refused refunds")
        .get("/stuck", stuck::list_stuck_refunds, |it| {
            it.summary("List refunds that were refused")
                .note("By the ledger, because the payee has spent the money or the payer's account is full, or by the provider. Functions that asked for them try again by themselves; the provider is asked ten times. The oldest first.")
        })
        .get("/stuck/metrics", stuck::show_metrics, |it| {
            it.summary("Show metrics of refused refunds")
                .note("In the text format of Prometheus, by kind.")
                .returns_media(200, stuck::METRICS)
        })
        .get("/stuck/{id}", stuck::show_stuck_refund, |it| {
            it.summary("Show a refund that was refused")
                .refuses([Error::UNKNOWN_REFUND])
        })
        .post("/stuck/{id}/retry", stuck::retry_refund, |it| {
            it.summary("Retry a refund")
                .note("Repeated after it succeeded: no effect.")
                .refuses([
                    Error::UNKNOWN_REFUND,
                    Error::INSUFFICIENT_FUNDS,
                    Error::LIMIT_REACHED,
                    Error::NOTHING_LEFT,
                    Error::ID_TAKEN,
                ])
        })
        .post("/stuck/{id}/settled", stuck::settle_refund, |it| {
            it.summary("Settle a refund by hand")
                .note("Between users the payee pays with their free money, and the house pays the rest. A payment at the provider was paid back by bank. The function that asked for the refund hears that it is done.")
                .note(SECOND_ADMIN)
                .refuses([
                    Error::UNKNOWN_REFUND,
                    Error::REFUNDED_OTHERWISE,
                    Error::SETTLED_AT_PROVIDER,
                    Error::LIMIT_REACHED,
                ])
        })
        .about("Payments")
        .get("/{payment_id}", payments::show_payment, |it| {
            it.summary("Show a payment").refuses([Error::UNKNOWN_PAYMENT])
        })
        .patch("/{payment_id}", payments::change_payment, |it| {
            it.summary("Change the status of a payment")
                .note("`approved` books the money as paid outside the provider, where the house receives it; `refunded` sends it back.")
                .note(SECOND_ADMIN)
                .refuses([
                    Error::NOT_BY_HAND,
                    Error::UNKNOWN_PAYMENT,
                    Error::WRONG_STATUS,
                    Error::INSUFFICIENT_FUNDS,
                    Error::LIMIT_REACHED,
                ])
        })
        .get("/{payment_id}/attempts", payments::list_attempts, |it| {
            it.summary("List attempts to pay")
                .note("Payments at the provider for this payment, disputed attempts included.")
                .refuses([Error::UNKNOWN_PAYMENT])
        })
        .post("/{payment_id}/attempts/{attempt}/return", payments::return_attempt, |it| {
            it.summary("Send a disputed attempt back")
                .note("Repeated: no effect.")
                .refuses([Error::UNKNOWN_PAYMENT, Error::NOT_DISPUTED])
        })
        .get("/{payment_id}/done", payments::show_done, |it| {
            it.summary("Thank the payer")
                .note("The page to which the provider leads the payer in the end. It does not say how the payment ended.")
        })
        .get("/{payment_id}/qr.png", payments::show_png, |it| {
            it.summary("Show the QR code as PNG")
                .returns_media(200, "image/png")
                .refuses([Error::UNKNOWN_PAYMENT, Error::WRONG_STATUS])
        })
        .get("/{payment_id}/qr.svg", payments::show_svg, |it| {
            it.summary("Show the QR code as SVG")
                .returns_media(200, "image/svg+xml")
                .refuses([Error::UNKNOWN_PAYMENT, Error::WRONG_STATUS])
        })
}

/// Describes a statement as a file.
fn as_file(it: Operation) -> Operation {
    it.note("The columns are those of the statement (RFC 4180), 100 rows at most.")
        .returns_media(200, "text/csv")
        .returns_header(
            200,
            "Link",
            "The file that follows, as `<…>; rel=\"next\"` (RFC 8288)",
        )
}
