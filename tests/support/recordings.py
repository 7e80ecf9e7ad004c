"""Recordings as phones and Telegram's apps make them: a tone, in the format that a test asks for."""

import array
import math
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

RATE = 48_000
FORMS = {
    "ogg": ("ogg", "libopus"),
    "m4a": ("ipod", "aac"),
    "flac": ("flac", "flac"),
    "webm": ("webm", "libopus"),
    "mp3": ("mp3", "libmp3lame"),
    "aac": ("adts", "aac"),
    "mp4": ("mp4", "aac"),
}


def recording(form: str, seconds: int = 1, *, silent: bool = False) -> bytes:
    """``form``: one of ``FORMS``; "mp4" has a picture, too. ``silent``: it has the picture alone."""
    container, codec = FORMS[form]
    held = BytesIO()
    with av.open(held, "w", format=container) as out:
        film = out.add_stream("mpeg4", rate=5) if form == "mp4" else None
        sound = None if silent else out.add_stream(codec, rate=RATE, layout="mono")
        if film is not None:
            _draw(out, film, seconds)
        if sound is not None:
            _play(out, sound, seconds)
    return held.getvalue()


def _draw(out: OutputContainer, film: VideoStream, seconds: int) -> None:
    film.width = film.height = 64
    film.pix_fmt = "yuv420p"
    for number in range(5 * seconds):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 5)
        out.mux(film.encode(frame))
    out.mux(film.encode(None))


def _play(out: OutputContainer, sound: AudioStream, seconds: int) -> None:
    size = sound.codec_context.frame_size or 4096
    shaped = av.AudioResampler(format=sound.format, layout="mono", rate=RATE, frame_size=size)
    for frame in (*_seconds(seconds), None):
        for part in shaped.resample(frame):
            out.mux(sound.encode(part))
    out.mux(sound.encode(None))


def _seconds(count: int) -> Iterator[av.AudioFrame]:
    tone = array.array("h", (int(9000 * math.sin(2 * math.pi * 440 * i / RATE)) for i in range(RATE))).tobytes()
    for number in range(count):
        frame = av.AudioFrame(format="s16", layout="mono", samples=RATE)
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * RATE, Fraction(1, RATE)
        frame.planes[0].update(tone)
        yield frame
