//! Promo codes: redeem one, make one from the money in the wallet.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;

use super::{Balance, Confirm, amount_of, find_balance, offer, show, text_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::go_to;
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/wallet/codes", list_codes, |it| it)
        .post("/wallet/codes", make_code, |it| it)
        .get("/wallet/code", show_code, |it| it)
        .post("/wallet/code", redeem, |it| it)
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
    amount: Cents,
    max_uses: i64,
    used_count: i64,
    expires_at: Option<Moment>,
    is_active: bool,
}

impl Code {
    fn address(&self) -> String {
        query([("code", &*self.code)])
    }
}

#[derive(Template)]
#[template(path = "wallet/codes.html")]
struct Codes {
    form: Fields,
    balance: Balance,
    codes: Vec<Code>,
    next: Option<Part>,
    confirm: Option<Confirm>,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Wanted {
    /// What a new code is to be worth.
    amount: Option<String>,
}

async fn list_codes(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let form = Fields::default().with_some("amount", wanted.amount);
    show_codes(&visitor, &part, form, None).await
}

async fn show_codes(
    visitor: &Visitor,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/payment/promocodes?{}", part.query([LIMIT]));
    let list = visitor.list("payments", &path).await?;
    let (confirm, refusal) = offer(confirm_code(&form), refusal)?;
    let content = Codes {
        form,
        balance: find_balance(visitor, "USD").await?,
        codes: list.rows,
        next: list.next,
        confirm,
        refusal,
    };
    show("Promo codes", visitor, content.refusal.is_some(), &content)
}

fn confirm_code(form: &Fields) -> Result<Option<Confirm>, Error> {
    let Some(amount) = form.cents("amount")?.map(Cents) else {
        return Ok(None);
    };
    let confirm = Confirm::new(
        "/console/wallet/codes",
        format!("{amount} USD leave your wallet. Who redeems the code first gets them."),
        format!("Make a code for {amount} USD"),
    );
    Ok(Some(confirm.with("amount", form)))
}

async fn make_code(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Made {
        code: String,
    }
    let made = match amount_of(&form) {
        Ok(amount) => {
            let (path, key) = ("/payment/promocode/generate", form.text("key"));
            let body = json!({ "amount": amount });
            visitor
                .send::<Made>(Method::POST, "payments", path, key, &body)
                .await
        }
        Err(wrong) => Err(wrong),
    };
    match made {
        Ok(made) => Ok(go_to(&format!(
            "/wallet/code?{}",
            query([("code", &*made.code)])
        ))),
        Err(refusal) => show_codes(&visitor, &Part::default(), form, Some(text_of(refusal)?)).await,
    }
}

#[derive(Template)]
#[template(path = "wallet/code.html")]
struct CodePage {
    form: Fields,
    code: Option<Code>,
    confirm: Option<Confirm>,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Named {
    code: Option<String>,
}

async fn show_code(visitor: Visitor, Query(named): Query<Named>) -> Result<Response, Problem> {
    let form = Fields::default().with_some("code", named.code);
    show_one(&visitor, form, None).await
}

async fn show_one(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let (code, refusal) = match (find_code(visitor, &form).await, refusal) {
        (Ok(code), refusal) => (code, refusal),
        (Err(_), Some(refusal)) => (None, Some(refusal)),
        (Err(unknown), None) => (None, Some(unknown.into_text()?)),
    };
    let confirm = code.as_ref().filter(|it| it.is_active).map(|it| {
        let confirm = Confirm::new(
            "/console/wallet/code",
            format!("{} USD come into your wallet.", it.amount),
            format!("Redeem {} USD", it.amount),
        );
        confirm.with("code", &form)
    });
    let content = CodePage {
        form,
        code,
        confirm,
        refusal,
    };
    show("Promo code", visitor, content.refusal.is_some(), &content)
}

async fn find_code(visitor: &Visitor, form: &Fields) -> Result<Option<Code>, Error> {
    let Some(code) = form.optional("code") else {
        return Ok(None);
    };
    let path = format!("/payment/promocode/{}", segment(code));
    visitor.get("payments", &path).await.map(Some)
}

async fn redeem(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let (path, key) = ("/payment/promocode/activate", form.text("key"));
    let body = json!({ "code": form.text("code") });
    let redeemed = visitor
        .change_once(Method::POST, "payments", path, key, &body)
        .await;
    match redeemed {
        Ok(()) => Ok(go_to("/wallet/statement?currency=USD")),
        Err(refusal) => show_one(&visitor, form, Some(text_of(refusal)?)).await,
    }
}
