"""Microsoft's login authority and Graph v1.0 (users, licences, batches) as one simulator.

Source: contracts/graph.md, cited in each module. Where its facts end, a module says so.
"""

from sandbox.graph.app import build_app
from sandbox.graph.certificate import ServerCertificate, ensure_certificate
from sandbox.graph.state import GraphState

__all__ = ["GraphState", "ServerCertificate", "build_app", "ensure_certificate"]
