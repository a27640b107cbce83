"""Entra ID as the flows need it."""

from collections.abc import Mapping, Sequence

import httpx

from connectors.graph import faults, wire
from connectors.graph.calls import GraphCalls
from connectors.graph.models import Operation, SubRequest, SubResponse
from connectors.graph.token import TokenSource
from lucy.domain.students import Upn
from lucy.errors import NotFound, OutcomeUnknown, RemoteError, RemoteIds, System, Unreadable
from lucy.ports import (
    DirectoryUser,
    EnabledChange,
    LicenceRequest,
    LicenceSeats,
    Limiter,
    NewAccount,
    NewPassword,
)

TIMEOUT_S = 30.0  # a $batch of 20 writes; well within a lease
LONGEST_LIST = 20  # pages


class GraphDirectory:
    """`lucy.ports.Directory`. The bulk calls raise nothing of Graph's: every key has its outcome, whatever happened.

    Up to `concurrency` `$batch` requests are under way at a time.
    """

    def __init__(
        self,
        *,
        base_url: str,
        tokens: TokenSource,
        http: httpx.AsyncClient,
        limiter: Limiter,
        concurrency: int = 2,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._calls = GraphCalls(
            base_url=base_url,
            tokens=tokens,
            http=http,
            limiter=limiter,
            concurrency=concurrency,
            timeout_s=timeout_s,
        )

    async def create_users(self, accounts: Sequence[NewAccount]) -> Mapping[str, DirectoryUser | RemoteError]:
        """OutcomeUnknown where the account may have been made: no answer, a cut connection, 500, 502 or 504."""
        wanted = {account.key: account for account in accounts}
        answers = await self._calls.run(
            Operation.CREATE, {key: wire.create_user(account) for key, account in wanted.items()}
        )
        return {key: _created(answer, wanted[key]) for key, answer in answers.items()}

    async def find_users(self, upns: Mapping[str, Upn]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """None is what a replica says: an account just made may not be seen yet."""
        answers = await self._calls.run(Operation.FIND, {key: wire.find_user(upn) for key, upn in upns.items()})
        return {key: _found(answer, Operation.FIND) for key, answer in answers.items()}

    async def read_users(self, ids: Mapping[str, str]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """None as in `find_users`. A UPN may be renamed, an object id stays."""
        wanted = {key: wire.read_by_id(user_id) for key, user_id in ids.items()}
        answers = await self._calls.run(Operation.READ, wanted)
        return {key: _found(answer, Operation.READ) for key, answer in answers.items()}

    async def assign_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Refused where no seat is free (T-005), or the licence does not fit the user (T-008)."""
        return await self._change(Operation.LICENCE, {one.key: wire.assign_licence(one) for one in requests})

    async def remove_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Refused (T-017) where Graph will not take it, as from a member of a group that gives it."""
        return await self._change(Operation.UNLICENCE, {one.key: wire.remove_licence(one) for one in requests})

    async def set_enabled(self, requests: Sequence[EnabledChange]) -> Mapping[str, RemoteError | None]:
        """Refused where the permission is missing or the account holds an admin role (T-011): Graph says no more."""
        return await self._change(Operation.ENABLE, {one.key: wire.set_enabled(one) for one in requests})

    async def revoke_sessions(self, ids: Mapping[str, str]) -> Mapping[str, RemoteError | None]:
        """Refused as in `set_enabled`."""
        return await self._change(Operation.REVOKE, {key: wire.revoke_sessions(one) for key, one in ids.items()})

    async def reset_passwords(self, requests: Sequence[NewPassword]) -> Mapping[str, RemoteError | None]:
        """Refused where the password misses the policy (T-006), or as in `set_enabled`.

        Needs a permission of its own, `User-PasswordProfile.ReadWrite.All` (contracts/graph.md, section 5).
        """
        return await self._change(Operation.PASSWORD, {one.key: wire.reset_password(one) for one in requests})

    async def delete_users(self, ids: Mapping[str, str]) -> Mapping[str, RemoteError | None]:
        """Refused as in `set_enabled`."""
        return await self._change(Operation.DELETE, {key: wire.delete_user(one) for key, one in ids.items()})

    async def licence_seats(self, part_number: str) -> LicenceSeats:
        """Read through all pages of the tenant's SKUs. Raises NotFound, RetryLater, Refused, Unreadable."""
        url, wanted = wire.SEATS_PATH, part_number.casefold()
        for _ in range(LONGEST_LIST):
            page = wire.read_seats(await self._calls.get(Operation.SEATS, url))
            if page is None:
                raise Unreadable(System.GRAPH, Operation.SEATS.value, "T-015", "no list of SKUs")
            for seats in page.seats:
                if seats.part_number.casefold() == wanted:
                    return seats
            if not page.next_url:
                raise NotFound(System.GRAPH, Operation.SEATS.value, "T-014", "no such SKU in the tenant")
            url = page.next_url
        raise Unreadable(System.GRAPH, Operation.SEATS.value, "T-015", f"more than {LONGEST_LIST} pages")

    async def _change(self, operation: Operation, wanted: Mapping[str, SubRequest]) -> dict[str, RemoteError | None]:
        """OutcomeUnknown where it may have been done: no answer, a cut connection, 500, 502 or 504."""
        answers = await self._calls.run(operation, wanted)
        return {key: _changed(answer, operation) for key, answer in answers.items()}


def _created(answer: SubResponse | RemoteError, account: NewAccount) -> DirectoryUser | RemoteError:
    if isinstance(answer, RemoteError):
        return answer
    if not answer.ok:
        return faults.error_of(answer, Operation.CREATE)
    user = wire.read_created(answer.body, account)
    return user or OutcomeUnknown(*_no_user(answer, Operation.CREATE))


def _found(answer: SubResponse | RemoteError, operation: Operation) -> DirectoryUser | RemoteError | None:
    if isinstance(answer, RemoteError):
        return answer
    if answer.status == 404:
        return None
    if not answer.ok:
        return faults.error_of(answer, operation)
    return wire.read_user(answer.body) or Unreadable(*_no_user(answer, operation))


def _changed(answer: SubResponse | RemoteError, operation: Operation) -> RemoteError | None:
    if isinstance(answer, RemoteError):
        return answer
    if answer.ok or faults.nothing_to_change(answer):
        return None
    return faults.error_of(answer, operation)


def _no_user(answer: SubResponse, operation: Operation) -> tuple[System, str, str, str, RemoteIds]:
    ids = RemoteIds(answer.request_id, answer.client_request_id)
    return System.GRAPH, operation.value, "T-015", f"HTTP {answer.status} without a user", ids
