//! Русский.

use kit::Language;
use kit::money::Currency;

use super::{Message, message};
use crate::notice::{Booking, Notice};

pub fn say(notice: &Notice) -> Message {
    match notice {
        Notice::BookingCreated(it) => message(
            format!("Бронирование {} подтверждено", it.booking_id),
            format!("{}\nОплачено: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBooked(it) => message(
            format!("Новое бронирование {}: {}", it.booking_id, it.place),
            format!(
                "{}\nВаш доход по окончании: {}",
                place_and_time(it),
                price(it)
            ),
        ),
        Notice::BookingChanged(it) => message(
            format!("Бронирование {} изменено", it.booking_id),
            format!("{}\nСтоимость: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBookingChanged(it) => message(
            format!("Бронирование {} изменено: {}", it.booking_id, it.place),
            format!("{}\nСтоимость: {}", place_and_time(it), price(it)),
        ),
        Notice::BookingCanceled(it) => message(
            format!("Бронирование {} отменено", it.booking_id),
            format!("{}\nВам возвращается: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBookingCanceled(it) => message(
            format!("Бронирование {} отменено: {}", it.booking_id, it.place),
            place_and_time(it),
        ),
        Notice::LeftLate(it) => message(
            format!(
                "Ваша машина выехала после окончания бронирования {}",
                it.booking.booking_id
            ),
            format!(
                "{}\nВыезд: {} {}\nК оплате: {}. Чего не хватит в кошельке, останется долгом.",
                place_and_time(&it.booking),
                it.left_at,
                it.booking.time_zone,
                price(&it.booking)
            ),
        ),
        Notice::PlaceLeftLate(it) => message(
            format!(
                "Машина по бронированию {} выехала с опозданием: {}",
                it.booking.booking_id, it.booking.place
            ),
            format!(
                "{}\nВыезд: {} {}\nВодитель платит: {}",
                place_and_time(&it.booking),
                it.left_at,
                it.booking.time_zone,
                price(&it.booking)
            ),
        ),
        Notice::OverstayWaived(it) => message(
            format!(
                "За поздний выезд по бронированию {} платить не нужно",
                it.booking_id
            ),
            format!("{}\nВам возвращается: {}", place_and_time(it), price(it)),
        ),
        Notice::BookingEnding(it) => message(
            format!("Бронирование {} скоро закончится", it.booking_id),
            format!("{}, до {} {}.", it.place, it.date_to, it.time_zone),
        ),
        Notice::PaymentApproved(it) => message(
            format!("Платёж получен: {}", money(it.amount_cents, it.currency)),
            format!("Назначение: {}.", it.reference),
        ),
        Notice::PaymentRefunded(it) => message(
            format!("Платёж возвращён: {}", money(it.amount_cents, it.currency)),
            format!("Назначение: {}.", it.reference),
        ),
        Notice::OrderReady(it) => message(
            format!("Заказ {} готов", it.number),
            format!("Заберите его: {}.", it.shop),
        ),
        Notice::OrderCancelled(it) => message(
            format!("Заказ {} отменён", it.number),
            format!("{}: ничего не оплачено.", it.shop),
        ),
        Notice::OrderRefunded(it) => message(
            format!("Деньги за заказ {} возвращены", it.number),
            format!(
                "{}: заказ не выполнен. Вам возвращается: {}",
                it.shop,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::OrderPaidLate(it) => message(
            format!("Заказ {} оплачен слишком поздно", it.number),
            format!(
                "{}: он уже не ждал этой оплаты. Вам возвращается: {}",
                it.shop,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FineIssued(it) => message(
            format!("Штраф {}: {}", it.fine_id, it.plate),
            format!(
                "{}\nК оплате: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePaid(it) => message(
            format!("Штраф {} оплачен: {}", it.fine_id, it.plate),
            format!(
                "{}\nОплачено: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePartPaid(it) => message(
            format!("Оплачена часть штрафа {}: {}", it.fine_id, it.plate),
            format!(
                "{}\nОплачено: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePaymentReturned(it) => message(
            format!("Оплата штрафа {} за {} возвращена", it.fine_id, it.plate),
            format!(
                "{}\nК оплате: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePartEnding(it) => message(
            format!(
                "Скоро срок следующей части штрафа {} за {}",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nК оплате в течение двух дней: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::DiscountEnding(it) => message(
            format!(
                "Скидка на штраф {} за {} скоро закончится",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nК оплате до этого: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::AppealAccepted(it) => message(
            format!(
                "Жалоба на штраф {} за {} удовлетворена",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nШтраф отменён. Вам вернётся: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::AppealRejected(it) => message(
            format!("Жалоба на штраф {} за {} отклонена", it.fine_id, it.plate),
            format!(
                "{}\nК оплате: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::ParkingEnding(it) => message(
            format!("Время парковки {} скоро закончится", it.plate),
            format!("{}, до {} UTC.", it.zone, it.date_to),
        ),
        Notice::WebhookDisabled(it) => message(
            "Ваш вебхук отключён",
            format!(
                "{} больше не вызывается: {}. То, что он пропустил, ждёт; включите его, и оно будет доставлено.",
                it.url, it.reason
            ),
        ),
        Notice::ParkingOver(it) => message(
            format!("Время парковки {} закончилось", it.plate),
            format!("{}, {} UTC.", it.zone, it.date_to),
        ),
        Notice::PasswordReset(it) => message(
            "Новый пароль",
            format!(
                "Кто-то — надеемся, вы — запросил новый пароль. Ваш код действует {} мин.:\n\n{}\n\nЕсли это были не \
                 вы, ничего не делайте: пароль останется прежним.",
                it.minutes, it.token
            ),
        ),
        Notice::VerifyEmail(it) => message(
            "Это ваш адрес электронной почты?",
            format!(
                "Код для подтверждения действует {} мин.:\n\n{}\n\nЕсли вы его не запрашивали, ничего не делайте.",
                it.minutes, it.token
            ),
        ),
        Notice::PasswordChanged(it) => message(
            "Ваш пароль изменён",
            format!(
                "Это сделали с адреса {}. Если это были не вы, сейчас же запросите новый пароль.",
                it.address
            ),
        ),
        Notice::TokenReused(it) => message(
            "Мы завершили ваш сеанс для безопасности",
            format!(
                "Ваш вход использовали повторно с адреса {}. Возможно, его скопировали, поэтому сеанс завершён. Если \
                 это были не вы, смените пароль.",
                it.address
            ),
        ),
        Notice::FactorRemoved(it) => message(
            "Ваш второй фактор удалён",
            format!(
                "Это сделал администратор с адреса {}. Если вы об этом не просили, смените пароль и настройте \
                 его снова.",
                it.address
            ),
        ),
        Notice::FactorAdded(it) => message(
            "Добавлен второй фактор",
            format!(
                "Это сделано с адреса {}. Теперь при входе нужен его код. Если это были не вы, запросите новый пароль и обратитесь к администратору.",
                it.address
            ),
        ),
        Notice::OwnFactorRemoved(it) => message(
            "Ваш второй фактор удалён",
            format!(
                "Это сделано с адреса {}, с помощью кода. Если это были не вы, смените пароль сейчас.",
                it.address
            ),
        ),
        Notice::BackupCodesRenewed(it) => message(
            "Ваши резервные коды обновлены",
            format!(
                "Это сделано с адреса {}. Прежние больше не действуют. Если это были не вы, смените пароль сейчас.",
                it.address
            ),
        ),
        Notice::PersonalTokenMade(it) => message(
            "Создан личный токен доступа",
            format!(
                "Это сделано с адреса {}. Если это были не вы, отзовите токен и смените пароль.",
                it.address
            ),
        ),
        Notice::NewSignIn(it) => message(
            "Вход с нового места",
            format!(
                "В ваш аккаунт вошли с адреса {}, откуда раньше не входили. Если это были не вы, смените пароль.",
                it.address
            ),
        ),
        Notice::MoneyWithdrawn(it) => message(
            format!("Деньги выведены: {}", money(it.amount_cents, it.currency)),
            format!(
                "Они ушли с вашего счёта {}. Если это были не вы, смените пароль сейчас и обратитесь к администратору.",
                it.reference
            ),
        ),
        Notice::DestinationAdded(it) => message(
            "Добавлен счёт для вывода денег",
            format!(
                "С {1} UTC деньги из вашего кошелька можно будет вывести на {0}. Если это были не вы, удалите этот \
                 счёт и смените пароль до этого времени.",
                it.account, it.usable_at
            ),
        ),
        Notice::EmailChanged(it) => message(
            "Ваш адрес почты изменён",
            format!(
                "Ваша учётная запись больше не использует этот адрес; это сделали с адреса {}. Если это были не \
                 вы, обратитесь к администратору.",
                it.address
            ),
        ),
    }
}

fn place_and_time(it: &Booking) -> String {
    format!(
        "{}, {}\nС {} до {} {}",
        it.place, it.address, it.date_from, it.date_to, it.time_zone
    )
}

fn price(it: &Booking) -> String {
    money(it.amount_cents, it.currency)
}

fn money(cents: i64, currency: Currency) -> String {
    Language::Ru.money(cents, currency)
}
