"""The words and date forms of mail programs, by language, as each program writes them above a forward; data only.

Written down apart from `voucherd.domain.forward_words`, so that the one tests the other. Header labels stand in the
order of the program, as `field=Label`; dates are patterns of the Unicode LDML (Babel formats them), for one instant.
"""

from __future__ import annotations

LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sv", "da", "nb", "fi", "hu", "tr", "ru", "uk", "ko", "ja",
    "zh-CN", "zh-TW",
)  # fmt: skip
SPACED_COLON = frozenset({"fr"})
"""Languages that write a blank before a colon."""
WIDE_COLON = frozenset({"zh-CN", "zh-TW"})
"""Languages in which Gmail writes a full-width colon."""

OUTLOOK = {
    "en": "From|Sent|To|Cc|Subject", "de": "Von|Gesendet|An|Cc|Betreff", "fr": "De|Envoyé|À|Cc|Objet",
    "es": "De|Enviado el|Para|CC|Asunto", "it": "Da|Inviato|A|Cc|Oggetto", "pt": "De|Enviada em|Para|Cc|Assunto",
    "nl": "Van|Verzonden|Aan|CC|Onderwerp", "pl": "Od|Wysłano|Do|DW|Temat", "cs": "Od|Odesláno|Komu|Kopie|Předmět",
    "sv": "Från|Skickat|Till|Kopia|Ämne", "da": "Fra|Sendt|Til|Cc|Emne", "nb": "Fra|Sendt|Til|Kopi|Emne",
    "fi": "Lähettäjä|Lähetetty|Vastaanottaja|Kopio|Aihe", "hu": "Feladó|Elküldve|Címzett|Másolatot kap|Tárgy",
    "tr": "Kimden|Gönderildi|Kime|Bilgi|Konu", "ru": "От|Отправлено|Кому|Копия|Тема",
    "uk": "Від|Надіслано|Кому|Копія|Тема", "ko": "보낸 사람|보낸 날짜|받는 사람|참조|제목",
    "ja": "差出人|送信日時|宛先|CC|件名", "zh-CN": "发件人|发送时间|收件人|抄送|主题",
    "zh-TW": "寄件者|寄件日期|收件者|副本|主旨",
}  # fmt: skip
"""From, sent, to, cc, subject of Outlook for Windows."""
OUTLOOK_WEB = OUTLOOK | {
    "es": "De|Enviado|Para|Cc|Asunto", "pt": "De|Enviado|Para|Cc|Assunto", "tr": "Gönderen|Gönderildi|Kime|Bilgi|Konu",
    "nl": "Van|Verzonden|Aan|Cc|Onderwerp",
}  # fmt: skip
OUTLOOK_NEW = {
    "en": "From|Date|To|Cc|Subject", "de": "Von|Datum|An|Cc|Betreff", "fr": "De|Date|À|Cc|Objet",
    "es": "De|Fecha|Para|CC|Asunto", "it": "Da|Data|A|Cc|Oggetto", "pt": "De|Data|Para|Cc|Assunto",
    "nl": "Van|Datum|Aan|CC|Onderwerp", "pl": "Od|Data|Do|DW|Temat", "cs": "Od|Datum|Komu|Kopie|Předmět",
    "sv": "Från|Datum|Till|Kopia|Ämne", "da": "Fra|Dato|Til|Cc|Emne", "nb": "Fra|Dato|Til|Kopi|Emne",
    "fi": "Lähettäjä|Päivämäärä|Vastaanottaja|Kopio|Aihe", "hu": "Feladó|Dátum|Címzett|Másolatot kap|Tárgy",
    "tr": "Kimden|Tarih|Kime|Bilgi|Konu", "ru": "От|Дата|Кому|Копия|Тема", "uk": "Від|Дата|Кому|Копія|Тема",
    "ko": "보낸 사람|날짜|받는 사람|참조|제목", "ja": "差出人|日付|宛先|CC|件名",
    "zh-CN": "发件人|日期|收件人|抄送|主题", "zh-TW": "寄件者|日期|收件者|副本|主旨",
}  # fmt: skip

