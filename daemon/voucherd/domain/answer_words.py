"""The words of one-line answers (CONTRACT.md, Answers by mail) by language; data only.

The first word of each is the one that mails of ours name. A language or a word is added by adding it here. Compared
without regard to case; between letters of Korean, Japanese and Chinese, blanks do not count.
"""

from __future__ import annotations

from enum import StrEnum


class Said(StrEnum):
    """What a line of an answer says. `done` is a date alone, or a word for it: what the mail asked for is done."""

    RESERVED = "reserved"
    DELIVERED = "delivered"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    BILLED = "billed"
    SNOOZE = "snooze"
    HELP = "help"
    UNDO = "undo"
    DONE = "done"


ANSWERS: dict[str, dict[Said, str]] = {
    "en": {
        Said.RESERVED: "reserved|is reserved|was reserved|has been reserved|reserved it|we reserved it",
        Said.DELIVERED: "delivered|is delivered|was delivered|has been delivered|delivered it|we delivered it",
        Said.REDEEMED: "redeemed|is redeemed|was redeemed|has been redeemed|redeemed it|we redeemed it",
        Said.CANCELLED: "cancelled|canceled|reservation cancelled|reservation canceled|was cancelled|was canceled",
        Said.BILLED: "billed|invoiced|was billed|was invoiced|has been billed|has been invoiced",
        Said.SNOOZE: "snooze|snooze for|remind me in",
        Said.HELP: "help",
        Said.UNDO: "undo|please undo|undo this",
        Said.DONE: "done|is done",
    },
    "ko": {
        Said.RESERVED: "예약|예약함|예약됨|예약했음|예약 완료|예약했습니다|예약하였습니다|예약되었습니다"
        "|예약 완료했습니다|예약을 완료했습니다|예약 완료되었습니다|예약 완료하였습니다",
        Said.DELIVERED: "작업 완료|수행|수행함|수행 완료|수행했습니다|수행하였습니다|수행 완료했습니다"
        "|작업을 완료했습니다|제공 완료|서비스 제공 완료|납품|납품 완료|납품했습니다|납품 완료했습니다",
        Said.REDEEMED: "사용|사용함|사용 완료|사용했습니다|사용하였습니다|사용 처리|사용 처리 완료|사용 처리했습니다"
        "|상환|상환함|상환 완료|상환했습니다|상환하였습니다|상환 처리|상환 처리 완료|상환 처리했습니다|사용(상환)"
        "|사용(상환) 완료|사용(상환) 처리 완료",
        Said.CANCELLED: "예약 취소|취소|취소함|취소됨|취소 완료|취소했습니다|취소하였습니다|취소되었습니다|예약 취소함"
        "|예약 취소 완료|예약 취소했습니다|예약을 취소했습니다|예약이 취소되었습니다",
        Said.BILLED: "청구|청구함|청구 완료|청구했습니다|청구하였습니다|청구되었습니다|청구 완료했습니다",
        Said.SNOOZE: "연기|보류|미루기|알림 연기|알림 보류",
        Said.HELP: "도움말|도움",
        Said.UNDO: "되돌리기|실행 취소|되돌려 주세요|되돌려 주십시오|기록 취소",
        Said.DONE: "완료|처리 완료|완료함|완료했습니다|처리했습니다|처리 완료했습니다",
    },
    "de": {
        Said.RESERVED: "reserviert|ist reserviert|wurde reserviert|haben wir reserviert",
        Said.DELIVERED: "erbracht|ist erbracht|wurde erbracht|geliefert|wurde geliefert|durchgeführt"
        "|wurde durchgeführt|Leistung erbracht|Leistung wurde erbracht",
        Said.REDEEMED: "eingelöst|ist eingelöst|wurde eingelöst|haben wir eingelöst",
        Said.CANCELLED: "storniert|wurde storniert|ist storniert|Reservierung storniert|Reservierung wurde storniert",
        Said.BILLED: "abgerechnet|wurde abgerechnet|ist abgerechnet|in Rechnung gestellt|fakturiert|berechnet",
        Said.SNOOZE: "später|zurückstellen|verschieben|erinnern in|erneut erinnern in",
        Said.HELP: "Hilfe",
        Said.UNDO: "rückgängig|rückgängig machen|bitte rückgängig machen|zurücknehmen",
        Said.DONE: "erledigt|ist erledigt|wurde erledigt",
    },
    "fr": {
        Said.RESERVED: "réservé|réservée|est réservé|a été réservé|réservation faite|réservation effectuée",
        Said.DELIVERED: "réalisé|réalisée|livré|livrée|effectué|effectuée|a été réalisé|prestation réalisée"
        "|prestation effectuée",
        Said.REDEEMED: "utilisé|utilisée|échangé|est utilisé|a été utilisé|a été échangé",
        Said.CANCELLED: "annulé|annulée|est annulé|a été annulé|réservation annulée|a été annulée",
        Said.BILLED: "facturé|facturée|est facturé|a été facturé",
        Said.SNOOZE: "reporter|reporter de|rappel dans|rappeler dans",
        Said.HELP: "aide",
        Said.UNDO: "revenir en arrière|annuler",
        Said.DONE: "fait|c'est fait",
    },
    "es": {
        Said.RESERVED: "reservado|reservada|está reservado|se ha reservado|ha sido reservado",
        Said.DELIVERED: "realizado|realizada|entregado|entregada|prestado|servicio realizado|servicio prestado"
        "|se ha realizado|se ha entregado",
        Said.REDEEMED: "canjeado|canjeada|está canjeado|se ha canjeado|ha sido canjeado|utilizado",
        Said.CANCELLED: "cancelado|cancelada|anulado|anulada|reserva cancelada|reserva anulada|se ha cancelado",
        Said.BILLED: "facturado|facturada|se ha facturado|está facturado",
        Said.SNOOZE: "posponer|aplazar|recordar en",
        Said.HELP: "ayuda",
        Said.UNDO: "deshacer",
        Said.DONE: "hecho|listo|está hecho",
    },
    "ja": {
        Said.RESERVED: "予約|予約済み|予約済|予約完了|予約しました|予約いたしました|予約が完了しました",
        Said.DELIVERED: "実施済み|実施済|実施完了|実施しました|提供済み|提供完了|提供しました"
        "|納品|納品済み|納品しました",
        Said.REDEEMED: "引き換え済み|引換済み|引換済|引き換えました|引き換え完了|使用済み|使用済|使用しました|利用済み"
        "|利用済|利用しました",
        Said.CANCELLED: "キャンセル|キャンセル済み|キャンセルしました|取消|取消済み|取り消し|取り消し済み"
        "|取り消しました|予約取消|予約を取り消しました|予約キャンセル|予約をキャンセルしました",
        Said.BILLED: "請求|請求済み|請求済|請求しました|請求いたしました",
        Said.SNOOZE: "延期|スヌーズ|リマインド",
        Said.HELP: "ヘルプ|使い方",
        Said.UNDO: "元に戻す|元に戻してください",
        Said.DONE: "完了|完了しました|対応済み|処理済み",
    },
    "zh-CN": {
        Said.RESERVED: "已预订|已预约|已经预订|已经预约|预订|预约|预订完成|已保留|已完成预订",
        Said.DELIVERED: "已交付|已经交付|交付|交付完成|已完成交付|已实施|已提供服务",
        Said.REDEEMED: "已兑换|已经兑换|兑换|已兑现|已使用|已经使用",
        Said.CANCELLED: "已取消|取消|已经取消|取消预订|预订已取消|已取消预订",
        Said.BILLED: "已开票|已经开票|开票|已开具发票|已请款",
        Said.SNOOZE: "推迟|延后|稍后提醒",
        Said.HELP: "帮助",
        Said.UNDO: "撤销|撤回|还原",
        Said.DONE: "完成|已完成|已经完成|已办理",
    },
    "pt-BR": {
        Said.RESERVED: "reservado|reservada|está reservado|foi reservado",
        Said.DELIVERED: "realizado|realizada|entregue|prestado|foi realizado|foi entregue|serviço realizado"
        "|serviço prestado",
        Said.REDEEMED: "resgatado|resgatada|está resgatado|foi resgatado|utilizado|usado",
        Said.CANCELLED: "cancelado|cancelada|reserva cancelada|foi cancelado|foi cancelada",
        Said.BILLED: "faturado|faturada|foi faturado|está faturado",
        Said.SNOOZE: "adiar|adiar por|lembrar em",
        Said.HELP: "ajuda",
        Said.UNDO: "desfazer",
        Said.DONE: "feito|concluído|está feito",
    },
}
"""Language -> what is said -> its words, parted by a bar."""

