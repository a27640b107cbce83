"""The tenant's own record: its verified domains.

Source: contracts/graph.md section 3 (a UPN's domain must be verified);
https://learn.microsoft.com/graph/api/resources/organization for the shape.
"""

from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.state import GraphState


def organization(state: GraphState, request: GraphRequest, _: str) -> Answer:
    own, initial = state.domains
    tenant = {
        "id": state.tenant_id,
        "displayName": "Universidad Sandbox",
        "countryLetterCode": "AR",
        "verifiedDomains": [
            {"name": own, "isDefault": True, "isInitial": False, "type": "Managed"},
            {"name": initial, "isDefault": False, "isInitial": True, "type": "Managed"},
        ],
    }
    return Answer(200, {"@odata.context": f"{request.base_url}/$metadata#organization", "value": [tenant]})
