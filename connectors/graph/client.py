"""Entra ID as the flows need it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TypeVar

import httpx

from connectors.graph import asking, faults, pages, permissions, wire
from connectors.graph.calls import GraphCalls
from connectors.graph.models import Operation, SubRequest, SubResponse
from connectors.graph.token import TokenSource
from lucy.domain.students import Upn
from lucy.errors import NotFound, OutcomeUnknown, Refused, RemoteError, RemoteIds, RetryLater, System, Unreadable
from lucy.ports import (
    AccountChange,
    DeletedUser,
    DirectoryChanges,
    DirectoryGroup,
    DirectoryUser,
    EnabledChange,
    GroupMember,
    LicenceRequest,
    LicenceSeats,
    Limiter,
    NewAccount,
    NewPassword,
    SignsOfUse,
)

TIMEOUT_S = 30.0  # a $batch of 20 writes; well within a lease
LONGEST_LIST = 500  # pages of up to 999: a link that leads to itself must end

T = TypeVar("T")


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
            Operation.CREATE, {key: asking.create_user(account) for key, account in wanted.items()}
        )
        return {key: _created(answer, wanted[key]) for key, answer in answers.items()}

    async def find_users(self, upns: Mapping[str, Upn]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """None is what a replica says: an account just made may not be seen yet."""
        answers = await self._calls.run(Operation.FIND, {key: asking.find_user(upn) for key, upn in upns.items()})
        return {key: _found(answer, Operation.FIND) for key, answer in answers.items()}

    async def read_users(self, ids: Mapping[str, str]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """None as in `find_users`. A UPN may be renamed, an object id stays."""
        wanted = {key: asking.read_by_id(user_id) for key, user_id in ids.items()}
        answers = await self._calls.run(Operation.READ, wanted)
        return {key: _found(answer, Operation.READ) for key, answer in answers.items()}

    async def signs_of_use(self, ids: Mapping[str, str]) -> Mapping[str, SignsOfUse | RemoteError | None]:
        """Where the tenant does not tell sign-ins (403), the password alone is asked about."""
        told = await self._signs_of_use(ids, sign_ins=True)
        untold = {key: ids[key] for key, one in told.items() if isinstance(one, Refused) and one.code == "T-011"}
        return {**told, **await self._signs_of_use(untold, sign_ins=False)}

    async def _signs_of_use(
        self, ids: Mapping[str, str], *, sign_ins: bool
    ) -> dict[str, SignsOfUse | RemoteError | None]:
        wanted = {key: asking.signs_of_use(user_id, sign_ins=sign_ins) for key, user_id in ids.items()}
        answers = await self._calls.run(Operation.SIGNS, wanted)
        return {key: _signs(answer) for key, answer in answers.items()}

    async def assign_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Refused where no seat is free (T-005), or the licence does not fit the user (T-008)."""
        return await self._change(Operation.LICENCE, {one.key: asking.assign_licence(one) for one in requests})

    async def remove_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Refused (T-017) where Graph will not take it, as from a member of a group that gives it."""
        return await self._change(Operation.UNLICENCE, {one.key: asking.remove_licence(one) for one in requests})

    async def set_enabled(self, requests: Sequence[EnabledChange]) -> Mapping[str, RemoteError | None]:
        """Refused where the permission is missing or the account holds an admin role (T-011): Graph says no more."""
        return await self._change(Operation.ENABLE, {one.key: asking.set_enabled(one) for one in requests})

    async def revoke_sessions(self, ids: Mapping[str, str]) -> Mapping[str, RemoteError | None]:
        """Refused as in `set_enabled`."""
        return await self._change(Operation.REVOKE, {key: asking.revoke_sessions(one) for key, one in ids.items()})

    async def reset_passwords(self, requests: Sequence[NewPassword]) -> Mapping[str, RemoteError | None]:
        """Refused where the password misses the policy (T-006), or as in `set_enabled`.

        Needs a permission of its own, `User-PasswordProfile.ReadWrite.All` (contracts/graph.md, section 5).
        """
        return await self._change(Operation.PASSWORD, {one.key: asking.reset_password(one) for one in requests})

    async def delete_users(self, ids: Mapping[str, str]) -> Mapping[str, RemoteError | None]:
        """Refused as in `set_enabled`."""
        return await self._change(Operation.DELETE, {key: asking.delete_user(one) for key, one in ids.items()})

    async def licence_seats(self, part_number: str) -> LicenceSeats:
        """Read through all pages of the tenant's SKUs. Raises NotFound, RetryLater, Refused, Unreadable."""
        wanted = part_number.casefold()
        async for seats in self._each(Operation.SEATS, asking.SEATS_PATH, pages.read_seats):
            if seats.part_number.casefold() == wanted:
                return seats
        raise NotFound(System.GRAPH, Operation.SEATS.value, "T-014", "no such SKU in the tenant")

    async def update_users(self, changes: Sequence[AccountChange]) -> Mapping[str, RemoteError | None]:
        """Invalid (T-003) where Graph takes no such value. Who has nothing to change is not asked about."""
        wanted = {one.key: asking.update_user(one) for one in changes}
        asked = {key: request for key, request in wanted.items() if request.body}
        done = await self._change(Operation.UPDATE, asked)
        return {key: done.get(key) for key in wanted}

    async def deleted_users(self) -> Sequence[DeletedUser]:
        """Raises RetryLater, Refused, Unreadable."""
        return [user async for user in self._each(Operation.DELETED, asking.DELETED_PATH, pages.read_deleted)]

    async def restore_users(self, ids: Mapping[str, str]) -> Mapping[str, DirectoryUser | RemoteError]:
        """Conflict (T-004) where the sign-in name was taken. Read back at once; RetryLater where not seen yet."""
        asked = {key: asking.restore_user(user_id) for key, user_id in ids.items()}
        done = await self._change(Operation.RESTORE, asked)
        seen = await self.read_users({key: ids[key] for key, error in done.items() if error is None})
        return {key: error or _restored(seen[key]) for key, error in done.items()}

    async def add_members(self, members: Sequence[GroupMember]) -> Mapping[str, RemoteError | None]:
        """NotFound: no such group (T-020), no such account, or not yet (T-013). Refused (T-021) by the group itself.

        Where Graph says that somebody is in the group already, their membership is looked at before it is believed.
        """
        wanted = {one.key: one for one in members}
        graph_url = self._calls.base_url
        answers = await self._calls.run(
            Operation.JOIN, {key: asking.add_member(one, graph_url=graph_url) for key, one in wanted.items()}
        )
        said = {key for key, one in answers.items() if isinstance(one, SubResponse) and faults.already_a_member(one)}
        looked = await self._calls.run(Operation.READ, {key: asking.check_member(wanted[key]) for key in said})
        return {
            key: _looked_up(looked[key], wanted[key]) if key in said else _joined(answer, wanted[key])
            for key, answer in answers.items()
        }

    async def remove_members(self, members: Sequence[GroupMember]) -> Mapping[str, RemoteError | None]:
        """None also where the group or the account is gone: nobody is in it then."""
        asked = {one.key: asking.remove_member(one) for one in members}
        done = await self._change(Operation.LEAVE, asked)
        return {key: None if isinstance(error, NotFound) else error for key, error in done.items()}

    async def members_of(self, group_id: str) -> frozenset[str]:
        """Raises NotFound (T-020), RetryLater, Refused, Unreadable."""
        url = asking.members(group_id)
        return frozenset([user_id async for user_id in self._each(Operation.MEMBERS, url, pages.read_id)])

    async def group(self, group_id: str) -> DirectoryGroup:
        """Raises NotFound (T-020), RetryLater, Refused, Unreadable."""
        group = pages.read_group(await self._calls.get(Operation.GROUP, asking.group(group_id)))
        if group is None:
            raise _unreadable(Operation.GROUP, "no group")
        return group

    async def changes(self, link: str = "") -> DirectoryChanges:
        """Users of whom a page does not tell all are read, so that each is whole.

        Raises RetryLater, Refused, Unreadable. A link lasts seven days (section 11); one that ran out is `start_over`.
        """
        try:
            document = await self._calls.get(Operation.CHANGES, link or asking.CHANGES_PATH)
        except NotFound:
            return DirectoryChanges(start_over=True)
        page = pages.read_delta(document)
        if page is None:
            raise _unreadable(Operation.CHANGES, "no page of changes")
        changed, removed = list(page.changed), set(page.removed)
        for user_id, user in (await self.read_users({one: one for one in page.incomplete})).items():
            if isinstance(user, RemoteError):
                raise user
            if user is None:
                removed.add(user_id)
            else:
                changed.append(user)
        return DirectoryChanges(tuple(changed), frozenset(removed), page.next_link, page.delta_link)

    async def granted(self) -> frozenset[str]:
        """Read from the token itself: nothing else tells an application what it was given (section 12)."""
        return wire.read_roles(await self._calls.token())

    async def lacking(self, *, groups: bool) -> Mapping[str, str]:
        return {one.value: wanted for one, wanted in permissions.lacking(await self.granted(), groups=groups).items()}

    async def _each(
        self, operation: Operation, url: str, read: Callable[[Mapping[str, object]], T | None]
    ) -> AsyncIterator[T]:
        """The entries of all pages, read as they are wanted. Raises Unreadable (T-015) where the pages do not end."""
        for _ in range(LONGEST_LIST):
            page = pages.read_page(await self._calls.get(operation, url), read)
            if page is None:
                raise _unreadable(operation, "no list")
            for entry in page.entries:
                yield entry
            if not page.next_url:
                return
            url = page.next_url
        raise _unreadable(operation, f"more than {LONGEST_LIST} pages")

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