WINDOWS_DATES = {
    "en": "EEEE, MMMM d, yyyy h:mm a", "de": "EEEE, d. MMMM yyyy HH:mm", "fr": "EEEE d MMMM yyyy HH:mm",
    "es": "EEEE, d 'de' MMMM 'de' yyyy H:mm", "it": "EEEE d MMMM yyyy HH:mm",
    "pt": "EEEE, d 'de' MMMM 'de' yyyy HH:mm", "nl": "EEEE d MMMM yyyy HH:mm", "pl": "EEEE, d MMMM yyyy HH:mm",
    "cs": "EEEE d. MMMM yyyy H:mm", "sv": "'den' d MMMM yyyy HH:mm", "da": "d. MMMM yyyy HH:mm",
    "nb": "EEEE d. MMMM yyyy HH.mm", "fi": "EEEE d. MMMM yyyy H.mm", "hu": "yyyy. MMMM d., EEEE H:mm",
    "tr": "d MMMM yyyy EEEE HH:mm", "ru": "EEEE, d MMMM yyyy 'г'. H:mm", "uk": "EEEE, d MMMM yyyy 'р'. H:mm",
    "ko": "yyyy'년' M'월' d'일' EEEE a h:mm", "ja": "yyyy'年'M'月'd'日' H:mm", "zh-CN": "yyyy'年'M'月'd'日' H:mm",
    "zh-TW": "yyyy'年'M'月'd'日' a hh:mm",
}  # fmt: skip
"""Windows' long date and short time, as Outlook for Windows writes them."""
MAC_DATES = WINDOWS_DATES | {
    "en": "EEEE, d MMMM yyyy 'at' HH:mm", "de": "EEEE, d. MMMM yyyy 'um' HH:mm", "fr": "EEEE, d MMMM yyyy 'à' HH:mm",
    "it": "EEEE, d MMMM yyyy HH:mm", "pt": "EEEE, d 'de' MMMM 'de' yyyy, HH:mm", "nl": "EEEE, d MMMM yyyy 'om' HH:mm",
    "pl": "EEEE, d MMMM yyyy 'o' HH:mm", "cs": "EEEE, d. MMMM yyyy H:mm", "sv": "EEEE, d MMMM yyyy HH:mm",
    "da": "EEEE, d. MMMM yyyy 'kl'. HH.mm", "nb": "EEEE, d. MMMM yyyy 'kl'. HH:mm",
    "fi": "EEEE, d. MMMM yyyy 'klo' H.mm", "tr": "EEEE, d MMMM yyyy HH:mm", "ru": "EEEE, d MMMM yyyy 'г'. 'в' HH:mm",
    "ko": "EEEE, yyyy'년' M'월' d'일' a h:mm", "ja": "yyyy'年'M'月'd'日' EEEE H:mm",
    "zh-CN": "EEEE, yyyy'年'M'月'd'日' HH:mm", "zh-TW": "EEEE, yyyy'年'M'月'd'日' ah:mm",
}  # fmt: skip
"""What the new Outlook writes."""
GMAIL_DATES = {
    "en": "EEE, MMM d, yyyy 'at' h:mm a", "de": "EEE, d. MMM yyyy 'um' HH:mm 'Uhr'", "fr": "EEE d MMM yyyy 'à' HH:mm",
    "es": "EEE, d MMM yyyy 'a' 'las' H:mm", "it": "EEE d MMM yyyy 'alle' 'ore' HH:mm",
    "pt": "EEE, d 'de' MMM 'de' yyyy 'às' HH:mm", "nl": "EEE d MMM yyyy 'om' HH:mm", "pl": "EEE, d MMM yyyy 'o' HH:mm",
    "cs": "EEE d. M. yyyy 'v' H:mm", "sv": "EEE d MMM yyyy 'kl' HH:mm", "da": "EEE d. MMM yyyy 'kl'. HH.mm",
    "nb": "EEE d. MMM yyyy 'kl'. HH:mm", "fi": "EEE d. MMM yyyy 'klo' H.mm", "hu": "yyyy. MMM d., EEE, H:mm",
    "tr": "d MMM yyyy EEE, HH:mm", "ru": "EEE, d MMM yyyy 'г'. 'в' HH:mm", "uk": "EEE, d MMM yyyy 'р'. 'о' HH:mm",
    "ko": "yyyy'년' M'월' d'일' (EEE) a h:mm", "ja": "yyyy'年'M'月'd'日'(EEE) H:mm",
    "zh-CN": "yyyy'年'M'月'd'日'EEE HH:mm", "zh-TW": "yyyy'年'M'月'd'日' EEE ah:mm",
}  # fmt: skip
GMAIL_FROM = {
    "en": "From", "de": "Von", "fr": "De", "es": "De", "it": "Da", "pt": "De", "nl": "Van", "pl": "Od", "cs": "Od",
    "sv": "Från", "da": "Fra", "nb": "Fra", "fi": "Lähettäjä", "hu": "Feladó", "tr": "Gönderen", "ru": "От",
    "uk": "Від",
    "ko": "보낸사람", "ja": "From", "zh-CN": "发件人", "zh-TW": "寄件者",
}  # fmt: skip
"""Gmail translates the sender's label and leaves the separator and the other labels in English."""

