"""The words over the columns of a remittance advice or payment status list, and those for what became of a payment.

The languages are those of the programmes' vocabulary (RULES.md), as for invoice lists.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from voucherd.adapters.invoicefile.words import HEADERS, Column, folded, index
from voucherd.domain.reconciliation.remittances import PaymentStatus


class PaidColumn(StrEnum):
    """A column that only such a list has."""

    STATUS = "status"
    PAID = "paid amount"
    PAID_ON = "paid on"
    SUBMITTED_ON = "submitted on"
    REFERENCE = "payment reference"
    REASON = "reason"


PAID_HEADERS: dict[PaidColumn, dict[str, tuple[str, ...]]] = {
    PaidColumn.STATUS: {
        "en": ("status", "payment status", "claim status", "payment request status"),
        "ko": ("상태", "지급 상태", "결제 상태"),
        "de": ("Status", "Zahlungsstatus"),
        "fr": ("statut", "état", "statut du paiement"),
        "es": ("estado", "estado del pago"),
        "ja": ("状態", "ステータス", "支払状況", "支払ステータス"),
        "zh-CN": ("状态", "付款状态", "支付状态"),
    },
    PaidColumn.PAID: {
        "en": ("paid", "paid amount", "amount paid", "payment amount", "remitted", "remitted amount"),
        "ko": ("지급액", "지급 금액", "결제 금액", "송금액"),
        "de": ("bezahlt", "gezahlt", "Zahlbetrag", "Zahlungsbetrag", "gezahlter Betrag", "bezahlter Betrag"),
        "fr": ("payé", "montant payé", "montant du paiement", "montant réglé"),
        "es": ("pagado", "importe pagado", "monto pagado", "importe del pago"),
        "ja": ("支払額", "支払金額", "入金額", "送金額"),
        "zh-CN": ("付款金额", "已付金额", "支付金额", "汇款金额"),
    },
    PaidColumn.PAID_ON: {
        "en": ("paid on", "payment date", "date paid", "date of payment", "value date", "remittance date"),
        "ko": ("지급일", "지급 날짜", "결제일", "송금일"),
        "de": ("bezahlt am", "gezahlt am", "Zahlungsdatum", "Zahldatum", "Valuta", "Wertstellung"),
        "fr": ("payé le", "date de paiement", "date de règlement", "date de valeur"),
        "es": ("pagado el", "fecha de pago", "fecha valor"),
        "ja": ("支払日", "入金日", "送金日"),
        "zh-CN": ("付款日期", "支付日期", "汇款日期"),
    },
    PaidColumn.SUBMITTED_ON: {
        "en": (
            "submitted on", "submission date", "date submitted", "date of submission", "submitted date", "claimed on",
            "claim date", "request date", "payment request date",
        ),
        "ko": ("제출일", "제출 날짜", "신청일", "청구 제출일"),
        "de": ("eingereicht am", "Einreichungsdatum", "Datum der Einreichung", "Antragsdatum"),
        "fr": ("soumis le", "date de soumission", "date de dépôt", "date de la demande"),
        "es": ("enviado el", "fecha de envío", "fecha de presentación", "fecha de solicitud"),
        "ja": ("提出日", "申請日", "請求提出日"),
        "zh-CN": ("提交日期", "申请日期", "提交时间"),
    },
    PaidColumn.REFERENCE: {
        "en": (
            "payment reference", "payment number", "payment no", "payment ID", "remittance", "remittance number",
            "remittance advice", "transaction ID",
        ),
        "ko": ("지급 번호", "결제 번호", "송금 번호"),
        "de": ("Zahlungsreferenz", "Zahlungsnummer", "Avisnummer", "Zahlungsavis"),
        "fr": ("référence de paiement", "numéro de paiement", "avis de paiement"),
        "es": ("referencia de pago", "número de pago", "aviso de pago"),
        "ja": ("支払番号", "送金番号", "支払参照番号"),
        "zh-CN": ("付款编号", "付款参考号", "汇款编号"),
    },
    PaidColumn.REASON: {
        "en": ("reason", "denial reason", "reason for denial", "comment", "comments", "remarks"),
        "ko": ("사유", "거부 사유", "비고"),
        "de": ("Grund", "Ablehnungsgrund", "Bemerkung"),
        "fr": ("motif", "motif du refus", "commentaire"),
        "es": ("motivo", "motivo del rechazo", "comentario"),
        "ja": ("理由", "却下理由", "備考"),
        "zh-CN": ("原因", "拒绝原因", "备注"),
    },
}  # fmt: skip

STATUSES: dict[PaymentStatus, dict[str, tuple[str, ...]]] = {
    PaymentStatus.PAID: {
        "en": ("paid", "payment made", "paid in full", "payment completed", "remitted", "settled"),
        "ko": ("지급", "지급됨", "지급 완료", "결제 완료"),
        "de": ("bezahlt", "gezahlt", "ausgezahlt", "überwiesen"),
        "fr": ("payé", "payée", "réglé", "réglée"),
        "es": ("pagado", "pagada", "abonado"),
        "ja": ("支払済", "支払済み", "支払い済み", "入金済"),
        "zh-CN": ("已付款", "已支付", "已付"),
    },
    PaymentStatus.DENIED: {
        "en": ("denied", "payment denied", "rejected", "declined", "refused", "not paid"),
        "ko": ("거부", "거부됨", "반려", "지급 거부"),
        "de": ("abgelehnt", "zurückgewiesen", "verweigert"),
        "fr": ("refusé", "refusée", "rejeté", "rejetée"),
        "es": ("denegado", "denegada", "rechazado", "rechazada"),
        "ja": ("却下", "拒否", "不承認"),
        "zh-CN": ("拒绝", "已拒绝", "被拒绝", "驳回"),
    },
    PaymentStatus.REVERSED: {
        "en": ("reversed", "payment reversed", "recovered", "clawed back", "returned"),
        "ko": ("환수", "취소됨"),
        "de": ("zurückgebucht", "zurückgefordert", "storniert"),
        "fr": ("annulé", "annulée", "récupéré"),
        "es": ("revertido", "anulado", "recuperado"),
        "ja": ("取消", "返金"),
        "zh-CN": ("已撤销", "退回", "已冲销"),
    },
    PaymentStatus.PENDING: {
        "en": (
            "pending", "submitted", "in process", "processing", "in progress", "under review", "in review", "open",
            "approved", "scheduled", "draft",
        ),
        "ko": ("대기", "대기 중", "제출됨", "처리 중", "검토 중", "승인됨"),
        "de": ("offen", "eingereicht", "in Bearbeitung", "in Prüfung", "genehmigt"),
        "fr": ("en attente", "soumis", "en cours", "approuvé"),
        "es": ("pendiente", "enviado", "en proceso", "en revisión", "aprobado"),
        "ja": ("保留", "申請済", "処理中", "審査中", "承認済"),
        "zh-CN": ("待处理", "已提交", "处理中", "审核中", "已批准"),
    },
}  # fmt: skip

_SHARED = (Column.INVOICE, Column.VOUCHER, Column.AMOUNT, Column.CURRENCY, Column.SUPPLIER, Column.DATE)
_COLUMN_OF: Final = index({**{column: HEADERS[column] for column in _SHARED}, **PAID_HEADERS})
COLUMN_OF: Final[dict[str, str]] = {word: str(column) for word, column in _COLUMN_OF.items()}
"""Folded heading -> column, those that an invoice list has as well among them."""
STATUS_OF: Final = index(STATUSES)


def status_of(text: str) -> PaymentStatus | None:
    """What a written status means; None for one that is not known."""
    return STATUS_OF.get(folded(text))
