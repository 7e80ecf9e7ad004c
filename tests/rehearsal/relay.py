"""``python -m tests.rehearsal.relay HOST TO PORT ...``: what comes to HOST:PORT goes to TO:PORT, for each port.

Valkey, playground and model listen on 127.0.0.1. A machine of the rehearsal has a 127.0.0.1 of its own, where a relay
stands for them; it reaches another relay over the machine's only link.
"""

import asyncio
import sys
from contextlib import suppress

CHUNK = 64 << 10


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def listen(host: str, to: str, port: int) -> asyncio.Server:
    """Begin to relay one port."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(to, port)
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, far_writer))
            group.create_task(_copy(far_reader, writer))

    return await asyncio.start_server(accepted, host, port)


async def main() -> None:
    host, to, *ports = sys.argv[1:]
    async with asyncio.TaskGroup() as group:
        for port in ports:
            server = await listen(host, to, int(port))
            group.create_task(server.serve_forever())
        sys.stdout.write("relay ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
