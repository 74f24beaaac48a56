"""The words of forwarded messages: header labels, separator lines, subject prefixes, attributions; data only.

By language, as the mail programs write them. A language is added by adding its words here.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

HEADERS: dict[str, dict[str, str]] = {
    "en": {
        "from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "date": "Date|Sent|Received",
        "subject": "Subject", "reply_to": "Reply-To|Reply To",
        "other": "Attachments|Attachment|Importance|Sensitivity|Priority|Resent-From",
    },
    "de": {
        "from": "Von|Absender", "to": "An|Empfänger", "cc": "Cc|Kopie|Kopie (CC)", "bcc": "Bcc|Blindkopie",
        "date": "Gesendet|Gesendet am|Datum", "subject": "Betreff|Thema", "reply_to": "Antwort an",
        "other": "Anlagen|Anlage|Anhang|Anhänge|Wichtigkeit|Priorität",
    },
    "fr": {
        "from": "De|Expéditeur", "to": "À|A|Pour|Destinataire", "cc": "Cc|Copie à|Copie", "bcc": "Cci",
        "date": "Envoyé|Envoyé le|Date", "subject": "Objet|Sujet", "reply_to": "Répondre à",
        "other": "Pièces jointes|Importance",
    },
    "es": {
        "from": "De|Remitente", "to": "Para|A", "cc": "CC|Copia", "bcc": "CCO",
        "date": "Enviado|Enviado el|Fecha", "subject": "Asunto", "reply_to": "Responder a|Responder-a",
        "other": "Datos adjuntos|Importancia",
    },
    "it": {
        "from": "Da|Mittente", "to": "A|Destinatario", "cc": "Cc", "bcc": "Ccn", "date": "Inviato|Inviato il|Data",
        "subject": "Oggetto", "reply_to": "Rispondi a", "other": "Allegati|Priorità",
    },
    "pt": {
        "from": "De|Remetente", "to": "Para", "cc": "Cc|Com cópia", "bcc": "Cco|Bcc",
        "date": "Enviado|Enviada|Enviado em|Enviada em|Data", "subject": "Assunto", "reply_to": "Responder a",
        "other": "Anexos|Prioridade",
    },
    "nl": {
        "from": "Van|Afzender", "to": "Aan", "cc": "CC|Kopie", "bcc": "BCC", "date": "Verzonden|Datum|Verzonden op",
        "subject": "Onderwerp", "reply_to": "Antwoord aan", "other": "Bijlagen|Urgentie",
    },
    "pl": {
        "from": "Od|Nadawca", "to": "Do|Adresat", "cc": "DW|Kopia|Cc", "bcc": "UDW", "date": "Wysłano|Data|Wysłane",
        "subject": "Temat", "reply_to": "Odpowiedz do", "other": "Załączniki|Ważność",
    },
    "cs": {
        "from": "Od|Odesílatel", "to": "Komu|Pro", "cc": "Kopie|Kopie (CC)|Cc", "bcc": "Skrytá kopie",
        "date": "Odesláno|Datum", "subject": "Předmět", "reply_to": "Odpověď-Komu", "other": "Přílohy|Důležitost",
    },
    "sk": {
        "from": "Od", "to": "Komu|Pre", "cc": "Kópia|Cc", "bcc": "Skrytá kópia", "date": "Odoslané|Dátum",
        "subject": "Predmet", "reply_to": "Odpoveď na", "other": "Prílohy",
    },
    "sv": {
        "from": "Från|Avsändare", "to": "Till", "cc": "Kopia|Cc", "bcc": "Hemlig kopia",
        "date": "Skickat|Datum|Skickades", "subject": "Ämne|Rubrik", "reply_to": "Svar till",
        "other": "Bilagor|Prioritet",
    },
    "da": {
        "from": "Fra|Afsender", "to": "Til", "cc": "Cc|Kopi|Kopi til", "bcc": "Bcc", "date": "Sendt|Dato",
        "subject": "Emne", "reply_to": "Svar til", "other": "Vedhæftede filer|Prioritet",
    },
    "nb": {
        "from": "Fra|Avsender", "to": "Til", "cc": "Kopi|Cc", "bcc": "Blindkopi", "date": "Sendt|Dato",
        "subject": "Emne", "reply_to": "Svar til", "other": "Vedlegg|Viktighet",
    },
    "fi": {
        "from": "Lähettäjä", "to": "Vastaanottaja|Saaja", "cc": "Kopio", "bcc": "Piilokopio",
        "date": "Lähetetty|Päivämäärä|Päiväys|Lähetysaika", "subject": "Aihe|Otsikko", "reply_to": "Vastausosoite",
        "other": "Liitteet|Tärkeys",
    },
    "hu": {
        "from": "Feladó|Küldő", "to": "Címzett", "cc": "Másolat|Másolatot kap", "bcc": "Rejtett másolat",
        "date": "Elküldve|Dátum|Küldve|Küldés dátuma", "subject": "Tárgy", "reply_to": "Válaszcím",
        "other": "Mellékletek",
    },
    "tr": {
        "from": "Kimden|Gönderen", "to": "Kime|Alıcı", "cc": "Bilgi|Cc", "bcc": "Gizli",
        "date": "Gönderildi|Tarih|Gönderilen|Gönderme tarihi|Gönderim tarihi",
        "subject": "Konu", "reply_to": "Yanıt Adresi", "other": "Ekler",
    },
    "ru": {
        "from": "От|От кого|Отправитель", "to": "Кому|Получатель", "cc": "Копия", "bcc": "Скрытая копия",
        "date": "Отправлено|Дата|Дата отправки", "subject": "Тема", "reply_to": "Ответить на|Кому отвечать",
        "other": "Вложения|Важность",
    },
    "uk": {
        "from": "Від|Від кого|Відправник", "to": "Кому|Одержувач", "cc": "Копія", "bcc": "Прихована копія",
        "date": "Надіслано|Дата", "subject": "Тема", "reply_to": "Відповідь до", "other": "Вкладення",
    },
    "ko": {
        "from": "보낸 사람|보낸이|발신자|발신인|발신|보내는 사람", "to": "받는 사람|받는이|수신자|수신인|수신",
        "cc": "참조", "bcc": "숨은 참조", "date": "보낸 날짜|날짜|보낸 시간|일시|발송 날짜|보낸날짜와 시간",
        "subject": "제목", "reply_to": "회신 주소|답장 받는 사람", "other": "첨부 파일|첨부파일|중요도",
    },
    "ja": {
        "from": "差出人|送信者|From", "to": "宛先|受信者|To", "cc": "CC|Cc", "bcc": "BCC",
        "date": "送信日時|日時|日付|送信|Date", "subject": "件名|題名|Subject", "reply_to": "返信先",
        "other": "添付ファイル|重要度",
    },
    "zh-CN": {
        "from": "发件人|寄件人|发信人", "to": "收件人|收信人", "cc": "抄送", "bcc": "密送|密件抄送",
        "date": "发送时间|日期|发送日期|时间",
        "subject": "主题|标题", "reply_to": "回复至|答复", "other": "附件|重要性",
    },
    "zh-TW": {
        "from": "寄件者|寄件人|發件人|自", "to": "收件者|收件人|至", "cc": "副本|抄送", "bcc": "密件副本",
        "date": "寄件日期|日期|傳送日期|發送時間", "subject": "主旨|主題", "reply_to": "回覆至", "other": "附件|重要性",
    },
    "hr": {
        "from": "Šalje|Od|Pošiljatelj", "to": "Prima|Za", "cc": "Cc|Kopija", "bcc": "Skrivena kopija",
        "date": "Datum|Poslano", "subject": "Predmet|Naslov", "reply_to": "Odgovori na", "other": "Privitci",
    },
    "et": {
        "from": "Saatja|Kellelt", "to": "Adressaat|Kellele|Saaja", "cc": "Koopia|Cc", "bcc": "Pimekoopia",
        "date": "Kuupäev|Saadetud|Saatmisaeg", "subject": "Teema", "reply_to": "Vasta", "other": "Manused",
    },
    "ro": {
        "from": "De la|De|Expeditor", "to": "Către|La|Catre", "cc": "Cc|Copie", "bcc": "Bcc",
        "date": "Trimis|Data|Dată", "subject": "Subiect|Subiectul", "reply_to": "Răspuns la", "other": "Atașări",
    },
    "el": {
        "from": "Από", "to": "Προς", "cc": "Κοιν.|Κοινοποίηση", "bcc": "Ιδιαίτερη κοινοποίηση",
        "date": "Στάλθηκε|Ημερομηνία", "subject": "Θέμα", "reply_to": "Απάντηση προς", "other": "Συνημμένα",
    },
}  # fmt: skip
"""Language -> field -> labels, parted by `|`. The order of the languages breaks ties."""

SEPARATORS: dict[str, str] = {
    "en": "Forwarded message|Begin forwarded message|Original message|Original mail|Forwarded mail|Forwarded email",
    "de": "Weitergeleitete Nachricht|Anfang der weitergeleiteten Nachricht|Ursprüngliche Nachricht"
    "|Originalnachricht|Original-Nachricht|Weitergeleitete E-Mail|Anfang der weitergeleiteten E-Mail"
    "|Urspr. Nachricht|Forwarded by|Beginn der weitergeleiteten Nachricht",
    "fr": "Message transféré|Début du message réexpédié|Début du message transféré|Message d'origine"
    "|Message original|Courriel original|Message réexpédié",
    "es": "Mensaje reenviado|Inicio del mensaje reenviado|Mensaje original|Mensaje enviado",
    "it": "Messaggio inoltrato|Inizio messaggio inoltrato|Messaggio originale",
    "pt": "Mensagem encaminhada|Mensagem reencaminhada|Início da mensagem encaminhada|Mensagem original"
    "|Início da mensagem reencaminhada",
    "nl": "Doorgestuurd bericht|Begin doorgestuurd bericht|Oorspronkelijk bericht|Origineel bericht",
    "pl": "Przekazana wiadomość|Początek przekazywanej wiadomości|Wiadomość oryginalna|Oryginalna wiadomość"
    "|Treść przekazanej wiadomości|Przesyłana dalej wiadomość|Wiadomość przekazana|Wiadomość przesłana dalej"
    "|Początek przekazanej wiadomości",
    "cs": "Přeposlaná zpráva|Začátek přeposílané zprávy|Původní zpráva|Původní e-mail|Předaná zpráva",
    "sk": "Preposlaná správa|Začiatok preposielanej správy|Pôvodná správa|Začiatok preposlanej správy",
    "sv": "Vidarebefordrat meddelande|Vidarebefordrat mejl|Ursprungligt meddelande|Originalmeddelande"
    "|Vidarebefordrat brev|Vidarebefordrat e-postmeddelande",
    "da": "Videresendt meddelelse|Videresendt besked|Oprindelig meddelelse|Start på videresendt besked"
    "|Original meddelelse|Oprindelig besked",
    "nb": "Videresendt melding|Opprinnelig melding|Original melding|Videresendt e-post",
    "fi": "Välitetty viesti|Välitetty viesti alkaa|Edelleenlähetetty viesti|Alkuperäinen viesti",
    "hu": "Továbbított üzenet|Továbbított levél|Továbbított levél kezdete|Eredeti üzenet|Eredeti levél",
    "tr": "İletilen İleti|İletilmiş Mesaj|Yönlendirilen ileti|İletinin başlangıcı|Özgün İleti|Orijinal Mesaj"
    "|İletilen mesaj|İleti başlangıcı|Yönlendirilmiş ileti",
    "ru": "Перенаправленное сообщение|Начало переадресованного сообщения|Пересылаемое сообщение"
    "|Исходное сообщение|Пересланное сообщение|Переадресованное сообщение|Оригинальное сообщение",
    "uk": "Переслане повідомлення|Початок листа, що пересилається|Вихідне повідомлення|Оригінальне повідомлення"
    "|Початок пересланого повідомлення|Перенаправлене повідомлення",
    "ko": "전달된 메시지|전달된 메일|원본 메시지|원본 메일|전달된 이메일|이하 전달된 메시지|전달한 메시지"
    "|원본 이메일|전달 메시지|Original Message",
    "ja": "転送メッセージ|転送されたメッセージ|転送メール|元のメッセージ|オリジナルメッセージ|以下、転送されたメール"
    "|転送されたメール|転送",
    "zh-CN": "转发的邮件|转发的邮件信息|转发邮件信息|原始邮件|邮件原件|转发的消息|开始转发的邮件|以下是转发的邮件"
    "|已转发的邮件|原邮件",
    "zh-TW": "轉寄的郵件|轉寄郵件|原始郵件|開始轉寄郵件|以下是轉寄的郵件|轉寄訊息|原始訊息|轉寄的訊息",
    "hr": "Proslijeđena poruka|Započni proslijeđenu poruku|Izvorna poruka|Početak proslijeđene poruke",
    "et": "Edastatud kiri|Edastatud sõnum|Algne kiri|Algne sõnum|Originaalkiri",
    "ro": "Mesaj redirecționat|Mesaj redirecţionat|Începutul mesajului redirecționat|Mesaj original"
    "|Începe mesajul redirecționat|Mesajul redirecționat",
    "el": "Προωθημένο μήνυμα|Αρχικό μήνυμα|Έναρξη προωθημένου μηνύματος",
}
"""Language -> the phrases of the line before a forwarded message, without dashes and colon."""

SEPARATOR_STARTS = (
    "Forwarded by", "Weitergeleitet von", "Réacheminé par", "Transféré par", "Reenviado por", "Inoltrato da",
    "Encaminhado por", "Doorgestuurd door", "전달자", "転送者",
)  # fmt: skip
"""How a separator of Lotus and HCL Notes begins; the name and the date of the forwarder follow."""

FORWARD_PREFIXES = (
    "FW|FWD|Fwd|Forward|WG|TR|RV|I|ENC|VS|VB|VL|PD|Doorst|DW|Továbbítás|TOV|İLT|ILT|Redir|Fwd.|Přeposláno|PŘ|PŘEP"
    "|FS|VIDS|Videresendt|Edastatud|Пересл|ПЕР|ПЕРЕСЛ|Переслано|Пересылка|전달|FW 전달|転送|转发|轉寄|轉發|Пер|ΠΡΘ"
    "|Inoltra|Trs|Reenv|Proslijeđeno|PROSL|YNT-İLT|PROSLJ"
)
REPLY_PREFIXES = (
    "RE|AW|SV|Antw|Antwort|RÉP|REP|Odp|Vá|Válasz|YNT|YAN|BLS|ATB|R|RIF|RES|Ant|VA|Отв|На|ΑΠ"
    "|回复|回覆|答复|返信|회신|답장"
)

WROTE = (
    "wrote|schrieb|a écrit|écrivait|escribió|ha scritto|scritto|escreveu|geschreven|schreef|napisał|napisała"
    "|napisał(a)|napsal|napísal|napísala|napsala|skrev|kirjoitti|írta|ezt írta|yazdı|şunu yazdı|написал|написала|пишет"
    "|написав|пише|님이 작성|작성:|작성했습니다|님이 쓴 글|書きました|のメール|写道|寫道|napisao|napisala"
    "|kirjutas|a scris|έγραψε"
)
"""Words of the line that stands before a quotation."""

WROTE_FILLERS: frozenset[str] = frozenset((
    "pm", "heeft", "used", "používateľ", "uživatel", "schrieb", "skrev", "kirjoitti", "on", "am", "le",
    "op", "el", "il", "em", "dne", "dnia", "den", "d.", "kl.", "um", "uhr", "à", "at", "wrote", "a",
    "écrit", "klo", "о", "в", "the", "от", "від", "tarihinde", "o",
))  # fmt: skip
"""Words of such a line beside the date and the name."""

ON_BEHALF = (
    " on behalf of ", " im auftrag von ", " de la part de ", " en nombre de ", " per conto di ", " namens ",
    " em nome de ", " w imieniu ", " på vegne af ", " på vegne av ", " för ", " jménem ", " v mene ", " puolesta ",
    " nevében ", " adına ", " от имени ", " від імені ", " 대신 ", " の代理 ", " 代表 ", " u ime ", " în numele ",
)  # fmt: skip


_ALIKE: dict[int, str | None] = {
    **dict.fromkeys(
        map(ord, " \t\n\r\f\v\u00a0\u1680\u2028\u2029\u205f\u3000-.*_‐–‑\u200b\u200e\u200f\ufeff")
    ),
    **dict.fromkeys(range(0x2000, 0x200B)),
    ord("’"): "'",
    ord("°"): "o",
}


def label_key(text: str) -> str:
    """The form in which labels and phrases are compared.

    NFKC, lower-cased, one apostrophe, without blanks, hyphens, dots and asterisks: `Gutschein-Nr.`, `*Gutschein
    Nr*` and `gutschein nr` are the same.
    """
    return _label_key(text) if len(text) <= _REMEMBERED else _plain(text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)


_REMEMBERED = 64  # labels are short, and the same ones come again in every mail
_label_key = lru_cache(maxsize=8192)(_plain)


def _labels() -> dict[str, dict[str, frozenset[str]]]:
    gathered: dict[str, dict[str, set[str]]] = {}
    for language, fields in HEADERS.items():
        for field, words in fields.items():
            for word in words.split("|"):
                gathered.setdefault(label_key(word), {}).setdefault(field, set()).add(language)
    return {key: {name: frozenset(langs) for name, langs in of.items()} for key, of in gathered.items()}


LABELS: dict[str, dict[str, frozenset[str]]] = _labels()
"""Label key -> field -> the languages in which it means that."""
WRITTEN: dict[str, str] = {
    word: label_key(word)
    for fields in HEADERS.values()
    for words in fields.values()
    for word in words.split("|")
}
"""Labels exactly as they are written -> their key, for headers that run on in one line."""
PHRASES: dict[str, str] = {
    label_key(phrase): language for language, phrases in SEPARATORS.items() for phrase in phrases.split("|")
}
PHRASE_STARTS: tuple[str, ...] = tuple(label_key(phrase) for phrase in SEPARATOR_STARTS)
FORWARD_KEYS: frozenset[str] = frozenset(label_key(prefix) for prefix in FORWARD_PREFIXES.split("|"))
REPLY_KEYS: frozenset[str] = (
    frozenset(label_key(prefix) for prefix in REPLY_PREFIXES.split("|")) - FORWARD_KEYS
)
WROTE_WORDS: tuple[str, ...] = tuple(dict.fromkeys(word.casefold() for word in WROTE.split("|")))
LONGEST_LABEL: int = max(len(word) for word in WRITTEN)
