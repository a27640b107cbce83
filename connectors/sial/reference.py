"""What is asked of SIAL, as docs/connectors/sial.md shows it. Source: contracts/sial.md."""

from connectors.reference import CallReference, LimitReference, Reference
from connectors.sial import client, stream, wire
from lucy.errors import System

REFERENCE = Reference(
    system=System.SIAL,
    title="SIAL, the student records",
    summary="Read only: HTTP and JSON with Basic authentication, in the dialects v1 and v2.",
    settings=(
        "LUCY_SIAL_URL",
        "LUCY_SIAL_DIALECT",
        "LUCY_SIAL_USER",
        "LUCY_SIAL_PASSWORD",
        "LUCY_RATE_SIAL",
        "LUCY_PAYLOAD_RUNS_KEPT",
        "LUCY_CA_FILE",
    ),
    calls=(
        CallReference(
            "list",
            f"GET {wire.V2_BASE}/{{list}}/listas/[since[/until]] (v2), GET {wire.V1_BASE}/{{list}}/ (v1)",
            "each night from the checkpoint, and with `ingesta`",
            "the three lists",
        ),
        CallReference(
            "person",
            f"GET {wire.V2_BASE}/alumnos/datospersonales/{{number}} (v2)",
            "for who is new or whose entry changed, 16 at a time; for who is aside",
            "personal data",
        ),
    ),
    limits=(
        LimitReference("pace", "LUCY_RATE_SIAL requests a minute", "setting; 30 to 100 is usual"),
        LimitReference(
            "a list", f"{client.MAX_LIST_BYTES // 2**20} MB, read as it arrives", "connectors/sial/client.py"
        ),
        LimitReference(
            "an entry",
            f"{stream.LONGEST_ELEMENT:,} characters, {stream.DEEPEST} levels deep",
            "connectors/sial/stream.py",
        ),
        LimitReference("redirects", f"{wire.MAX_REDIRECTS}", "connectors/sial/wire.py"),
    ),
    letters=("U",),
    notes=(
        "A list is received whole before a student is touched: a cut or broken one changes nothing.",
        "Redirects are followed; credentials go only to the same host and port, or from http to https there.",
        "What was received is kept compressed; `lucy ingest replay` reads it again without SIAL.",
    ),
)
