//! The accounts that a user opens and names, beside the wallet: in USD.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::Word;
use kit::money::decimal;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Confirm, Entry, InDecimals, Statement, amount_of, in_decimals, offer, show, text_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/wallet/accounts", list_accounts, |it| it)
        .post("/wallet/accounts", open_account, |it| it)
        .get("/wallet/account", show_account, |it| it)
        .get("/wallet/account/{act}", ask_act, |it| it)
        .post("/wallet/account/{act}", act, |it| it)
        .get("/wallet/histories", list_histories, |it| it)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(rename = "paymentAccountId")]
    name: String,
    #[serde(rename = "paymentAccountType")]
    of_type: String,
    #[serde(deserialize_with = "in_decimals")]
    balance: Cents,
    created_at: Moment,
}

impl Account {
    fn address(&self) -> String {
        query([("name", &*self.name)])
    }

    fn of_type(&self) -> String {
        self.of_type.to_lowercase()
    }
}

async fn find_accounts(visitor: &Visitor) -> Result<Vec<Account>, Error> {
    visitor.get("payments", "/payments/accounts").await
}

/// One of the visitor's own.
async fn find_account(visitor: &Visitor, name: &str) -> Result<Account, Error> {
    let mut accounts = find_accounts(visitor).await?.into_iter();
    accounts
        .find(|it| it.name == name)
        .ok_or_else(|| Error::unknown("You have no such account."))
}