APPLE = {
    "en": "Begin forwarded message|From|Subject|Date|To|Cc",
    "de": "Anfang der weitergeleiteten Nachricht|Von|Betreff|Datum|An|Kopie",
    "fr": "Début du message réexpédié|De|Objet|Date|À|Cc",
    "es": "Inicio del mensaje reenviado|De|Asunto|Fecha|Para|Cc",
    "it": "Inizio messaggio inoltrato|Da|Oggetto|Data|A|Cc",
    "pt": "Início da mensagem reencaminhada|De|Assunto|Data|Para|Cc",
    "nl": "Begin doorgestuurd bericht|Van|Onderwerp|Datum|Aan|Kopie",
    "pl": "Początek przekazywanej wiadomości|Od|Temat|Data|Do|DW",
    "cs": "Začátek přeposílané zprávy|Od|Předmět|Datum|Komu|Kopie",
    "sv": "Vidarebefordrat mejl|Från|Ämne|Datum|Till|Kopia",
    "da": "Start på videresendt besked|Fra|Emne|Dato|Til|Cc",
    "nb": "Videresendt melding|Fra|Emne|Dato|Til|Kopi",
    "fi": "Välitetty viesti alkaa|Lähettäjä|Aihe|Päivämäärä|Vastaanottaja|Kopio",
    "hu": "Továbbított levél kezdete|Feladó|Tárgy|Dátum|Címzett|Másolatot kap",
    "tr": "İleti başlangıcı|Kimden|Konu|Tarih|Kime|Bilgi",
    "ru": "Начало переадресованного сообщения|Отправитель|Тема|Дата|Кому|Копия",
    "uk": "Початок листа, що пересилається|Від|Тема|Дата|Кому|Копія",
    "ko": "전달된 메시지|보낸 사람|제목|날짜|받는 사람|참조",
    "ja": "転送されたメッセージ|差出人|件名|日付|宛先|Cc",
    "zh-CN": "开始转发的邮件|发件人|主题|日期|收件人|抄送",
    "zh-TW": "開始轉寄郵件|寄件人|主旨|日期|收件人|副本",
}
"""Separator, from, subject, date, to, cc of Apple Mail."""
APPLE_DATES = {
    "en": "d MMMM yyyy 'at' HH:mm:ss", "de": "d. MMMM yyyy 'um' HH:mm:ss", "fr": "d MMMM yyyy 'à' HH:mm:ss",
    "es": "d 'de' MMMM 'de' yyyy, H:mm:ss", "it": "d MMMM yyyy 'alle' 'ore' HH:mm:ss",
    "pt": "d 'de' MMMM 'de' yyyy 'às' HH:mm:ss", "nl": "d MMMM yyyy 'om' HH:mm:ss", "pl": "d MMMM yyyy 'o' HH:mm:ss",
    "cs": "d. MMMM yyyy 'v' H:mm:ss", "sv": "d MMMM yyyy HH:mm:ss", "da": "d. MMMM yyyy 'kl'. HH.mm.ss",
    "nb": "d. MMMM yyyy 'kl'. HH:mm:ss", "fi": "d. MMMM yyyy 'klo' H.mm.ss", "hu": "yyyy. MMMM d. H:mm:ss",
    "tr": "d MMMM yyyy HH:mm:ss", "ru": "d MMMM yyyy 'г'. 'в' HH:mm:ss", "uk": "d MMMM yyyy 'р'. 'о' HH:mm:ss",
    "ko": "yyyy'년' M'월' d'일' a h:mm:ss", "ja": "yyyy'年'M'月'd'日' H:mm:ss",
    "zh-CN": "yyyy'年'M'月'd'日' 'GMT+2' HH:mm:ss", "zh-TW": "yyyy'年'M'月'd'日' ah:mm:ss '[GMT+2]'",
}  # fmt: skip
APPLE_ZONES = {
    "de": "MESZ",
    "cs": "SELČ",
    "fr": "UTC+2",
    "fi": "UTC+2",
    "zh-CN": "",
    "zh-TW": "",
} | dict.fromkeys(("tr", "ru", "uk", "ko", "ja"), "GMT+2")
"""How a zone two hours east of UTC is written; elsewhere CEST. Chinese writes it before, or in brackets."""

