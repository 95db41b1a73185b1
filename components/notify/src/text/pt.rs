//! Português.

use kit::Language;
use kit::money::Currency;

use super::{Message, message};
use crate::notice::{Booking, Notice};

pub fn say(notice: &Notice) -> Message {
    match notice {
        Notice::BookingCreated(it) => message(
            format!("Reserva {} confirmada", it.booking_id),
            format!("{}\nPago: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBooked(it) => message(
            format!("Nova reserva {}: {}", it.booking_id, it.place),
            format!(
                "{}\nVocê recebe ao término: {}",
                place_and_time(it),
                price(it)
            ),
        ),
        Notice::BookingChanged(it) => message(
            format!("Reserva {} alterada", it.booking_id),
            format!("{}\nValor: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBookingChanged(it) => message(
            format!("Reserva {} alterada: {}", it.booking_id, it.place),
            format!("{}\nValor: {}", place_and_time(it), price(it)),
        ),
        Notice::BookingCanceled(it) => message(
            format!("Reserva {} cancelada", it.booking_id),
            format!(
                "{}\nVocê recebe de volta: {}",
                place_and_time(it),
                price(it)
            ),
        ),
        Notice::PlaceBookingCanceled(it) => message(
            format!("Reserva {} cancelada: {}", it.booking_id, it.place),
            place_and_time(it),
        ),
        Notice::LeftLate(it) => message(
            format!(
                "Seu carro saiu após o término da reserva {}",
                it.booking.booking_id
            ),
            format!(
                "{}\nSaída: {} {}\nA pagar: {}. O que faltar na carteira fica em aberto.",
                place_and_time(&it.booking),
                it.left_at,
                it.booking.time_zone,
                price(&it.booking)
            ),
        ),
        Notice::PlaceLeftLate(it) => message(
            format!(
                "O carro da reserva {} saiu com atraso: {}",
                it.booking.booking_id, it.booking.place
            ),
            format!(
                "{}\nSaída: {} {}\nO motorista paga: {}",
                place_and_time(&it.booking),
                it.left_at,
                it.booking.time_zone,
                price(&it.booking)
            ),
        ),
        Notice::OverstayWaived(it) => message(
            format!(
                "A saída com atraso da reserva {} não custa nada",
                it.booking_id
            ),
            format!(
                "{}\nVocê recebe de volta: {}",
                place_and_time(it),
                price(it)
            ),
        ),
        Notice::BookingEnding(it) => message(
            format!("A reserva {} termina em breve", it.booking_id),
            format!("{}, até {} {}.", it.place, it.date_to, it.time_zone),
        ),
        Notice::PaymentApproved(it) => message(
            format!(
                "Pagamento recebido: {}",
                money(it.amount_cents, it.currency)
            ),
            format!("Referente a {}.", it.reference),
        ),
        Notice::PaymentRefunded(it) => message(
            format!(
                "Pagamento devolvido: {}",
                money(it.amount_cents, it.currency)
            ),
            format!("Era referente a {}.", it.reference),
        ),
        Notice::OrderReady(it) => message(
            format!("O pedido {} está pronto", it.number),
            format!("Retire em {}.", it.shop),
        ),
        Notice::OrderCancelled(it) => message(
            format!("O pedido {} foi cancelado", it.number),
            format!("{}: nada foi pago.", it.shop),
        ),
        Notice::OrderRefunded(it) => message(
            format!("O pedido {} foi reembolsado", it.number),
            format!(
                "{}: o pedido não foi feito. Você recebe de volta: {}",
                it.shop,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::OrderPaidLate(it) => message(
            format!("O pedido {} foi pago tarde demais", it.number),
            format!(
                "{}: ele já não esperava este pagamento. Você recebe de volta: {}",
                it.shop,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FineIssued(it) => message(
            format!("Multa {} para {}", it.fine_id, it.plate),
            format!(
                "{}\nA pagar: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePaid(it) => message(
            format!("A multa {} de {} foi paga", it.fine_id, it.plate),
            format!("{}\nPago: {}", it.zone, money(it.amount_cents, it.currency)),
        ),
        Notice::FinePartPaid(it) => message(
            format!(
                "Uma parcela da multa {} de {} foi paga",
                it.fine_id, it.plate
            ),
            format!("{}\nPago: {}", it.zone, money(it.amount_cents, it.currency)),
        ),
        Notice::FinePaymentReturned(it) => message(
            format!(
                "O pagamento da multa {} de {} foi devolvido",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nA pagar: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePartEnding(it) => message(
            format!(
                "A próxima parcela da multa {} de {} vence em breve",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nA pagar em dois dias: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::DiscountEnding(it) => message(
            format!(
                "O desconto da multa {} de {} termina em breve",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nA pagar até lá: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::AppealAccepted(it) => message(
            format!(
                "O recurso contra a multa {} de {} foi aceito",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nA multa foi cancelada. Você recebe de volta: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::AppealRejected(it) => message(
            format!(
                "O recurso contra a multa {} de {} foi negado",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nA pagar: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::ParkingEnding(it) => message(
            format!("O estacionamento de {} termina em breve", it.plate),
            format!("{}, até {} UTC.", it.zone, it.date_to),
        ),
        Notice::WebhookDisabled(it) => message(
            "Seu webhook foi desativado",
            format!(
                "{} não é mais chamado: {}. O que ele perdeu está guardado; ative-o para receber.",
                it.url, it.reason
            ),
        ),
        Notice::ParkingOver(it) => message(
            format!("O estacionamento de {} terminou", it.plate),
            format!("{}, desde {} UTC.", it.zone, it.date_to),
        ),
        Notice::PasswordReset(it) => message(
            "Uma nova senha",
            format!(
                "Alguém, esperamos que você, pediu uma nova senha. Seu código, válido por {} minutos:\n\n{}\n\nSe não \
                 foi você, não faça nada: sua senha continua a mesma.",
                it.minutes, it.token
            ),
        ),
        Notice::VerifyEmail(it) => message(
            "Este é o seu e-mail?",
            format!(
                "O código que o comprova, válido por {} minutos:\n\n{}\n\nSe você não o pediu, não faça nada.",
                it.minutes, it.token
            ),
        ),
        Notice::PasswordChanged(it) => message(
            "Sua senha foi alterada",
            format!(
                "Isso foi feito a partir de {}. Se não foi você, peça uma nova senha agora.",
                it.address
            ),
        ),
        Notice::TokenReused(it) => message(
            "Encerramos sua sessão por segurança",
            format!(
                "Um acesso seu foi usado pela segunda vez, a partir de {}. Ele pode ter sido copiado, por isso foi \
                 encerrado. Se não foi você, troque a senha.",
                it.address
            ),
        ),
        Notice::FactorRemoved(it) => message(
            "Seu segundo fator foi removido",
            format!(
                "Um administrador fez isso, a partir de {}. Se você não pediu, troque a senha e configure-o de \
                 novo.",
                it.address
            ),
        ),
        Notice::FactorAdded(it) => message(
            "Um segundo fator foi adicionado",
            format!(
                "Foi feito a partir de {}. A partir de agora, o código dele é pedido ao entrar. Se não foi você, peça uma nova senha e fale com um administrador.",
                it.address
            ),
        ),
        Notice::OwnFactorRemoved(it) => message(
            "Seu segundo fator foi removido",
            format!(
                "Foi feito a partir de {}, com um código. Se não foi você, troque a senha agora.",
                it.address
            ),
        ),
        Notice::BackupCodesRenewed(it) => message(
            "Seus códigos de reserva foram renovados",
            format!(
                "Foi feito a partir de {}. Os anteriores não valem mais. Se não foi você, troque a senha agora.",
                it.address
            ),
        ),
        Notice::PersonalTokenMade(it) => message(
            "Um token de acesso pessoal foi criado",
            format!(
                "Foi feito a partir de {}. Se não foi você, encerre o token e troque a senha.",
                it.address
            ),
        ),
        Notice::NewSignIn(it) => message(
            "Entrada a partir de um novo lugar",
            format!(
                "Sua conta foi acessada a partir de {}, de onde não tinha sido antes. Se não foi você, troque a senha.",
                it.address
            ),
        ),
        Notice::MoneyWithdrawn(it) => message(
            format!("Dinheiro retirado: {}", money(it.amount_cents, it.currency)),
            format!(
                "Saiu da sua conta {}. Se não foi você, troque a senha agora e fale com um administrador.",
                it.reference
            ),
        ),
        Notice::DestinationAdded(it) => message(
            "Um destino para o seu dinheiro foi adicionado",
            format!(
                "O saldo da sua carteira poderá ser enviado para {} a partir de {} UTC. Se não foi você, remova o \
                 destino e troque a senha antes.",
                it.account, it.usable_at
            ),
        ),
        Notice::EmailChanged(it) => message(
            "Seu e-mail foi alterado",
            format!(
                "Sua conta não usa mais este endereço; isso foi feito a partir de {}. Se não foi você, procure \
                 um administrador.",
                it.address
            ),
        ),
    }
}

fn place_and_time(it: &Booking) -> String {
    format!(
        "{}, {}\nDe {} até {} {}",
        it.place, it.address, it.date_from, it.date_to, it.time_zone
    )
}

fn price(it: &Booking) -> String {
    money(it.amount_cents, it.currency)
}

fn money(cents: i64, currency: Currency) -> String {
    Language::Pt.money(cents, currency)
}
