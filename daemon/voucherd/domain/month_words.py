"""The words for months, by language, as they stand in dates.

Forms of the Unicode CLDR (full, genitive and short), and what mail programs write besides them; lower-cased,
without a closing dot, January first.
"""

from __future__ import annotations

import unicodedata

_WORDS: dict[str, str] = {
    "en": "january jan|february feb|march mar|april apr|"
    "may|june jun|july jul|august aug|"
    "september sep sept|october oct|november nov|december dec",
    "de": "januar jan jänner|februar feb feber|märz mär mrz maerz|april apr|"
    "mai|juni jun|juli jul|august aug|"
    "september sept sep|oktober okt|november nov|dezember dez",
    "fr": "janvier janv|février févr fevr fev|mars|avril avr|"
    "mai|juin|juillet juil|août aout|"
    "septembre sept|octobre oct|novembre nov|décembre déc dec decembre",
    "es": "enero ene|febrero feb|marzo mar|abril abr|"
    "mayo may|junio jun|julio jul|agosto ago|"
    "septiembre sept set setiembre|octubre oct|noviembre nov|diciembre dic",
    "it": "gennaio gen|febbraio feb|marzo mar|aprile apr|"
    "maggio mag|giugno giu|luglio lug|agosto ago|"
    "settembre set sett|ottobre ott|novembre nov|dicembre dic",
    "pt": "janeiro jan|fevereiro fev|março mar|abril abr|"
    "maio mai|junho jun|julho jul|agosto ago|"
    "setembro set|outubro out|novembro nov|dezembro dez",
    "nl": "januari jan|februari feb|maart mrt|april apr|"
    "mei|juni jun|juli jul|augustus aug|"
    "september sep|oktober okt|november nov|december dec",
    "pl": "stycznia sty styczeń|lutego lut luty|marca mar marzec|kwietnia kwi kwiecień|"
    "maja maj|czerwca cze czerwiec|lipca lip lipiec|sierpnia sie sierpień|"
    "września wrz wrzesień|października paź październik|listopada lis listopad|grudnia gru grudzień",
    "cs": "ledna led leden|února úno únor|března bře březen|dubna dub duben|"
    "května kvě květen|června čvn červen|července čvc červenec|srpna srp srpen|"
    "září zář|října říj říjen|listopadu lis listopad|prosince pro prosinec",
    "sk": "januára jan január|februára feb február|marca mar marec|apríla apr apríl|"
    "mája máj|júna jún|júla júl|augusta aug august|"
    "septembra sep september|októbra okt október|novembra nov november|decembra dec december",
    "sv": "januari jan|februari feb|mars|april apr|"
    "maj|juni|juli|augusti aug|"
    "september sep|oktober okt|november nov|december dec",
    "da": "januar jan|februar feb|marts mar|april apr|"
    "maj|juni jun|juli jul|august aug|"
    "september sep|oktober okt|november nov|december dec",
    "nb": "januar jan|februar feb|mars mar|april apr|"
    "mai|juni jun|juli jul|august aug|"
    "september sep|oktober okt|november nov|desember des",
    "fi": "tammikuuta tammi tammikuu tammik|helmikuuta helmi helmikuu helmik|maaliskuuta maalis maaliskuu maalisk|"
    "huhtikuuta huhti huhtikuu huhtik|"
    "toukokuuta touko toukokuu toukok|kesäkuuta kesä kesäkuu kesäk|"
    "heinäkuuta heinä heinäkuu heinäk|elokuuta elo elokuu elok|"
    "syyskuuta syys syyskuu syysk|lokakuuta loka lokakuu lokak|"
    "marraskuuta marras marraskuu marrask|joulukuuta joulu joulukuu jouluk",
    "hu": "január jan|február febr|március márc már|április ápr apr|"
    "május máj|június jún|július júl|augusztus aug|"
    "szeptember szept szep|október okt|november nov|december dec",
    "tr": "ocak oca|şubat şub|mart mar|nisan nis|"
    "mayıs may|haziran haz|temmuz tem|ağustos ağu|"
    "eylül eyl|ekim eki|kasım kas|aralık ara",
    "ru": "января янв январь|февраля февр февраль фев|марта мар март|апреля апр апрель|"
    "мая май|июня июн июнь|июля июл июль|августа авг август|"
    "сентября сент сентябрь сен|октября окт октябрь|ноября нояб ноябрь ноя|декабря дек декабрь",
    "uk": "січня січ січень|лютого лют лютий|березня бер березень|квітня квіт квітень|"
    "травня трав травень|червня черв червень|липня лип липень|серпня серп серпень|"
    "вересня вер вересень|жовтня жовт жовтень|листопада лист листопад|грудня груд грудень",
    "hr": "siječnja sij siječanj|veljače velj veljača|ožujka ožu ožujak|travnja tra travanj|"
    "svibnja svi svibanj|lipnja lip lipanj|srpnja srp srpanj|kolovoza kol kolovoz|"
    "rujna ruj rujan|listopada lis listopad|studenoga stu studeni|prosinca pro prosinac",
    "et": "jaanuar jaan|veebruar veebr|märts|aprill apr|"
    "mai|juuni|juuli|august aug|"
    "september sept|oktoober okt|november nov|detsember dets",
    "ro": "ianuarie ian|februarie feb|martie mar|aprilie apr|"
    "mai|iunie iun|iulie iul|august aug|"
    "septembrie sept|octombrie oct|noiembrie nov|decembrie dec",
    "el": "ιανουαρίου ιαν ιανουάριοσ|φεβρουαρίου φεβ φεβρουάριοσ|μαρτίου μαρ μάρτιοσ μάρ|απριλίου απρ απρίλιοσ|"
    "μαΐου μαΐ μάιοσ μάι|ιουνίου ιουν ιούνιοσ ιούν|ιουλίου ιουλ ιούλιοσ ιούλ|αυγούστου αυγ αύγουστοσ αύγ|"
    "σεπτεμβρίου σεπ σεπτέμβριοσ|οκτωβρίου οκτ οκτώβριοσ|νοεμβρίου νοε νοέμβριοσ νοέ|δεκεμβρίου δεκ δεκέμβριοσ",
    "lt": "sausio saus sausis|vasario vas vasaris|kovo kov kovas|balandžio bal balandis|"
    "gegužės geg gegužė|birželio birž birželis|liepos liep liepa|rugpjūčio rugp rugpjūtis|"
    "rugsėjo rugs rugsėjis|spalio spal spalis|lapkričio lapkr lapkritis|gruodžio gruod gruodis",
    "lv": "janvāris janv|februāris febr|marts|aprīlis apr|"
    "maijs|jūnijs jūn|jūlijs jūl|augusts aug|"
    "septembris sept|oktobris okt|novembris nov|decembris dec",
    "sl": "januar jan|februar feb|marec mar|april apr|"
    "maj|junij jun|julij jul|avgust avg|"
    "september sep|oktober okt|november nov|december dec",
    "bg": "януари яну|февруари фев|март|април апр|"
    "май|юни|юли|август авг|"
    "септември сеп|октомври окт|ноември ное|декември дек",
    "sr": "јануар јан|фебруар феб|март мар|април апр|"
    "мај|јун|јул|август авг|"
    "септембар сеп|октобар окт|новембар нов|децембар дец",
}
MONTHS: dict[str, tuple[str, ...]] = {language: tuple(words.split("|")) for language, words in _WORDS.items()}
"""Language -> the forms of each month, parted by a blank."""


def folded(word: str) -> str:
    """The form in which month words are compared: NFKC, lower-cased, without a closing dot."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word).casefold()).rstrip(".")


def without_marks(word: str) -> str:
    """The word without its accents, as it is typed on a keyboard that has none."""
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


def _index() -> dict[str, dict[str, int]]:
    index: dict[str, dict[str, int]] = {}
    for language, months in MONTHS.items():
        for number, forms in enumerate(months, start=1):
            for form in forms.split():
                for key in (folded(form), folded(without_marks(form))):
                    index.setdefault(key, {}).setdefault(language, number)
    return index


BY_WORD: dict[str, dict[str, int]] = _index()
"""Word -> language -> month number. One word may be different months: `listopad` is October in Croatian and
November in Czech and Polish."""
