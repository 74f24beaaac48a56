"""The words that stand over the columns of an invoice export, and those that say what kind of document it is.

Any case and order; the languages are those of the programmes' vocabulary (RULES.md).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

Word = TypeVar("Word", bound=str)


class Column(StrEnum):
    """A column of an invoice export. AMOUNT stands for NET where no column says "net"."""

    INVOICE = "invoice"
    DATE = "date"
    LINE = "line"
    VOUCHER = "voucher"
    NET = "net"
    AMOUNT = "amount"
    TAX = "tax"
    CURRENCY = "currency"
    KIND = "kind"
    SUPPLIER = "supplier"
    CORRECTS = "corrects"


HEADERS: dict[Column, dict[str, tuple[str, ...]]] = {
    Column.INVOICE: {
        "en": ("invoice", "invoice number", "invoice no", "invoice id", "inv no", "inv", "document number"),
        "ko": ("송장", "송장 번호", "청구서", "청구서 번호", "인보이스", "인보이스 번호", "계산서 번호"),
        "de": ("Rechnung", "Rechnungsnummer", "Rechnungs-Nr.", "Rechnung Nr.", "Belegnummer", "Rg-Nr."),
        "fr": ("facture", "numéro de facture", "n° facture", "n° de facture", "no facture"),
        "es": ("factura", "número de factura", "nº factura", "nº de factura", "n.º de factura"),
        "ja": ("請求書", "請求書番号", "インボイス", "インボイス番号", "請求番号"),
        "zh-CN": ("发票", "发票号", "发票号码", "发票编号"),
    },
    Column.DATE: {
        "en": ("date", "invoice date", "issued on", "issue date", "issued", "document date"),
        "ko": ("날짜", "일자", "송장 날짜", "발행일", "발행 날짜", "청구일", "청구서 날짜", "작성일"),
        "de": ("Datum", "Rechnungsdatum", "Ausstellungsdatum", "Belegdatum"),
        "fr": ("date de facture", "date de facturation", "date d'émission", "date facture"),
        "es": ("fecha", "fecha de factura", "fecha de emisión", "fecha factura"),
        "ja": ("日付", "請求日", "発行日", "請求書日付"),
        "zh-CN": ("日期", "发票日期", "开票日期"),
    },
    Column.LINE: {
        "en": ("line", "line number", "line no", "item number", "pos", "position"),
        "ko": ("행", "행 번호", "줄", "라인", "항목", "순번"),
        "de": ("Zeile", "Positionsnummer", "Pos.-Nr.", "Zeilennummer"),
        "fr": ("ligne", "numéro de ligne", "n° ligne", "poste"),
        "es": ("línea", "número de línea", "posición", "partida", "renglón"),
        "ja": ("行", "行番号", "明細", "明細番号", "項番"),
        "zh-CN": ("行号", "项目", "行项目", "序号"),
    },
    Column.VOUCHER: {
        "en": ("voucher", "voucher ID", "voucher number", "voucher no"),
        "ko": ("상품권", "상품권 ID", "상품권 번호", "바우처", "바우처 ID", "바우처 번호"),
        "de": ("Gutschein", "Gutschein-ID", "Gutscheinnummer", "Gutschein-Nr.", "Beleg-ID"),
        "fr": ("bon", "ID du bon", "numéro du bon", "coupon", "n° de coupon"),
        "es": ("vale", "identificador del vale", "número de vale", "cupón", "ID del cupón"),
        "ja": ("利用券", "利用券 ID", "バウチャー", "バウチャー番号", "バウチャー ID"),
        "zh-CN": ("凭证", "凭证 ID", "凭证编号"),
    },
    Column.NET: {
        "en": ("net", "net amount", "amount net", "net value", "net total"),
        "ko": ("공급가액", "공급가", "순액", "순금액"),
        "de": ("netto", "Nettobetrag", "Betrag netto", "Nettowert"),
        "fr": ("montant HT", "net HT", "montant net", "HT"),
        "es": ("neto", "importe neto", "base imponible", "monto neto"),
        "ja": ("税抜金額", "税抜", "正味金額", "純額"),
        "zh-CN": ("净额", "不含税金额", "未税金额", "净值"),
    },
    Column.AMOUNT: {
        "en": ("amount", "line amount"),
        "ko": ("금액",),
        "de": ("Betrag",),
        "fr": ("montant",),
        "es": ("importe", "monto"),
        "ja": ("金額",),
        "zh-CN": ("金额",),
    },
    Column.TAX: {
        "en": ("tax", "tax amount", "VAT", "VAT amount", "GST", "sales tax"),
        "ko": ("세금", "세액", "부가세", "부가가치세"),
        "de": ("Steuer", "Steuerbetrag", "MwSt.", "USt.", "Mehrwertsteuer", "Umsatzsteuer"),
        "fr": ("taxe", "TVA", "montant TVA"),
        "es": ("impuesto", "impuestos", "IVA", "importe IVA"),
        "ja": ("税", "税額", "消費税", "消費税額"),
        "zh-CN": ("税额", "税金", "增值税"),
    },
    Column.CURRENCY: {
        "en": ("currency", "currency code", "ccy"),
        "ko": ("통화", "통화 코드", "화폐"),
        "de": ("Währung", "Währungscode"),
        "fr": ("devise", "monnaie"),
        "es": ("moneda", "divisa"),
        "ja": ("通貨", "通貨コード"),
        "zh-CN": ("货币", "币种", "币别"),
    },
    Column.KIND: {
        "en": ("kind", "type", "document type"),
        "ko": ("종류", "유형", "구분", "문서 유형"),
        "de": ("Art", "Belegart", "Typ", "Dokumenttyp"),
        "fr": ("type de document", "nature", "genre"),
        "es": ("tipo", "tipo de documento", "clase"),
        "ja": ("種類", "種別", "区分"),
        "zh-CN": ("类型", "种类", "单据类型"),
    },
    Column.SUPPLIER: {
        "en": ("supplier", "vendor", "partner", "seller"),
        "ko": ("공급업체", "공급자", "공급사", "파트너", "판매자"),
        "de": ("Lieferant", "Anbieter", "Verkäufer"),
        "fr": ("fournisseur", "partenaire", "vendeur"),
        "es": ("proveedor", "socio", "vendedor"),
        "ja": ("仕入先", "サプライヤー", "供給者", "パートナー", "取引先"),
        "zh-CN": ("供应商", "合作伙伴", "卖方"),
    },
    Column.CORRECTS: {
        "en": ("corrects", "corrects invoice", "corrected invoice", "replaces invoice", "original invoice"),
        "ko": ("정정 대상 송장", "정정 대상 청구서", "원 송장 번호"),
        "de": (
            "berichtigt",
            "berichtigt Rechnung",
            "berichtigte Rechnung",
            "ersetzt Rechnung",
            "Ursprungsrechnung",
        ),
        "fr": ("rectifie", "facture rectifiée", "facture corrigée", "facture d'origine"),
        "es": ("rectifica", "factura rectificada", "factura corregida", "factura original"),
        "ja": ("訂正対象請求書", "元請求書番号", "訂正元請求書"),
        "zh-CN": ("更正发票", "被更正发票", "原发票号码"),
    },
}

KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "invoice": {
        "en": ("invoice", "inv", "380"),
        "ko": ("송장", "청구서", "인보이스", "계산서"),
        "de": ("Rechnung",),
        "fr": ("facture",),
        "es": ("factura",),
        "ja": ("請求書", "インボイス", "請求"),
        "zh-CN": ("发票",),
    },
    "credit": {
        "en": ("credit", "credit note", "credit memo", "CN", "381"),
        "ko": ("대변표", "대변 메모", "크레딧", "신용 전표", "마이너스 계산서"),
        "de": ("Gutschrift", "Storno", "Stornorechnung", "Rechnungskorrektur"),
        "fr": ("avoir", "note de crédit", "facture d'avoir"),
        "es": ("abono", "nota de crédito", "nota de abono", "factura rectificativa"),
        "ja": ("クレジット", "クレジットメモ", "貸方票", "赤伝"),
        "zh-CN": ("贷项", "贷项通知单", "贷项凭单", "红字发票"),
    },
}

TOTALS: dict[str, tuple[str, ...]] = {
    "en": ("total", "grand total", "sum", "subtotal", "invoice total", "net total"),
    "ko": ("합계", "총계", "총합계", "소계"),
    "de": ("Summe", "Gesamt", "Gesamtsumme", "Gesamtbetrag", "Zwischensumme", "Total"),
    "fr": ("total", "total général", "total HT", "sous-total", "somme"),
    "es": ("total", "total general", "suma", "subtotal"),
    "ja": ("合計", "総計", "小計"),
    "zh-CN": ("合计", "总计", "小计", "总额"),
}


@lru_cache(maxsize=2048)  # the programme's own words come again with every file
def folded(text: str) -> str:
    """The form in which the words compare: NFKC, case folded, letters and digits only."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def index(words: Mapping[Word, Mapping[str, Sequence[str]]]) -> dict[str, Word]:
    """Word -> what it means, over all languages."""
    return {
        folded(word): meaning
        for meaning, by_language in words.items()
        for same in by_language.values()
        for word in same
    }


COLUMN_OF = index(HEADERS)
KIND_OF = index(KINDS)
TOTAL_WORDS = frozenset(folded(word) for same in TOTALS.values() for word in same)
