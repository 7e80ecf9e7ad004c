"""What models read that fast-agent does not know: of ``generic.llava`` it believes that it reads text only.

Its client of chat completions knows no sound: the part ``input_audio`` (of OpenAI's reference) is made here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fast_agent.core.exceptions import FastAgentError
from fast_agent.llm.model_factory import ModelFactory
from mcp_types import AudioContent, BlobResourceContents, EmbeddedResource

from tasks.errors import Misconfigured

_SOUND_OF_ALL = ("audio/mpeg", "audio/wav")
"""What all servers take that take sound."""
_MIMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "pdf": ("application/pdf",),
    "video": ("video/mp4",),
    "audio": _SOUND_OF_ALL,
    "ogg": (*_SOUND_OF_ALL, "audio/ogg"),
    "m4a": (*_SOUND_OF_ALL, "audio/mp4"),
    "flac": (*_SOUND_OF_ALL, "audio/flac"),
}
_SOUND = frozenset({"audio", "ogg", "m4a", "flac"})
_FORMATS: Mapping[str, str] = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/flac": "flac",
}
"""What ``input_audio`` calls them. OpenAI and llama.cpp take MP3 and WAV; vLLM and OpenRouter take more."""
_CHATS = frozenset(
    {"generic", "openai", "openrouter", "azure", "groq", "hf", "aliyun", "moonshot", "zai", "googleoai", "tensorzero"}
)
"""Providers to which fast-agent speaks in chat completions; the other OpenAI API has no part for sound."""
_declared: dict[tuple[str, str], frozenset[str]] = {}
"""(provider, the model's name there) -> MIME types."""


def declare(reads: Mapping[str, Sequence[str]], resolve: Callable[[str], str]) -> None:
    """Take the operator's word (``COHORT_MODEL_READS``) in place of what was declared before.

    Raises:
        Misconfigured: there is no such model.
    """
    _declared.clear()
    for model, kinds in reads.items():
        try:
            found = ModelFactory.resolve_model_spec(resolve(model))
        except FastAgentError as problem:
            raise Misconfigured(f"COHORT_MODEL_READS: {model}: {str(problem).splitlines()[0]}") from problem
        provider = found.provider.value
        if _SOUND & {*kinds} and provider not in _CHATS:
            raise Misconfigured(
                f"COHORT_MODEL_READS: {model}: sound reaches models of {', '.join(sorted(_CHATS))} only"
            )
        _declared[provider, found.wire_model_name] = frozenset(mime for kind in kinds for mime in _MIMES[kind])


def with_declared(original: Callable[..., bool]) -> Callable[..., bool]:
    def supports_mime(self: Any, mime_type: str, *, resource_source: Any = None) -> bool:
        if mime_type in _declared.get((self.provider.value, self.name), ()):
            return True
        return original(self, mime_type, resource_source=resource_source)

    return supports_mime


def with_sound(original: Callable[..., Any]) -> Callable[..., Any]:
    """Only what the model hears comes so far: fast-agent takes other sound out of the request before."""

    def convert(item: Any) -> Any:
        match item:
            case AudioContent(mime_type=mime, data=data):
                pass
            case EmbeddedResource(resource=BlobResourceContents(mime_type=mime, blob=data)):
                pass
            case _:
                return original(item)
        form = _FORMATS.get(mime or "")
        return {"type": "input_audio", "input_audio": {"data": data, "format": form}} if form else original(item)

    return convert