THUNDERBIRD = {
    "en": "Forwarded Message|Subject|Date|From|To|CC",
    "de": "Weitergeleitete Nachricht|Betreff|Datum|Von|An|Kopie (CC)",
    "fr": "Message transféré|Sujet|Date|De|Pour|Copie à", "es": "Mensaje reenviado|Asunto|Fecha|De|Para|CC",
    "it": "Messaggio Inoltrato|Oggetto|Data|Mittente|A|CC", "pt": "Mensagem reencaminhada|Assunto|Data|De|Para|CC",
    "nl": "Doorgestuurd bericht|Onderwerp|Datum|Van|Aan|CC",
    "pl": "Treść przekazanej wiadomości|Temat|Data|Nadawca|Adresat|Kopia",
    "cs": "Přeposlaná zpráva|Předmět|Datum|Od|Komu|Kopie",
    "sv": "Vidarebefordrat meddelande|Ämne|Datum|Från|Till|Kopia",
    "da": "Videresendt meddelelse|Emne|Dato|Fra|Til|CC", "nb": "Videresendt melding|Emne|Dato|Fra|Til|CC",
    "fi": "Välitetty viesti|Aihe|Päiväys|Lähettäjä|Vastaanottaja|Kopio",
    "hu": "Továbbított üzenet|Tárgy|Dátum|Feladó|Címzett|Másolat", "tr": "İletilen İleti|Konu|Tarih|Kimden|Kime|CC",
    "ru": "Перенаправленное сообщение|Тема|Дата|От|Кому|Копия", "uk": "Переслане повідомлення|Тема|Дата|Від|Кому|CC",
    "ko": "전달된 메시지|제목|날짜|보낸 사람|받는 사람|참조", "ja": "転送メッセージ|件名|日付|差出人|宛先|CC",
    "zh-CN": "转发的消息|主题|日期|发件人|收件人|抄送", "zh-TW": "轉寄的訊息|主旨|日期|寄件者|收件者|副本",
}  # fmt: skip
"""Separator, subject, date, from, to, cc of Thunderbird; its dates are those of the header."""

