"""Which files a turn opens, and how many bytes of its allowance each of them takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tasks.envelope import Media
from workers.runtime.conversation.documents import is_document
from workers.runtime.conversation.file_types import is_recording, is_text, may_be_text, mime_of
from workers.runtime.conversation.sounds import SoundConverter

TEXT_FILE_CHARS = 100_000
"""A longer text file is cut: 100,000 characters are some 25,000 tokens."""
TEXT_BYTES = TEXT_FILE_CHARS * 4


@dataclass(frozen=True, slots=True)
class Opens:
    """What is made of files for one model."""

    reads: Callable[[str], bool]
    """Tells whether the model reads a MIME type."""
    sounds: SoundConverter | None = None
    """Makes WAV of recordings."""
    hears: bool = False
    """Recordings are written down."""

    def worth(self, media: Media) -> bool:
        """Whether a file is fetched: it reaches the model, or it is a small one that may be text."""
        mime = mime_of(media)
        small = media.size_bytes is not None and media.size_bytes <= TEXT_BYTES
        opens = is_text(mime) or self.reads(mime) or is_document(mime, 0)
        recording = self._converted(media, mime) or (self.hears and is_recording(media, mime))
        return opens or (may_be_text(mime) and small) or recording

    def weight(self, media: Media, unknown: int) -> int:
        """Bytes that a file takes when it is opened; ``unknown`` if Telegram does not state its size."""
        mime = mime_of(media)
        if self.sounds is not None and self._converted(media, mime):
            return self.sounds.weight(media, unknown)
        size = media.size_bytes or unknown
        return min(size, TEXT_BYTES) if is_text(mime) else size

    def weigh(self, files: Iterable[Media], unknown: int) -> int:
        """Bytes of all of them that are opened."""
        return sum(self.weight(media, unknown) for media in files if self.worth(media))

    def _converted(self, media: Media, mime: str) -> bool:
        return self.sounds is not None and self.sounds.converts(media, mime, self.reads)
