"""Pictures that a model draws itself, taken out of its stream: they become files of the turn, and lines of the history.

- Google sends them as parts of its answer.
- OpenAI's Responses API has an item for each (``image_generation_call``), as Base64, and all of them once more in the
  event that ends the answer.
- Servers of chat completions put addresses beside the text (``images``), most as ``data:``.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from tasks.http.addresses import is_public
from workers.runtime.conversation.file_types import UNKNOWN
from workers.runtime.streams.ends import RESPONSES_ENDS
from workers.runtime.streams.meter import metering
from workers.runtime.streams.pictures import tokens_of_pictures
from workers.runtime.tools.files_out import NOT_SENT, files_of_turn

_ALONE = "🖼"
"""The text of an answer that is a picture alone: fast-agent takes one without text for none."""
_CALL = "image_generation_call"
_LONGEST_ADDRESS = 2048
_MOST = 64
"""Pictures beside one piece of text that are looked at."""
_PLAIN = re.compile(r"https://[\w.~:/?#@!$&*+,;=%-]+", re.ASCII)
"""An address that Markdown takes as it is."""


@dataclass(slots=True)
class Drawn:
    """The pictures of one model call."""

    marks: list[str] = field(default_factory=list[str])
    """What is to stand for them in the history."""
    _seen: set[object] = field(default_factory=set[object])

    @property
    def text(self) -> str:
        return "\n".join(self.marks)

    def behind(self, text: str | None) -> str:
        """A text with what stands for the pictures, which comes behind all else: a stream's text stays in one piece."""
        return f"{text or _ALONE}\n\n{self.text}"

    def _is_new(self, name: object) -> bool:
        new = name not in self._seen and files_of_turn.get() is not None
        self._seen.add(name)
        return new

    async def draw(self, picture: bytes | str, mime: str) -> None:
        """Take a picture, as bytes or Base64."""
        out = files_of_turn.get()
        if out is None or not picture:
            return
        mark = await asyncio.to_thread(out.draw, picture, mime)
        self.marks.append(mark)
        if mark != NOT_SENT and (meter := metering.get()) is not None:
            meter.pictures += 1

    async def draw_once(self, ident: object, picture: str) -> None:
        """Take a picture that comes with its event and again at the end."""
        if self._is_new(ident if isinstance(ident, str) and ident else hash(picture)):
            await self.draw(picture, "image/png")

    async def show(self, images: Any) -> None:
        """Take the pictures that stand beside a text."""
        for image in images[:_MOST] if isinstance(images, list) else ():
            address = _address(image)
            head, _, body = address.partition(",")
            if not self._is_new(hash(address)):
                continue
            if head.startswith("data:"):
                await self.draw(body if head.endswith(";base64") else "-", head[5:].partition(";")[0] or UNKNOWN)
            elif _may_be_shown(address):
                # As a picture of the answer's text: Telegram fetches it, where the operator has not forbidden that.
                self.marks.append(f"![picture]({address})")


def _address(image: Any) -> str:
    for name in ("image_url", "url"):
        image = image.get(name) if isinstance(image, dict) and name in image else image
    return image if isinstance(image, str) else ""


def _may_be_shown(address: str) -> bool:
    return len(address) <= _LONGEST_ADDRESS and _PLAIN.fullmatch(address) is not None and is_public(address)


# -- Google


async def of_google(stream: AsyncGenerator[Any], drawn: Drawn) -> AsyncGenerator[Any]:
    """Chunks without pictures."""
    async with aclosing(stream):
        async for chunk in stream:
            content = chunk.candidates[0].content if chunk.candidates else None
            parts = (content.parts if content else None) or []
            for part in parts:
                # What it draws while it thinks is a draft.
                if part.inline_data is not None and part.inline_data.data and not part.thought:
                    await drawn.draw(part.inline_data.data, part.inline_data.mime_type or UNKNOWN)
            if content is not None and any(part.inline_data is not None for part in parts):
                content.parts = [part for part in parts if part.inline_data is None]
            yield chunk


# -- OpenAI's responses