YAHOO = {
    "en": "Forwarded Message|From|To|Cc|Sent|Subject", "de": "Weitergeleitete Nachricht|Von|An|CC|Gesendet|Betreff",
    "fr": "Message transféré|De|À|Cc|Envoyé|Objet", "es": "Mensaje reenviado|De|Para|CC|Enviado|Asunto",
    "it": "Messaggio inoltrato|Da|A|Cc|Inviato|Oggetto", "pt": "Mensagem encaminhada|De|Para|Cc|Enviado|Assunto",
    "nl": "Doorgestuurd bericht|Van|Aan|Cc|Verzonden|Onderwerp", "pl": "Wiadomość przekazana|Od|Do|DW|Wysłano|Temat",
    "cs": "Přeposlaná zpráva|Od|Komu|Kopie|Odesláno|Předmět",
    "sv": "Vidarebefordrat meddelande|Från|Till|Kopia|Skickat|Ämne",
    "da": "Videresendt meddelelse|Fra|Til|Cc|Sendt|Emne", "nb": "Videresendt melding|Fra|Til|Kopi|Sendt|Emne",
    "fi": "Edelleenlähetetty viesti|Lähettäjä|Vastaanottaja|Kopio|Lähetetty|Aihe",
    "hu": "Továbbított üzenet|Feladó|Címzett|Másolat|Elküldve|Tárgy",
    "tr": "İletilmiş Mesaj|Kimden|Kime|Cc|Gönderilen|Konu",
    "ru": "Пересылаемое сообщение|От|Кому|Копия|Отправлено|Тема",
    "uk": "Переслане повідомлення|Від|Кому|Копія|Надіслано|Тема",
    "ko": "전달된 메시지|보낸 사람|받는 사람|참조|보낸 날짜|제목", "ja": "転送メッセージ|差出人|宛先|CC|送信|件名",
    "zh-CN": "转发的邮件|发件人|收件人|抄送|发送时间|主题", "zh-TW": "轉寄的郵件|寄件者|收件者|副本|寄件日期|主旨",
}  # fmt: skip
"""Separator, from, to, cc, sent, subject of Yahoo."""
YAHOO_DATES = WINDOWS_DATES | {
    "en": "EEEE, MMMM d, yyyy, hh:mm:ss a 'GMT+2'", "de": "EEEE, d. MMMM yyyy, HH:mm:ss 'MESZ'",
    "fr": "EEEE d MMMM yyyy 'à' HH:mm:ss 'UTC+2'", "es": "EEEE, d 'de' MMMM 'de' yyyy, HH:mm:ss 'CEST'",
    "it": "EEEE d MMMM yyyy 'alle' 'ore' HH:mm:ss 'CEST'", "pt": "EEEE, d 'de' MMMM 'de' yyyy HH:mm:ss 'GMT+2'",
    "da": "EEEE 'den' d. MMMM yyyy HH.mm.ss 'CEST'", "fi": "EEEE d. MMMM yyyy 'klo' HH.mm.ss 'UTC+2'",
    "hu": "yyyy. MMMM d., EEEE HH:mm:ss 'CEST'", "tr": "d MMMM yyyy EEEE HH:mm:ss 'GMT+2'",
    "cs": "EEEE d. MMMM yyyy, HH:mm:ss 'SELČ'",
}  # fmt: skip

NOTES = {
    "en": "Forwarded by {who} on {when}|From|To|Cc|Date|Subject",
    "de": "Weitergeleitet von {who} am {when}|Von|An|Kopie|Datum|Betreff",
    "fr": "Réacheminé par {who} le {when}|De|A|Cc|Date|Objet",
    "es": "Reenviado por {who} con fecha {when}|De|Para|CC|Fecha|Asunto",
    "it": "Inoltrato da {who} il {when}|Da|A|Cc|Data|Oggetto",
    "pt": "Encaminhado por {who} em {when}|De|Para|Cc|Data|Assunto",
    "nl": "Doorgestuurd door {who} op {when}|Van|Aan|CC|Datum|Onderwerp",
    "pl": "Przekazane przez {who} dnia {when}|Od|Do|DW|Data|Temat",
    "cs": "Předáno kým {who} dne {when}|Od|Komu|Kopie|Datum|Předmět",
    "sv": "Vidarebefordrat av {who} den {when}|Från|Till|Kopia|Datum|Ämne",
    "da": "Videresendt af {who} den {when}|Fra|Til|Cc|Dato|Emne",
    "nb": "Videresendt av {who} den {when}|Fra|Til|Kopi|Dato|Emne",
    "fi": "Välittänyt {who} {when}|Lähettäjä|Vastaanottaja|Kopio|Päivämäärä|Aihe",
    "hu": "Továbbította: {who}, dátum: {when}|Feladó|Címzett|Másolat|Dátum|Tárgy",
    "tr": "İleten {who} tarih {when}|Kimden|Kime|Bilgi|Tarih|Konu",
    "ru": "Переслал {who} {when}|От|Кому|Копия|Дата|Тема",
    "uk": "Переслав {who} {when}|Від|Кому|Копія|Дата|Тема",
    "ko": "전달자 {who} 날짜 {when}|보낸 사람|받는 사람|참조|날짜|제목",
    "ja": "転送者 {who} 日時 {when}|差出人|宛先|Cc|日付|件名",
    "zh-CN": "转发人 {who} 时间 {when}|发件人|收件人|抄送|日期|主题",
    "zh-TW": "轉寄者 {who} 時間 {when}|寄件人|收件人|副本|日期|主旨",
}
"""Separator, from, to, cc, date, subject of Lotus and HCL Notes."""
NUMERIC_DATES = {
    "en": "MM/dd/yyyy", "de": "dd.MM.yyyy", "fr": "dd/MM/yyyy", "es": "dd/MM/yyyy", "it": "dd/MM/yyyy",
    "pt": "dd/MM/yyyy", "nl": "dd-MM-yyyy", "pl": "dd.MM.yyyy", "cs": "d. M. yyyy", "sv": "yyyy-MM-dd",
    "da": "dd-MM-yyyy", "nb": "dd.MM.yyyy", "fi": "d.M.yyyy", "hu": "yyyy.MM.dd.", "tr": "dd.MM.yyyy",
    "ru": "dd.MM.yyyy", "uk": "dd.MM.yyyy", "ko": "yyyy-MM-dd", "ja": "yyyy/MM/dd", "zh-CN": "yyyy-MM-dd",
    "zh-TW": "yyyy/MM/dd",
}  # fmt: skip
"""Dates in figures, with the year in full."""

