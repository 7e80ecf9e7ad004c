"""Of a turn's files, at most 64 KiB stand in Redis: in its replies together, and in its journal."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import BlobResourceContents, CallToolResult, EmbeddedResource, ImageContent, TextContent

from tests.runtime.steps import MemorySteps
from workers.outgoing import INLINE, MOST, read, replies_of
from workers.runtime.durable import entries
from workers.runtime.durable.journal import StepJournal
from workers.runtime.tools.files_out import FilesOut, attaching, with_attached

LIMIT = 64 * 1024
WAYS = ("attached", "shown", "drawn", "of an earlier try")


def bring(out: FilesOut, folder: Path, way: str, body: bytes) -> None:
    """Give a turn a file."""
    encoded = base64.b64encode(body).decode()
    match way:
        case "attached":
            with attaching():
                result = with_attached(CallToolResult(content=[]), [out.keep(body, "a.bin")])
            out.take(result.content)
        case "shown":
            out.take([ImageContent(type="image", data=encoded, mime_type="image/png")])
        case "drawn":
            out.draw(body, "image/png")
        case _:
            earlier = FilesOut(folder)
            out.take(with_attached(CallToolResult(content=[]), [earlier.keep(body, "a.bin")]).content)


sizes = st.sampled_from([1, 3_000, 16_000, 30_000, INLINE - 1, INLINE, INLINE + 1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.mark.promise("files-out")
@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(WAYS), sizes, st.integers(0, 2)), max_size=MOST))
def test_the_replies_of_a_turn_hold_no_more_and_every_file_has_its_bytes(
    folder: Path, files: list[tuple[str, int, int]]
) -> None:
    own = folder / uuid4().hex
    out, bodies = FilesOut(own), [bytes([1 + letter]) * size for _, size, letter in files]
    for (way, _, _), body in zip(files, bodies, strict=True):
        bring(out, own, way, body)
    in_redis = [file.data or "" for reply in replies_of(out.files, ()) for file in reply.files]
    assert sum(map(len, in_redis)) <= LIMIT
    assert [read(own, file) for file in out.files] == bodies


def pictures(sizes: Sequence[int]) -> list[CallToolResult]:
    encoded = (base64.b64encode(b"x" * size).decode() for size in sizes)
    return [CallToolResult(content=[ImageContent(type="image", data=data, mime_type="image/png")]) for data in encoded]


def resources(sizes: Sequence[int]) -> list[CallToolResult]:
    encoded = (base64.b64encode(b"x" * size).decode() for size in sizes)
    held = (BlobResourceContents(uri="file:///x.bin", blob=blob) for blob in encoded)
    return [CallToolResult(content=[EmbeddedResource(type="resource", resource=one)]) for one in held]


def attached(sizes: Sequence[int]) -> list[CallToolResult]:
    out = FilesOut(Path("nowhere"))
    said = CallToolResult(content=[TextContent(type="text", text="drawn")])
    return [with_attached(said, [out.keep(b"x" * size, f"{size}.bin")]) for size in sizes]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("made", [pictures, resources, attached])
async def test_a_journal_holds_no_more_over_tries_and_gives_every_result_again(
    made: Callable[[Sequence[int]], list[CallToolResult]], tmp_path: Path
) -> None:
    sizes = (20_000, 9_000, 12_000) if made is attached else (20_000, 47_000, 25_000, 60_000, 190_000, 3_000)
    results, kept = made(sizes), list[bytes]()
    for place, result in enumerate(results):
        steps = MemorySteps(kept)
        journal = StepJournal(steps, "42:1", tmp_path / "steps")
        journal.open()
        await journal.ended(f"key{place}", result, 1.0)
        kept = steps.kept
    again = StepJournal(MemorySteps(kept), "42:1", tmp_path / "steps")
    again.open()
    assert [await again.result(f"key{place}") for place in range(len(results))] == results
    inside = [one.result for one in entries.Kept.read(kept).results.values() if one.result is not None]
    assert inside
    assert sum(map(entries.files_in, inside)) <= LIMIT
