"""The text of PDFs in a worker: what it costs the daemon when the file was made to hurt. All files are synthetic."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from tests.invoicetemplates import EXAMPLE, example_invoice
from tests.pdfmaking import pdf, stream, written
from voucherd.adapters.invoicefile import magic
from voucherd.adapters.reader.in_worker import InWorker
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.reader.worker import Limits
from voucherd.domain.message import Unreadable
from voucherd.settings.invoice_templates import read_template

MEGABYTE = 1024 * 1024
PAGES = b"<< /Type /Catalog /Pages 2 0 R >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
    b"/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>"
)
ONE_PAGE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


@pytest.fixture(scope="module")
def readers() -> Iterator[WorkerPool]:
    template, faults = read_template(EXAMPLE, ())
    assert template is not None, faults
    pool = WorkerPool((), 1, templates=(template,), limits=Limits(processor=1, wall=4.0))
    yield pool
    pool.close()


@pytest.fixture
def guarded(readers: WorkerPool) -> InWorker:
    return InWorker(magic.is_structured, "structured-invoice", readers)


def page_of(content: bytes, form: bytes = b"") -> bytes:
    box = "/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /X 6 0 R >> >> "
    return written([PAGES, ONE_PAGE, PAGE, stream(content), FONT, stream(form, box)])


def hostile() -> Iterator[tuple[str, bytes, str]]:
    kids = b" ".join([b"3 0 R"] * 10_000)
    tree = b"<< /Type /Pages /Kids [%s] /Count 10000 >>" % kids
    leaf = b"<< /Type /Page /Parent 2 0 R >>"
    yield "many-pages.pdf", written([PAGES, tree, leaf]), "more than 50 pages"
    loop = b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    yield "pages-that-loop.pdf", written([PAGES, loop]), "tree of pages does not end"
    text = b"BT /F1 10 Tf 10 10 Td " + b"(aaaaaaaaaaaaaaaaaaaa) Tj\n" * (4 * MEGABYTE) + b"ET"
    yield "text-of-100-mb.pdf", page_of(text), ""
    yield "one-huge-string.pdf", page_of(b"BT /F1 10 Tf (" + b"a" * (15 * MEGABYTE) + b") Tj ET"), ""
    far = b"BT /F1 1 Tf 1 0 0 1 0 0 Tm (a) Tj 1 0 0 1 1000000000 0 Tm (b) Tj ET"
    yield "far-apart.pdf", page_of(far), ""
    yield "form-that-draws-itself.pdf", page_of(b"/X Do", b"/X Do /X Do"), ""
    yield "cut.pdf", pdf(example_invoice())[:700], ""
    endless = (
        b"\x30\x80" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80" + b"\x04\x00" * (8 * MEGABYTE)
    )
    yield "signed-without-end.p7m", endless, ""
    yield "no-pdf.pdf", b"%PDF-1.7\n" + b"\x00" * 10_000, ""


@pytest.mark.parametrize(("name", "content", "reason"), [pytest.param(*one, id=one[0]) for one in hostile()])
def test_a_hostile_text_is_refused_within_the_limits_and_the_daemon_keeps_its_memory(
    guarded: InWorker, name: str, content: bytes, reason: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    refused = guarded.read(name, content, None)

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert isinstance(refused, Unreadable), refused
    assert refused.code == "invoice-unreadable"
    assert refused.reason.startswith(name)
    assert reason in refused.reason
    assert grown * 1024 < 50 * MEGABYTE + 4 * len(content)
    assert isinstance(guarded.read("after.pdf", pdf(example_invoice()), None), list)


def test_a_worker_reads_by_templates_with_either_library(guarded: InWorker, readers: WorkerPool) -> None:
    by_pypdf, by_pdfium = pdf(example_invoice()), pdf(example_invoice(), in_forms=True)
    assert guarded.read("a.pdf", by_pypdf, None) == guarded.read("a.pdf", by_pdfium, None)
    ((page,),) = readers.run("pdf-text", [("a.pdf", by_pdfium)])
    assert "Rechnung Nr. FB-2021-0117" in page
