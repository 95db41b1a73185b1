//! Money in, through and out of the wallet.

use std::time::Duration;

use wharf_tests::{Browser, Stack, User, eventually, unique};

use crate::bookings::endow;
use crate::signin::aged;

/// A payment at the sandbox's provider is seen at once; the relay would see it within seconds.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_promo_code_is_made_once_and_redeemed_by_another() {
    let stack = Stack::shared();
    let (maker, taker) = (User::driver(&stack), User::driver(&stack));
    endow(&stack, &maker, 1_000);
    let mut browser = Browser::of(&stack, &maker);
    let codes = "/console/wallet/codes";
    let asked = browser.open(&format!("{codes}?amount=4,50"));
    assert!(asked.says("Make a code for 4.50 USD"), "{}", asked.text());
    let made = browser.send(&asked, codes, &[]);
    assert!(made.says("Worth 4.50 USD"), "{}", made.text());
    // A double click sends the same form twice.
    assert_eq!(browser.send(&asked, codes, &[]).path, made.path);
    let listed = browser.open(codes);
    assert!(
        listed.says("5.50 USD can be spent") && listed.text().matches("0 of 1").count() == 1,
        "{}",
        listed.text()
    );

    let mut browser = Browser::of(&stack, &taker);
    let found = browser.open(&made.path);
    let redeemed = browser.send(&found, "/console/wallet/code", &[]);
    assert!(
        redeemed.says("4.50 USD can be spent") && redeemed.says("promo activation"),
        "{}",
        redeemed.text()
    );
    let again = browser.send(&found, "/console/wallet/code", &[]);
    assert_eq!(again.path, redeemed.path);
    let over = browser.open(&made.path);
    assert!(
        over.says("1 of 1") && !over.has_form("/console/wallet/code"),
        "{}",
        over.text()
    );
    let unknown = browser.try_open("/console/wallet/code?code=nothing-here");
    assert_eq!(unknown.answer.status(), 422);
    assert!(unknown.answer.text().contains("value=\"nothing-here\""));

    let much = browser.open(&format!("{codes}?amount=100"));
    let refused = browser.send(&much, codes, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(
        refused.says("insufficient funds") && refused.answer.text().contains("value=\"100\""),
        "{}",
        refused.text()
    );
    for wrong in ["-1", "1.005", "much"] {
        let wrong = browser.try_open(&format!("{codes}?amount={wrong}"));
        assert_eq!(wrong.answer.status(), 422);
        assert!(wrong.says("is no amount of money") && !wrong.has_form(codes));
    }
}

#[test]
fn the_wallet_is_filled_on_the_page_of_the_provider() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    let payments = "/console/wallet/payments";
    assert!(browser.open(payments).says("You have paid nothing in yet."));
    let asked = browser.open("/console/wallet/fill?amount=12.50&currency=BRL");
    let opened = browser.send(&asked, "/console/wallet/fill", &[]);
    assert!(
        opened.says("Payment of 12.50 BRL") && opened.says("waits until you pay"),
        "{}",
        opened.text()
    );
    let code = format!(
        "src=\"{}/qr.svg\"",
        opened.path.replace("/console/wallet", "")
    );
    assert!(opened.answer.text().contains(&code), "{}", opened.answer);
    assert_eq!(
        browser.send(&asked, "/console/wallet/fill", &[]).path,
        opened.path
    );

    let link = opened.link("Pay 12.50 BRL");
    let here = format!("http://{}", stack.address());
    let page = link.strip_prefix(&here).expect("the sandbox is here");
    stack.post(page).form("decision=approve").send().expect(303);
    eventually("the payment is paid", SOON, || {
        browser.open(&opened.path).says("State paid")
    });
    let paid = browser.open(&opened.path);
    let receipt = browser.open(&paid.link("Receipt"));
    assert!(
        receipt.says("Amount 12.50 BRL") && receipt.says("To your wallet"),
        "{}",
        receipt.text()
    );
    let printed = browser.open(&receipt.link("A page to print"));
    assert!(printed.answer.text().contains("<h1>Receipt"));
    let statement = browser.open("/console/wallet/statement?currency=BRL");
    assert!(
        statement.says("12.50 BRL can be spent"),
        "{}",
        statement.text()
    );
    let listed = browser.open(payments).text();
    assert_eq!(listed.matches("12.50 BRL").count(), 1, "{listed}");

    // A stranger sees neither.
    let mut stranger = Browser::of(&stack, &User::driver(&stack));
    for path in [&opened.path, &receipt.path] {
        assert_eq!(stranger.try_open(path).answer.status(), 404, "{path}");
    }
}