ANDROID = {
    "en": "Original message|From|Date|To|Cc|Subject", "de": "Ursprüngliche Nachricht|Von|Datum|An|Cc|Betreff",
    "fr": "Message d'origine|De|Date|À|Cc|Objet", "es": "Mensaje original|De|Fecha|Para|Cc|Asunto",
    "it": "Messaggio originale|Da|Data|A|Cc|Oggetto", "pt": "Mensagem original|De|Data|Para|Cc|Assunto",
    "nl": "Oorspronkelijk bericht|Van|Datum|Aan|Cc|Onderwerp", "pl": "Oryginalna wiadomość|Od|Data|Do|DW|Temat",
    "cs": "Původní zpráva|Od|Datum|Komu|Kopie|Předmět", "sv": "Originalmeddelande|Från|Datum|Till|Kopia|Rubrik",
    "da": "Oprindelig besked|Fra|Dato|Til|Cc|Emne", "nb": "Opprinnelig melding|Fra|Dato|Til|Kopi|Emne",
    "fi": "Alkuperäinen viesti|Lähettäjä|Päivämäärä|Saaja|Kopio|Aihe",
    "hu": "Eredeti üzenet|Feladó|Dátum|Címzett|Másolat|Tárgy", "tr": "Orijinal mesaj|Kimden|Tarih|Kime|Bilgi|Konu",
    "ru": "Исходное сообщение|От|Дата|Кому|Копия|Тема", "uk": "Оригінальне повідомлення|Від|Дата|Кому|Копія|Тема",
    "ko": "원본 이메일|발신|날짜|수신|참조|제목", "ja": "元のメッセージ|差出人|日付|宛先|CC|件名",
    "zh-CN": "原始邮件|发件人|日期|收件人|抄送|主题", "zh-TW": "原始訊息|自|日期|至|副本|主旨",
}  # fmt: skip
"""Separator, from, date, to, cc, subject of Samsung and other Android mail programs."""
ANDROID_DATES = {
    language: f"{date.replace('yyyy', 'yy')}  HH:mm '(GMT+02:00)'" for language, date in NUMERIC_DATES.items()
} | {
    "en": "M/d/yy  h:mm a '(GMT+02:00)'", "sv": "yyyy-MM-dd  HH:mm '(GMT+02:00)'", "ko": "yy/M/d  a h:mm '(GMT+02:00)'",
    "ja": "yyyy/MM/dd  H:mm '(GMT+02:00)'", "zh-CN": "yyyy/M/d  HH:mm '(GMT+02:00)'",
    "zh-TW": "yyyy/M/d  ah:mm '(GMT+02:00)'", "hu": "yyyy.MM.dd.  H:mm '(GMT+02:00)'",
}  # fmt: skip
"""Many write the year in two figures."""