def _signs(answer: SubResponse | RemoteError) -> SignsOfUse | RemoteError | None:
    if isinstance(answer, RemoteError):
        return answer
    if answer.status == 404:
        return None
    if not answer.ok:
        return faults.error_of(answer, Operation.SIGNS)
    return wire.read_signs(answer.body) or Unreadable(*_no_user(answer, Operation.SIGNS))


def _changed(answer: SubResponse | RemoteError, operation: Operation) -> RemoteError | None:
    if isinstance(answer, RemoteError):
        return answer
    if answer.ok or faults.nothing_to_change(answer):
        return None
    return faults.error_of(answer, operation)


def _restored(user: DirectoryUser | RemoteError | None) -> DirectoryUser | RemoteError:
    return user or RetryLater(System.GRAPH, Operation.RESTORE.value, "T-013", "not to be seen yet")


def _joined(answer: SubResponse | RemoteError, member: GroupMember) -> RemoteError | None:
    if isinstance(answer, SubResponse) and answer.status == 404 and faults.names_the_group(answer, member.group_id):
        return NotFound(System.GRAPH, Operation.JOIN.value, faults.NO_SUCH_GROUP.code, "no such group")
    return _changed(answer, Operation.JOIN)


def _looked_up(answer: SubResponse | RemoteError, member: GroupMember) -> RemoteError | None:
    if isinstance(answer, RemoteError):
        return answer
    if answer.ok and member.group_id.casefold() in wire.read_member_groups(answer.body):
        return None
    return RetryLater(System.GRAPH, Operation.JOIN.value, "T-013", "said to be in the group, and not seen there")


def _unreadable(operation: Operation, detail: str) -> Unreadable:
    return Unreadable(System.GRAPH, operation.value, "T-015", detail)


def _no_user(answer: SubResponse, operation: Operation) -> tuple[System, str, str, str, RemoteIds]:
    ids = RemoteIds(answer.request_id, answer.client_request_id)
    return System.GRAPH, operation.value, "T-015", f"HTTP {answer.status} without a user", ids