#[test]
fn money_is_taken_out_to_a_destination_and_a_cash_out_is_canceled() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    endow(&stack, &user, 1_000);
    let mut browser = Browser::of(&stack, &user);
    let destinations = "/console/wallet/destinations";
    let cash_outs = "/console/wallet/cash-outs";
    assert!(!browser.open(cash_outs).has_form(cash_outs));
    let bank = [
        ("kind", "us_bank"),
        ("account", "123456789"),
        ("routing_number", "021000022"),
        ("holder_name", "Ana Souza"),
    ];
    let empty = browser.open(destinations);
    let refused = browser.send(&empty, destinations, &bank);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains("value=\"021000022\""));
    let right = [("routing_number", "021000021")];
    let added = browser.send(&refused, destinations, &right);
    assert!(
        added.says("****6789") && !added.answer.text().contains("123456789"),
        "{}",
        added.text()
    );

    let id = destination_of(&user);
    let asked = browser.open(&format!("{cash_outs}?destination={id}&amount=6"));
    assert!(asked.says("Take out 6.00 USD"), "{}", asked.text());
    let opened = browser.send(&asked, cash_outs, &[]);
    assert!(opened.says("waits for approval"), "{}", opened.text());
    assert_eq!(browser.send(&asked, cash_outs, &[]).path, opened.path);
    let wallet = browser.open("/console/wallet");
    assert!(wallet.says("USD 4.00"), "{}", wallet.text());
    let open = format!("{cash_outs}?open=true");
    assert!(browser.open(&open).says("6.00 USD"));

    let much = browser.open(&format!("{cash_outs}?destination={id}&amount=6"));
    let refused = browser.send(&much, cash_outs, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("insufficient funds"), "{}", refused.text());

    let cancel = format!("{}/cancel", opened.path);
    let canceled = browser.send(&opened, &cancel, &[]);
    assert!(
        canceled.says("the money is back") && !canceled.has_form(&cancel),
        "{}",
        canceled.text()
    );
    assert!(!browser.open(&open).says("6.00 USD"));
    assert!(browser.open(cash_outs).says("6.00 USD"));
    let left = browser.send(&added, &format!("{destinations}/{id}/remove"), &[]);
    assert!(left.says("You have none yet."), "{}", left.text());
}

fn destination_of(user: &User) -> String {
    let listed = user.get("/payment/destinations").send().expect(200).json();
    listed[0]["id"].as_str().expect("an id").to_owned()
}

/// Ten minutes after the sign-in; the person stays signed in.
#[test]
fn an_old_sign_in_is_asked_for_a_newer_one_before_money_goes_out() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &aged(&stack, &User::registered(&stack), 601));
    let destinations = "/console/wallet/destinations";
    let page = browser.open(destinations);
    let pix = [
        ("kind", "pix"),
        ("account", "ana@example.com"),
        ("holder_name", "Ana Souza"),
    ];
    let refused = browser.send(&page, destinations, &pix);
    assert_eq!(refused.answer.status(), 422);
    assert!(
        refused.says("This needs a newer sign-in") && refused.answer.text().contains("Sign out"),
        "{}",
        refused.text()
    );
    assert!(refused.answer.text().contains("value=\"ana@example.com\""));
    let again = refused.link("sign in again");
    assert_eq!(again, format!("/console/sign-in?next={destinations}"));
}

#[test]
fn accounts_are_opened_and_money_moves_between_them() {
    let stack = Stack::shared();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let mut browser = Browser::of(&stack, &ana);
    let accounts = "/console/wallet/accounts";
    // Any printable text is a name.
    let name = unique("a/b & c?ü");
    let page = browser.open(accounts);
    let account = browser.send(&page, accounts, &[("name", &name), ("type", "LOAN")]);
    assert!(
        account.says(&format!("Account {name}")) && account.says("Balance 0.00 USD"),
        "{}",
        account.text()
    );
    let page = browser.open(accounts);
    let taken = browser.send(&page, accounts, &[("name", &name)]);
    assert_eq!(taken.answer.status(), 422);
    assert!(taken.says("the account id is taken"), "{}", taken.text());

    let of_ben = crate::payments::account(&ben, 0.0);
    let deposit = "/console/wallet/account/deposit";
    let form = account.link("Deposit");
    let asked = browser.open(&format!("{form}&amount=20.05"));
    let filled = browser.send(&asked, deposit, &[]);
    assert_eq!(filled.path, account.path);
    browser.send(&asked, deposit, &[]);
    let send = "/console/wallet/account/send";
    let form = account.link("Send");
    let asked = browser.open(&format!("{form}&amount=5&to={of_ben}"));
    assert!(
        asked.says(&format!("5.00 USD go from {name} to {of_ben}.")),
        "{}",
        asked.text()
    );
    browser.send(&asked, send, &[]);
    let sent = browser.send(&asked, send, &[]);
    assert!(
        sent.says("Balance 15.05 USD") && sent.text().matches("-5.00 USD").count() == 1,
        "{}",
        sent.text()
    );
    assert_eq!(crate::payments::balance(&ben, &of_ben), 5);

    let nobody = unique("nobody");
    let asked = browser.open(&format!("{form}&amount=5&to={nobody}"));
    let refused = browser.send(&asked, send, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(
        refused.says("there is no such account")
            && refused
                .answer
                .text()
                .contains(&format!("value=\"{nobody}\"")),
        "{}",
        refused.text()
    );
    let withdraw = "/console/wallet/account/withdraw";
    let form = account.link("Withdraw");
    let asked = browser.open(&format!("{form}&amount=15.06"));
    assert!(
        browser
            .send(&asked, withdraw, &[])
            .says("insufficient funds")
    );
    let asked = browser.open(&format!("{form}&amount=15.05"));
    let empty = browser.send(&asked, withdraw, &[]);
    assert!(empty.says("Balance 0.00 USD"), "{}", empty.text());

    let histories = browser.open("/console/wallet/histories");
    assert!(
        histories.says(&of_ben) && histories.says("outside 15.05"),
        "{}",
        histories.text()
    );
    let mut stranger = Browser::of(&stack, &ben);
    assert_eq!(stranger.try_open(&account.path).answer.status(), 404);
}
