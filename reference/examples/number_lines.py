# SPDX-License-Identifier: MIT
"""Copy standard input to standard output, with a number before each line; number_lines.c is the same in C."""

import asyncio
import sys


class Output(asyncio.BaseProtocol):
    """Standard output. When too much waits to be written, standard input has to wait, too."""

    def __init__(self, ended: asyncio.Future[None]) -> None:
        """Have a future for the end."""
        self.ended = ended
        self.reader: asyncio.ReadTransport | None = None

    def pause_writing(self) -> None:
        """Read no more."""
        if self.reader:
            self.reader.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        if self.reader:
            self.reader.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """All is written, or whoever reads it has gone."""
        self.ended.set_result(None)


class Input(asyncio.Protocol):
    """Standard input."""

    def __init__(self, writer: asyncio.WriteTransport) -> None:
        """Begin with the first line."""
        self.writer = writer
        self.number = 0
        self.line_begins = True

    def data_received(self, data: bytes) -> None:
        """Write each line, or what has come of it, unless nobody reads it any more."""
        for line in data.splitlines(keepends=True):
            if self.writer.is_closing():
                break
            if self.line_begins:
                self.number += 1
                self.writer.write(f"{self.number}: ".encode())
            self.writer.write(line)
            self.line_begins = line.endswith(b"\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Write what waits, and end."""
        self.writer.close()


async def main() -> None:
    """Connect both, and wait for the end."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    writer, output = await loop.connect_write_pipe(lambda: Output(ended), sys.stdout)
    reader, _ = await loop.connect_read_pipe(lambda: Input(writer), sys.stdin)
    output.reader = reader
    await ended
    reader.close()


asyncio.run(main())
