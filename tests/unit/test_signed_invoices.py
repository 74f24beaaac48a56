"""Signed files (.p7m) and the simplified FatturaPA: what is inside is read, and nothing else is believed of them.

All documents are synthetic, and so are their signatures.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.einvoicing import fattura
from tests.invoicetemplates import example_invoice, template
from tests.pdfmaking import pdf
from voucherd.adapters.invoicefile import magic
from voucherd.adapters.invoicefile.refusal import RefusedFileError
from voucherd.adapters.invoicefile.signed import content_of, is_signed
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.settings.programme_file import load_programmes

PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
READER = StructuredInvoices(PROGRAMMES)
FATTURA = fattura([("5000.00", "Voucher ID: DPS-1001")])
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
DATA = bytes.fromhex("06092a864886f70d010701")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")


def der(tag: int, *parts: bytes) -> bytes:
    """A value of definite length (X.690, 8.1.3)."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def ber(tag: int, *parts: bytes) -> bytes:
    """A value of indefinite length, as signing programs write that do not know how long a file is."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def signed(content: bytes, *, pieces: int = 0, of: bytes = DATA, kind: bytes = SIGNED_DATA) -> bytes:
    """A SignedData around the content; with `pieces`, of indefinite lengths and with its octets in so many."""
    make = ber if pieces else der
    version, algorithms, signers = der(0x02, b"\x01"), der(0x31, der(0x30, der(0x06, b"\x2a\x03"))), der(0x31)
    octets = der(0x04, content)
    if pieces:
        size = max(1, len(content) // pieces)
        octets = ber(0x24, *(der(0x04, content[at : at + size]) for at in range(0, len(content), size)))
    capsule = make(0x30, of, make(0xA0, octets))
    return make(0x30, kind, make(0xA0, make(0x30, version, algorithms, capsule, signers)))


def read(name: str, content: bytes) -> list[InvoiceDocument] | Unreadable:
    assert READER.identify(name, "", content)
    return READER.read(name, content, None)


def the_one(found: list[InvoiceDocument] | Unreadable) -> InvoiceDocument:
    assert not isinstance(found, Unreadable), found.reason
    (document,) = found
    return document


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(signed(FATTURA), id="DER"),
        pytest.param(signed(FATTURA, pieces=7), id="BER in pieces"),
        pytest.param(base64.encodebytes(signed(FATTURA)), id="base64"),
        pytest.param(
            b"-----BEGIN PKCS7-----\n" + base64.encodebytes(signed(FATTURA)) + b"-----END PKCS7-----\n",
            id="PEM",
        ),
        pytest.param(signed(signed(FATTURA, pieces=2)), id="signed twice"),
    ],
)
def test_the_invoice_in_a_signed_file_is_read_as_if_it_had_come_by_itself(content: bytes) -> None:
    plain = the_one(read("IT01234567890_00001.xml", FATTURA))
    assert the_one(read("IT01234567890_00001.xml.p7m", content)) == plain
    assert plain.lines[0].voucher_text == "DPS-1001"


def test_a_signed_pdf_is_read_by_its_template(tmp_path: Path) -> None:
    reader = StructuredInvoices(PROGRAMMES, (template(tmp_path),))
    found = reader.read("invoice.pdf.p7m", signed(pdf(example_invoice())), None)
    assert not isinstance(found, Unreadable), found.reason
    assert found[0].total == 800_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (signed(FATTURA)[:400], "the signed file cannot be opened: it breaks off at byte"),
        (signed(FATTURA, of=ENVELOPED_DATA), "what it holds is no plain data"),
        (signed(b"no invoice at all"), "the signed file holds neither XML nor PDF"),
        (signed(signed(signed(signed(FATTURA)))), "the file is signed more than 3 times over"),
        (
            der(0x30, SIGNED_DATA, der(0xA0, der(0x30, der(2, b"\1"), der(0x31), der(0x30, DATA)))),
            "the signature stands by itself, without what was signed",
        ),
        (b"MI" + base64.b64encode(signed(FATTURA))[2:-9] + b"!", "cannot be opened"),
        (b"not signed", "the signed file cannot be opened"),
        (signed(b"<!DOCTYPE x><x/>"), "<!DOCTYPE>"),
        (ber(0x30, SIGNED_DATA, *([b"\x30\x80"] * 5_000)), "nested too deeply"),
    ],
)  # fmt: skip
def test_a_signed_file_that_holds_no_invoice_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    found = read("x.p7m", content)
    assert isinstance(found, Unreadable)
    assert found.code == "invoice-unreadable"
    assert found.reason.startswith("x.p7m: ")
    assert reason in found.reason


def test_an_encrypted_file_is_none_of_ours() -> None:
    assert not is_signed(signed(FATTURA, kind=ENVELOPED_DATA)[:1024])
    assert magic.format_of("x", "", signed(FATTURA)) == magic.SIGNED


@given(st.binary(max_size=3_000), st.integers(0, 12))
def test_any_content_comes_out_as_it_went_in(content: bytes, pieces: int) -> None:
    if not is_signed(content[:1024]):
        assert content_of(signed(content, pieces=pieces if content else 0)) == content


@given(st.binary(max_size=200), st.integers(0, 300), st.binary(max_size=4))
def test_a_damaged_envelope_is_refused_and_breaks_nothing(content: bytes, at: int, other: bytes) -> None:
    whole = signed(content, pieces=2 if content else 0)
    damaged = whole[: at % len(whole)] + other + whole[at % len(whole) + len(other) :]
    with suppress(RefusedFileError):  # and nothing else
        content_of(damaged)


# the simplified form


def simplified(*goods: str, kind: str = "TD07", currency: str = "EUR") -> bytes:
    rows = "".join(f"<DatiBeniServizi>{one}</DatiBeniServizi>" for one in goods)
    return f"""<?xml version="1.0"?>