DAYS_AGO: dict[str, int] = {
    **dict.fromkeys(("today", "오늘", "heute", "aujourd'hui", "hoy", "今日", "本日", "今天", "hoje"), 0),
    **dict.fromkeys(("yesterday", "어제", "gestern", "hier", "ayer", "昨日", "昨天", "ontem"), 1),
}
"""Words for a day as seen from the day of the mail."""

_BESIDE = (
    "on at the of as st nd rd th am vom den der le du er el de del día dia em no do "
    "에 자 일자로 일자 로 일에 で 日に に 付 付け 于 在 号 日 일 월 년 年 月 "
    "mon tue tues wed thu thur thurs fri sat sun "
    "monday tuesday wednesday thursday friday saturday sunday "
    "mo di mi fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag "
    "lundi mardi mercredi jeudi vendredi samedi dimanche "
    "lunes martes miércoles jueves viernes sábado domingo segunda terça quarta quinta sexta feira "
    "월요일 화요일 수요일 목요일 금요일 토요일 일요일 화 수 목 금 토 "
    "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日 火 水 木 金 土 "
    "星期一 星期二 星期三 星期四 星期五 星期六 星期日 星期天 周一 周二 周三 周四 周五 周六 周日"
)
BESIDE_DATES = frozenset(_BESIDE.split())
"""What may stand beside the numbers and month of a date."""

_UNITS = "d day days 일 일간 일동안 tag tage tagen j jour jours día días dia dias 日 日間 天"
DAY_UNITS = frozenset(("", *_UNITS.split()))
"""What may stand behind the number of days of a snooze."""
