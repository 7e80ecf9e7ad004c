"""Cohort's worker without a journal in every second chat: what keeping a turn's steps costs is the difference."""

import sys
from dataclasses import replace


def kept(chat: int) -> bool:
    """Whether a chat's steps are kept."""
    return chat % 2 == 0


def main() -> None:
    from workers.__main__ import main as work  # noqa: PLC0415 - it imports fast-agent
    from workers.runtime import engine  # noqa: PLC0415

    opened = engine.opened_journal

    async def half(request, *arguments):
        return await opened(request if kept(request.session.chat) else replace(request, steps=None), *arguments)

    engine.opened_journal = half
    sys.exit(work())


if __name__ == "__main__":
    main()
