//! The page on which a payer approves or declines.

use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kit::money::decimal;
use kit::web::{Form, Path, Problem, Schema, escape_html};
use kit::{Word, now, setting};
use serde::Deserialize;

use super::callers::Payer;
use crate::bill::{Bill, Kind, Status};
use crate::{notice, store};

pub async fn show_bill(_: Payer, Path(id): Path<String>) -> Result<Response, Problem> {
    let db = store::open().await?;
    let bill = store::find_bill(&db, &id).await?;
    let payments = store::list_payments(&db, &bill.id).await?;
    let is_paid = payments.iter().any(|it| it.status != Status::Rejected);
    let state = if is_paid {
        "<p class=\"done\">Paid.</p>"
    } else if bill.is_over(now()) {
        "<p class=\"done\">The time to pay is over.</p>"
    } else {
        "<form method=\"post\">
           <button name=\"decision\" value=\"approve\" class=\"yes\">Approve</button>
           <button name=\"decision\" value=\"decline\">Decline</button>
         </form>"
    };
    Ok(page(&bill, state))
}

#[derive(Deserialize, Schema)]
pub struct Choice {
    #[schemars(example = &"approve")]
    decision: Decision,
}

#[derive(Clone, Copy, Debug, Word)]
enum Decision {
    Approve,
    Decline,
}

pub async fn decide(
    _: Payer,
    Path(id): Path<String>,
    Form(choice): Form<Choice>,
) -> Result<Response, Problem> {
    let status = match choice.decision {
        Decision::Approve => Status::Approved,
        Decision::Decline => Status::Rejected,
    };
    let db = store::open().await?;
    let bill = store::find_bill(&db, &id).await?;
    let payment = store::create_payment(&db, &bill.id, status).await?;
    let is_delivered =
        notice::send(&bill, &payment, setting("psp_webhook_secret").await?, now()).await;
    match (bill.kind, status, &bill.back_url) {
        (Kind::Preference, Status::Approved, Some(back)) => Ok(Redirect::to(back).into_response()),
        _ => {
            let done = match (status, is_delivered) {
                (Status::Approved, true) => "<p class=\"done\">Approved.</p>",
                (Status::Approved, false) => {
                    "<p class=\"done\">Approved; the shop will hear of it later.</p>"
                }
                _ => "<p class=\"done\">Declined. <a href=\"\">Try again</a></p>",
            };
            Ok(page(&bill, done))
        }
    }
}

fn page(bill: &Bill, state: &str) -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let html = format!(
        "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Sandbox payment</title>
<style>
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 15vh auto; padding: 0 1rem; color: #1b1f24 }}
  .amount {{ font-size: 2.2rem; font-weight: 600; margin: 0 }}
  .note {{ color: #59636e; font-size: .9rem }}
  button {{ font: inherit; padding: .6rem 1.4rem; border: 1px solid #59636e; border-radius: .5rem; background: none; cursor: pointer }}
  .yes {{ background: #1a7f37; border-color: #1a7f37; color: #fff }}
</style>
<p>{title}</p>
<p class=\"amount\">{amount} {currency}</p>
{state}
<p class=\"note\">This is a sandbox: no money moves.</p>
</html>",
        title = escape_html(&bill.title),
        amount = decimal::text(bill.amount),
        currency = escape_html(&bill.currency),
    );
    (headers, Html(html)).into_response()
}