#[derive(Template)]
#[template(path = "wallet/accounts.html")]
struct Accounts {
    accounts: Vec<Account>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_accounts(visitor: Visitor) -> Result<Response, Problem> {
    show_accounts(&visitor, Fields::fresh(), None).await
}

async fn show_accounts(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = Accounts {
        accounts: find_accounts(visitor).await?,
        form,
        refusal,
    };
    show("Accounts", visitor, content.refusal.is_some(), &content)
}

async fn open_account(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({
        "paymentAccountId": form.text("name"),
        "paymentAccountType": form.text("type"),
    });
    let (path, key) = ("/payments/accounts", form.text("key"));
    let opened = visitor
        .change_once(Method::POST, "payments", path, key, &body)
        .await;
    match opened {
        Ok(()) => Ok(go_to(&account_path(form.text("name")))),
        Err(refusal) => {
            let again = Fields::fresh()
                .with("name", form.text("name"))
                .with("type", form.text("type"));
            show_accounts(&visitor, again, Some(text_of(refusal)?)).await
        }
    }
}

fn account_path(name: &str) -> String {
    format!("/wallet/account?{}", query([("name", name)]))
}

#[derive(Template)]
#[template(path = "wallet/account.html")]
struct AccountPage {
    account: Account,
    entries: Vec<Entry<InDecimals>>,
    next: Option<String>,
    /// The address of the statement as a file.
    file: String,
}

#[derive(Deserialize, Schema)]
struct Named {
    name: String,
}

async fn show_account(
    visitor: Visitor,
    Query(named): Query<Named>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let account = find_account(&visitor, &named.name).await?;
    let path = format!("/payments/accounts/{}/statement", segment(&account.name));
    let statement: Statement<InDecimals> =
        visitor.get("payments", &format!("{path}?{part}")).await?;
    let title = format!("Account {}", account.name);
    let next = statement.next.map(|it| it.to_string());
    let content = AccountPage {
        entries: statement.entries,
        next: next.map(|it| query([("name", &*account.name), ("before", &*it)])),
        file: format!("{path}.csv"),
        account,
    };
    page(&title, &visitor.me, &content)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
enum Act {
    Deposit,
    Withdraw,
    Send,
}

impl Act {
    fn title(self) -> &'static str {
        match self {
            Self::Deposit => "Deposit to an account",
            Self::Withdraw => "Withdraw from an account",
            Self::Send => "Send money to an account",
        }
    }

    fn confirm(self, form: &Fields) -> Result<Option<Confirm>, Error> {
        let Some(amount) = form.cents("amount")?.map(Cents) else {
            return Ok(None);
        };
        let (name, to) = (form.text("name"), form.text("to"));
        let (says, button) = match self {
            Self::Deposit => (
                format!("{amount} USD come into {name} from outside."),
                format!("Deposit {amount} USD"),
            ),
            Self::Withdraw => (
                format!("{amount} USD leave {name}, to be paid out."),
                format!("Withdraw {amount} USD"),
            ),
            Self::Send if to.is_empty() => return Ok(None),
            Self::Send => (
                format!("{amount} USD go from {name} to {to}. You cannot take them back."),
                format!("Send {amount} USD"),
            ),
        };
        let action = format!("/console/wallet/account/{}", self.name());
        let confirm = Confirm::new(action, says, button).with("name", form);
        Ok(Some(confirm.with("to", form).with("amount", form)))
    }
}

#[derive(Template)]
#[template(path = "wallet/act.html")]
struct ActPage {
    act: Act,
    account: Account,
    form: Fields,
    confirm: Option<Confirm>,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Wanted {
    name: String,
    to: Option<String>,
    amount: Option<String>,
}

async fn ask_act(
    visitor: Visitor,
    Path(act): Path<Act>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let form = Fields::default()
        .with("name", wanted.name)
        .with_some("to", wanted.to)
        .with_some("amount", wanted.amount);
    show_act(&visitor, act, form, None).await
}

async fn show_act(
    visitor: &Visitor,
    act: Act,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let account = find_account(visitor, form.text("name")).await?;
    let (confirm, refusal) = offer(act.confirm(&form), refusal)?;
    let content = ActPage {
        act,
        account,
        form,
        confirm,
        refusal,
    };
    show(act.title(), visitor, content.refusal.is_some(), &content)
}

/// A deposit, a withdrawal or a transfer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Movement<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_payment_account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_payment_account_id: Option<&'a str>,
    #[serde(serialize_with = "decimal::serialize")]
    amount: i64,
}

#[derive(Deserialize)]
struct Moved {
    /// Where a deposit is paid, when it comes through the provider.
    payment_id: Option<Uuid>,
}

async fn act(visitor: Visitor, Path(act): Path<Act>, form: Fields) -> Result<Response, Problem> {
    match move_money(&visitor, act, &form).await {
        Ok(Moved {
            payment_id: Some(id),
        }) => Ok(go_to(&format!("/wallet/payments/{id}"))),
        Ok(_) => Ok(go_to(&account_path(form.text("name")))),
        Err(refusal) => show_act(&visitor, act, form, Some(text_of(refusal)?)).await,
    }
}

async fn move_money(visitor: &Visitor, act: Act, form: &Fields) -> Result<Moved, Error> {
    let is_transfer = act == Act::Send;
    let name = form.text("name");
    let body = Movement {
        payment_account_id: (!is_transfer).then_some(name),
        from_payment_account_id: is_transfer.then_some(name),
        to_payment_account_id: is_transfer.then_some(form.text("to")),
        amount: amount_of(form)?,
    };
    let path = format!("/payments/{}", act.name());
    visitor
        .send(Method::POST, "payments", &path, form.text("key"), &body)
        .await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    id: Uuid,
    #[serde(deserialize_with = "in_decimals")]
    amount: Cents,
    created_at: Moment,
    from_account: Side,
    to_account: Side,
}

impl History {
    /// A deposit has the account on both sides.
    fn payer(&self) -> String {
        match self.is_outside() && self.amount.0 > 0 {
            true => "outside".to_owned(),
            false => self.from_account.to_string(),
        }
    }

    /// So has a withdrawal, whose amount is negative.
    fn payee(&self) -> String {
        match self.is_outside() && self.amount.0 < 0 {
            true => "outside".to_owned(),
            false => self.to_account.to_string(),
        }
    }

    fn is_outside(&self) -> bool {
        self.from_account.payment_account_id == self.to_account.payment_account_id
    }

    fn amount(&self) -> Cents {
        Cents(self.amount.0.saturating_abs())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Side {
    payment_account_id: String,
    user: Holder,
}

#[derive(Debug, Deserialize)]
struct Holder {
    email: Option<String>,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.payment_account_id)?;
        match &self.user.email {
            Some(email) => write!(f, " ({email})"),
            None => Ok(()),
        }
    }
}

#[derive(Template)]
#[template(path = "wallet/histories.html")]
struct Histories {
    histories: Vec<History>,
    next: Option<Part>,
}

async fn list_histories(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let path = format!("/payments/histories?{}", part.query([LIMIT]));
    let list = visitor.list("payments", &path).await?;
    let content = Histories {
        histories: list.rows,
        next: list.next,
    };
    page("Transfers of the accounts", &visitor.me, &content)
}