FORWARD_SUBJECTS = {
    "en": "FW", "de": "WG", "fr": "TR", "es": "RV", "it": "I", "pt": "ENC", "nl": "FW", "pl": "PD", "cs": "FW",
    "sv": "VB", "da": "VS", "nb": "VS", "fi": "VL", "hu": "FW", "tr": "İLT", "ru": "FW", "uk": "FW", "ko": "FW",
    "ja": "FW", "zh-CN": "转发", "zh-TW": "轉寄",
}  # fmt: skip
"""The prefix that Outlook gives the subject of a forward; the others write `Fwd`."""

VOUCHER_MAIL = {
    "en": "A voucher was assigned to you", "de": "Ihnen wurde ein Gutschein zugewiesen",
    "fr": "Un bon vous a été attribué", "es": "Se le ha asignado un vale", "it": "Le è stato assegnato un voucher",
    "pt": "Um voucher foi atribuído a si", "nl": "Er is een voucher aan u toegewezen", "pl": "Przydzielono Ci voucher",
    "cs": "Byl vám přiřazen poukaz", "sv": "En voucher har tilldelats dig", "da": "Du har fået tildelt en voucher",
    "nb": "Du har fått tildelt en kupong", "fi": "Sinulle on myönnetty palveluseteli",
    "hu": "Utalványt rendeltek Önhöz", "tr": "Size bir kupon atandı", "ru": "Вам назначен ваучер",
    "uk": "Вам призначено ваучер", "ko": "바우처가 할당되었습니다", "ja": "利用券が割り当てられました",
    "zh-CN": "已向您分配凭证", "zh-TW": "已指派憑證給您",
}  # fmt: skip
"""The subject of the programme's mail (synthetic)."""

FACTS = {
    "en": "Voucher number|Organization|Service|Length|Created on|Valid until|{} days",
    "de": "Gutschein-Nr.|Organisation|Leistung|Dauer|Erstellt am|Gültig bis|{} Tage",
    "fr": "Numéro du bon|Organisation|Service|Durée|Créé le|Valable jusqu'au|{} jours",
    "es": "Número de vale|Organización|Servicio|Duración|Creado el|Válido hasta|{} días",
    "it": "Numero del voucher|Organizzazione|Servizio|Durata|Creato il|Valido fino al|{} giorni",
    "pt": "Número do voucher|Organização|Serviço|Duração|Criado em|Válido até|{} dias",
    "nl": "Vouchernummer|Organisatie|Dienst|Duur|Gemaakt op|Geldig tot|{} dagen",
    "pl": "Numer vouchera|Organizacja|Usługa|Liczba dni|Utworzono|Ważny do|{} dni",
    "cs": "Číslo poukazu|Organizace|Služba|Délka|Vytvořeno|Platnost do|{} dní",
    "sv": "Vouchernummer|Organisation|Tjänst|Längd|Skapad|Giltig till|{} dagar",
    "da": "Vouchernummer|Organisation|Tjeneste|Varighed|Oprettet|Gyldig til|{} dage",
    "nb": "Kupongnummer|Organisasjon|Tjeneste|Varighet|Opprettet|Gyldig til|{} dager",
    "fi": "Palvelusetelin numero|Organisaatio|Palvelu|Kesto|Luotu|Voimassa|{} päivää",
    "hu": "Utalványszám|Szervezet|Szolgáltatás|Időtartam|Létrehozva|Érvényes eddig|{} nap",
    "tr": "Kupon numarası|Kuruluş|Hizmet|Süre|Oluşturulma tarihi|Son kullanma tarihi|{} gün",
    "ru": "Номер ваучера|Организация|Услуга|Длительность|Создан|Действителен до|{} дней",
    "uk": "Номер ваучера|Організація|Послуга|Тривалість|Створено|Дійсний до|{} днів",
    "ko": "상품권 번호|조직|서비스|기간|생성 날짜|유효 기간|{}일",
    "ja": "利用券番号|組織|サービス|日数|作成日|有効期限|{} 日",
    "zh-CN": "凭证编号|组织|服务|天数|创建日期|有效期至|{} 天",
    "zh-TW": "憑證編號|組織|服務|天數|建立日期|有效期限|{} 天",
}
"""Labels of the facts (voucher ID, customer, offering, days, assigned on, expires on), and how a number of days is
written."""
