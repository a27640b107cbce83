"""What a returned message says: of which letter, and whether it was given up."""

import base64

import pytest

from connectors.imap.wire import read_returned
from sandbox.imap import bounce

ID = "<lucy.12.345@eco.unrc.edu.ar>"
LETTER = f"Message-ID: {ID}\r\nTo: ana@example.com\r\nSubject: Tu cuenta\r\n\r\nhola\r\n".encode()
TO = {"recipient": "Ana@Example.com", "returns_to": "returns@eco.unrc.edu.ar"}


@pytest.mark.parametrize("whole", [False, True], ids=["header-alone", "whole"])
def test_a_standard_report(whole: bool) -> None:
    found = read_returned(bounce(LETTER, **TO, whole=whole))
    assert found is not None
    assert found.message_ids == {ID}
    assert found.addresses == {"ana@example.com"}
    assert found.status == "5.1.1"
    assert "ana@example.com" not in repr(found)


def test_the_other_servers_code_is_more_than_none() -> None:
    said = "550-5.2.1 The email account that you tried to reach is inactive"
    found = read_returned(bounce(LETTER, **TO, status="5.0.0", diagnostic=said))
    assert found is not None
    assert found.status == "5.2.1"


def test_the_letters_header_may_stand_in_base64() -> None:
    raw = bounce(LETTER, **TO)
    header = LETTER.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    encoded = raw.replace(
        b"Content-Type: text/rfc822-headers", b"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: base64"
    )
    encoded = encoded.replace(header, base64.encodebytes(header).replace(b"\n", b"\r\n"))
    assert ID.encode() not in encoded
    found = read_returned(encoded)
    assert found is not None
    assert found.message_ids == {ID}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        LETTER,
        bounce(LETTER, **TO, action="delayed", status="4.4.7"),
        bounce(LETTER, **TO, action="relayed", status="2.0.0"),
        f"From: ana@example.com\r\nIn-Reply-To: {ID}\r\nSubject: Re: Tu cuenta\r\n\r\nGracias\r\n".encode(),
        b"Auto-Submitted: auto-replied\r\nSubject: Fuera de la oficina\r\n\r\nVuelvo el lunes.\r\n",
    ],
    ids=["empty", "bytes", "a-letter", "delayed", "relayed", "answer", "away"],
)
def test_what_says_nothing_for_good_is_no_bounce(raw: bytes) -> None:
    assert read_returned(raw) is None


def test_a_report_without_the_letter_names_the_address() -> None:
    found = read_returned(bounce(b"Subject: nada\r\n\r\n", **TO))
    assert found is not None
    assert found.message_ids == frozenset()
    assert found.addresses == {"ana@example.com"}


def test_a_cut_report_does_no_harm() -> None:
    raw = bounce(LETTER, **TO)
    for end in range(0, len(raw), 97):
        read_returned(raw[:end])