async def of_responses(stream: AsyncGenerator[Any], drawn: Drawn) -> AsyncGenerator[Any]:
    """Events without pictures, finished ones and those that are still drawn."""
    async with aclosing(stream):
        async for event in stream:
            kind = getattr(event, "type", None)
            item = getattr(event, "item", None)
            if getattr(item, "type", None) == _CALL:
                if kind == "response.output_item.done":
                    await _take(item, drawn)
                continue
            if isinstance(kind, str) and kind.startswith(f"response.{_CALL}."):
                continue
            if kind in RESPONSES_ENDS:
                await _take_out(getattr(event, "response", None), drawn)
            yield event


async def _take_out(response: Any, drawn: Drawn) -> None:
    items: list[Any] = getattr(response, "output", None) or []
    if calls := [item for item in items if getattr(item, "type", None) == _CALL]:
        if (meter := metering.get()) is not None:
            meter.uncounted = tokens_of_pictures(response, calls)
        for call in calls:
            await _take(call, drawn)
        response.output = [item for item in items if getattr(item, "type", None) != _CALL]


def in_response(response: Any, drawn: Drawn) -> Any:
    """A whole response that says where its pictures are."""
    if not drawn.marks:
        return response
    items: list[Any] = response.output or []
    contents = [getattr(item, "content", None) or () for item in items if getattr(item, "type", None) == "message"]
    texts = [part for content in contents for part in content if getattr(part, "type", None) == "output_text"]
    if texts:
        texts[-1].text = drawn.behind(texts[-1].text)
        return response
    types = import_module("openai.types.responses")
    said = types.ResponseOutputText(type="output_text", text=drawn.behind(None), annotations=[])
    more = {"type": "message", "role": "assistant", "status": "completed", "content": [said]}
    response.output = [*items, types.ResponseOutputMessage(id="msg_pictures", **more)]
    return response


async def _take(item: Any, drawn: Drawn) -> None:
    if isinstance(result := getattr(item, "result", None), str):
        await drawn.draw_once(getattr(item, "id", None), result)


# -- chat completions


async def of_chat(stream: AsyncIterable[Any], drawn: Drawn, delta_of: Callable[..., Any]) -> AsyncGenerator[Any]:
    """Chunks without pictures. An answer that is a picture alone gets a text, in its last chunk."""
    said, last = False, None
    async for chunk in stream:
        choice = chunk.choices[0] if chunk.choices else None
        if choice is not None and choice.delta is not None:
            delta = choice.delta
            if (extra := delta.__pydantic_extra__) and (images := extra.pop("images", None)):
                await drawn.show(images)
            said = said or bool(delta.content and delta.content.strip()) or bool(delta.tool_calls)
            last = chunk
            if choice.finish_reason is not None and drawn.marks and not said:
                delta.content, said = _ALONE, True
        yield chunk
    if last is not None and drawn.marks and not said:
        last.choices[0].delta = delta_of(content=_ALONE)
        yield last


def images_of(message: Any) -> Any:
    """What stands beside the text of an answer that did not come as a stream."""
    return (getattr(message, "model_extra", None) or {}).get("images")


def whole(original: Callable[..., Any]) -> Callable[..., Any]:
    """``OpenAILLM._finalize_openai_completion``, which also sees answers that did not come as a stream."""

    async def finalize(self: Any, request: Any, completion: Any) -> Any:
        choices: Any = getattr(completion.response, "choices", None)
        message: Any = choices[0].message if isinstance(choices, list) and choices else None
        if images := images_of(message):
            drawn = Drawn()
            del message.images
            await drawn.show(images)
            if drawn.marks:
                message.content = drawn.behind(message.content)
        return await original(self, request, completion)

    return finalize


def not_empty(original: Callable[..., None]) -> Callable[..., None]:
    """``OpenAILLM._raise_if_empty_completion``, for which an answer that is a picture alone is none."""

    def raise_if_empty(_self: Any, completion: Any, reasoning_parts: Any, *, source: str) -> None:
        choices = getattr(completion, "choices", None)
        if not (isinstance(choices, list) and choices and images_of(choices[0].message)):
            original(completion, reasoning_parts, source=source)

    return raise_if_empty