<p:FatturaElettronicaSemplificata versione="FSM10"
 xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.0">
<FatturaElettronicaHeader><CedentePrestatore><Denominazione>Contoso Consulting</Denominazione></CedentePrestatore>
</FatturaElettronicaHeader><FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento>
<TipoDocumento>{kind}</TipoDocumento><Divisa>{currency}</Divisa><Data>2021-09-10</Data><Numero>S-17</Numero>
</DatiGeneraliDocumento></DatiGenerali>{rows}</FatturaElettronicaBody></p:FatturaElettronicaSemplificata>""".encode()


def goods(
    amount: str, tax: str = "", rate: str = "", nature: str = "", words: str = "Voucher ID: DPS-1001"
) -> str:
    stated = f"<Imposta>{tax}</Imposta>" if tax else ""
    stated += f"<Aliquota>{rate}</Aliquota>" if rate else ""
    exempt = f"<Natura>{nature}</Natura>" if nature else ""
    return f"<Descrizione>{words}</Descrizione><Importo>{amount}</Importo><DatiIVA>{stated}</DatiIVA>{exempt}"


@pytest.mark.parametrize(
    ("line", "net", "tax"),
    [
        (goods("122.00", tax="22.00"), 10_000, 2_200),
        (goods("122.00", rate="22.00"), 10_000, 2_200),
        (goods("122.00", tax="22.00", rate="22.00"), 10_000, 2_200),
        (goods("99.99", rate="22.00"), 8_196, 1_803),
        (goods("100.00", nature="N4"), 10_000, 0),
        (goods("100.00", rate="0.00", nature="N2.2"), 10_000, 0),
    ],
)
def test_the_net_is_what_an_amount_holds_without_its_tax(line: str, net: int, tax: int) -> None:
    found = the_one(read("s.xml", simplified(line)))
    assert (found.kind, found.invoice, found.total) == ("invoice", "S-17", net)
    assert [(one.voucher_text, one.net) for one in found.lines] == [("DPS-1001", net)]
    assert found.totals is not None
    assert (found.totals.tax, found.totals.gross) == (tax, net + tax)


def test_a_simplified_credit_note_takes_away() -> None:
    assert the_one(read("s.xml", simplified(goods("122.00", tax="22.00"), kind="TD08"))).kind == "credit"


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (
            simplified(goods("100.00", tax="22.00", rate="22.00")),
            "invoice-inconsistent",
            "line 1: 100.00 with 22 % of tax in it holds 18.03, it states 22.00: 3.97 of difference",
        ),
        (simplified(goods("100.00")), "invoice-unreadable", "line 1: neither tax nor rate (DatiIVA)"),
        (simplified(), "invoice-unreadable", "has no line with an amount"),
        (simplified(goods("1.00", tax="0.18"), currency="EUX"), "invoice-unreadable", "'EUX'"),
    ],
)
def test_a_simplified_invoice_that_cannot_be_trusted_is_refused(
    content: bytes, code: str, reason: str
) -> None:
    found = read("s.xml", content)
    assert isinstance(found, Unreadable)
    assert found.code == code
    assert reason in found.reason
