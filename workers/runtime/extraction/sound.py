"""The sound of a recording as WAV: a program in a process of its own, which may be killed (FFmpeg, by PyAV).

It writes 16 kHz, one channel, 16 bits, what models of speech are made for, and ends with one of ``EXITS``. A file says
what it is by its first bytes, and only containers and codecs of recordings are read: FFmpeg knows hundreds, and some of
them name other files.
"""

import resource
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.error import FFmpegError

from workers.runtime.extraction.archive import Ended

EXITS = {"read": 0, "damaged": 3, "long": 4, "other": 5, "silent": 6}
"""The exit status of each outcome.

- ``other``: a format that is not read.
- ``silent``: it has no sound.
"""
RATE = 16_000
BYTES_A_SECOND = 2 * RATE
HEADER = 44
"""Bytes before the sound."""
_HEAD = 16
_MEMORY = 512 * 2**20
"""FFmpeg's libraries take 150 MiB of addresses."""
_CPU_S = 15
_CONTAINERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"OggS", "ogg"),
    (4, b"ftyp", "mov"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (8, b"WAVE", "wav"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"#!AMR", "amr"),
)
"""(offset, bytes, FFmpeg's name). MP3 and AAC without a header are told by their frames' beginning."""
_FRAMES = {6: "mp3", 2: "mp3", 4: "mp3", 0: "aac"}
"""By the layer in the second byte of a frame."""
_CODECS = "opus,libopus,vorbis,libvorbis,aac,mp3,mp3float,flac,alac,amrnb,amrwb,pcm_s16le,pcm_s24le,pcm_f32le,pcm_u8"


def container_of(head: bytes) -> str | None:
    """FFmpeg's name of a file's format; None for one that is not read."""
    found = next((name for place, mark, name in _CONTAINERS if head[place : place + len(mark)] == mark), None)
    if found is None and head[:1] == b"\xff" and head[1:2] >= b"\xe0":
        return _FRAMES[head[1] & 6]
    return found


def convert(source: Path, target: Path, seconds: int) -> None:
    """Write the sound of a file.

    Raises:
        Ended: it cannot be read, or goes on for more than ``seconds``.
    """
    with source.open("rb") as file:
        form = container_of(file.read(_HEAD))
        if form is None:
            raise Ended("other")
        file.seek(0)
        with av.open(file, "r", format=form, options={"codec_whitelist": _CODECS}, io_open=_no_other_file) as opened:
            if not opened.streams.audio:
                raise Ended("silent")
            stream = opened.streams.audio[0]
            stream.codec_context.thread_count = 1
            with wave.open(str(target), "wb") as out:
                out.setparams((1, 2, RATE, 0, "NONE", ""))
                room = seconds * RATE
                for samples in _sound(opened.demux(stream), stream):
                    room -= len(samples) // 2
                    if room < 0:
                        raise Ended("long")
                    out.writeframesraw(samples)
                if room == seconds * RATE:
                    raise Ended("damaged")


def _no_other_file(*_: object) -> None:
    raise Ended("damaged")


def _sound(packets: "Iterator[av.Packet[AudioStream]]", stream: AudioStream) -> Iterator[bytes]:
    """The samples of all packets; one that is damaged is left out."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for packet in packets:
        try:
            frames = stream.decode(packet)
        except FFmpegError:
            continue
        for frame in frames:
            for part in resampler.resample(frame):
                yield bytes(part.planes[0])[: part.samples * 2]
    for part in resampler.resample(None):
        yield bytes(part.planes[0])[: part.samples * 2]


def main(source: Path, target: Path, seconds: int) -> int:
    """The exit status."""
    most = HEADER + (seconds + 1) * BYTES_A_SECOND
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        convert(source, target, seconds)
    except Ended as end:
        return EXITS[str(end)]
    except (FFmpegError, OSError, ValueError, MemoryError, OverflowError):
        return EXITS["damaged"]
    return EXITS["read"]


def run() -> None:
    """As a program: ``FILE WAV SECONDS``."""
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
