"""What it costs to read the return mailbox on the worst of mornings: thousands of letters came back at once.

Over a real socket, as the schedule does it, beside the same messages taken apart by the standard library alone. Prints
seconds, the ratio, and what was held at most.
"""

import asyncio
import time
import tracemalloc
from datetime import UTC, datetime
from email import message_from_bytes

from connectors.imap import ImapReturns
from lucy.ports import MailboxPlace
from sandbox.imap import ImapServer, MailboxState, bounce

MANY = 2_000
USER, PASSWORD = "returns@eco.unrc.edu.ar", "sandbox-imap-password"


def main() -> None:
    asyncio.run(_measure())


async def _measure() -> None:
    state = MailboxState()
    for number in range(MANY):
        letter = f"Message-ID: <lucy.1.{number}@eco.unrc.edu.ar>\r\nSubject: Tu cuenta\r\n\r\n".encode()
        state.deliver(bounce(letter, recipient=f"ana.{number}@example.com", returns_to=USER))
    start = time.perf_counter()
    for one in state.messages:
        message_from_bytes(one.raw)
    floor = time.perf_counter() - start
    server = ImapServer(state)
    port = await server.start()
    try:
        returns = ImapReturns(host="127.0.0.1", port=port, security="none", user=USER, password=PASSWORD)
        start = time.perf_counter()
        found = await _read(returns)
        seconds = time.perf_counter() - start
        tracemalloc.start()
        await _read(returns)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    finally:
        await server.stop()
    assert found == MANY, found
    print(f"floor: {floor:.2f} s for {MANY:,} messages, taken apart")
    print(f"read over IMAP: {seconds:.2f} s, {seconds / floor:.1f} times the floor")
    print(f"most held: {most / 2**20:.1f} MiB")


async def _read(returns: ImapReturns) -> int:
    place: MailboxPlace | None = None
    found = 0
    while True:
        page = await returns.read(place, since=datetime.now(UTC).date())
        found, place = found + len(page.returned), page.place
        if not page.more:
            return found


if __name__ == "__main__":
    main()
