"""What kind of file something is, and what the user hears of one that the model does not read."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import Media
from workers.runtime.conversation.file_types import DOCUMENT_MIMES, UNKNOWN, cannot, mime_by_content, mime_of
from workers.runtime.conversation.text_encoding import decoded

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def document(name: str | None = None, mime: str | None = None, **fields: Any) -> Media:
    return Media(**{"kind": "document", "file_id": "f", "name": name, "mime": mime, **fields})


@pytest.mark.parametrize(
    ("media", "mime"),
    [
        (document("a.pdf", "application/octet-stream"), "application/pdf"),
        (document("a.pdf", "image/png"), "application/pdf"),
        (document("server.log", "application/x-thing"), "text/plain"),
        (document("notes", "application/octet-stream"), UNKNOWN),
        (document(None, "audio/ogg; codecs=opus"), "audio/ogg"),
        (document(None, "not a type"), UNKNOWN),
        (document(), UNKNOWN),
        (document(kind="photo"), "image/jpeg"),
        (document(kind="voice", mime="audio/opus"), "audio/ogg"),
    ],
)
def test_a_files_name_goes_before_what_the_app_says(media: Media, mime: str) -> None:
    assert mime_of(media) == mime


@pytest.mark.parametrize(
    ("head", "told", "mime"),
    [
        (HEIC, "image/jpeg", "image/heic"),
        (PNG, "image/jpeg", "image/png"),
        (PNG, "text/plain", "image/png"),
        (b"\xff\xd8\xff\xe0", UNKNOWN, "image/jpeg"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/png", "image/webp"),
        (b"\0\0\0\x1cftypavif", "video/mp4", "image/avif"),
        (b"%PDF-1.7", UNKNOWN, "application/pdf"),
        (b"OggS\0\x02", "application/octet-stream", "audio/ogg"),
        (b"ID3\x03", "audio/ogg", "audio/mpeg"),
        (b"\0\0\0\x18ftypisom", "audio/mp4", "audio/mp4"),
        (b"\x1aE\xdf\xa3", UNKNOWN, "video/webm"),
        (b"\0\0\0\x18ftypisom", "audio/ogg", "audio/mp4"),
        (b"\0\0\0\x18ftypisom", "video/quicktime", "video/quicktime"),
        (b"\x1aE\xdf\xa3", "audio/ogg", "audio/webm"),
        (b"\x1aE\xdf\xa3", "video/x-matroska", "video/x-matroska"),
        (b"OggS\0\x02", "audio/mpeg", "audio/ogg"),
        (b"\xff\xf3\x84\xc4\0", "audio/ogg", "audio/mpeg"),
        (b"\xff\xf1\x50\x80\0", "audio/ogg", "audio/aac"),
        (b"BMW is a car", "text/plain", "text/plain"),
        (b"ID3 tags are old", "text/plain", "text/plain"),
        ("яснее ясного".encode("cp1251"), "text/plain", "text/plain"),
        (b"hello there, this is a note", UNKNOWN, "text/plain"),
        ("Привет, это заметка".encode("cp1251"), UNKNOWN, "text/plain"),
        (b"hello there".decode().encode("utf-16"), "text/plain", "text/plain"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\x90\x91\x92\0\0\x07", "text/plain", UNKNOWN),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\x90\x91\x92\0\0\x07", UNKNOWN, UNKNOWN),
        (b"PK\x03\x04", "application/zip", "application/zip"),
        (b"PK\x03\x04", "application/pdf", "application/zip"),
        (b"PK\x03\x04\x14\0", UNKNOWN, "application/zip"),
        (b"PK\x03\x04\x14\0", "text/plain", "application/zip"),
        (b"PK\x03\x04\x14\0", DOCUMENT_MIMES[".docx"], DOCUMENT_MIMES[".docx"]),
        (b"{\\rtf1 hi}", "text/plain", "application/rtf"),
        (b"@echo off", "application/x-msdos-program", "text/plain"),
        (b"<svg/>", "image/svg+xml", "text/plain"),
        (b'{"type": "Point"}', "application/geo+json", "text/plain"),
        (b"\0\1\0\0\7", "font/ttf", "font/ttf"),
        ("Добрый день".encode("utf-16-le"), "text/plain", "text/plain"),
        ("您好，报告".encode("utf-16-be"), UNKNOWN, "text/plain"),
        (b"", "text/plain", "text/plain"),
        (b"", UNKNOWN, UNKNOWN),
    ],
)
def test_a_files_content_goes_before_its_name(head: bytes, told: str, mime: str) -> None:
    assert mime_by_content(head, told) == mime


TEXTS = [
    (
        "Schöne Grüße aus München, äußerst süße Brötchen für Ihre Mühe.",
        "latin1 cp1252 utf-8 utf-8-sig utf-16 utf-16-le",
    ),
    ("Le café crème est déjà prêt, où êtes-vous donc passés, ça va ?", "cp1252 mac-roman utf-16"),
    (
        "Привет, как дела? Это обычный текст на русском языке.",
        "cp1251 koi8-r cp866 utf-8 utf-16-le utf-16-be utf-32 utf-32-be",
    ),
    ("これは日本語のテキストです。文字コードを確かめます。", "shift_jis euc_jp iso2022_jp utf-16 utf-16-be utf-32-le"),
    ("这是一个中文文本文件，用来检查编码。", "gb18030 gbk utf-8 utf-16-le"),
    ("이것은 한국어 텍스트 파일입니다.", "euc_kr cp949"),
    ("Καλημέρα, αυτό είναι ένα ελληνικό κείμενο.", "iso8859-7 cp1253"),
    ("Zażółć gęślą jaźń, dziękuję bardzo.", "cp1250 iso8859-2"),
    # Short texts, and what stands in them beside letters.
    ("Grüße aus München, schöne Straße – „Zitat“.\n", "cp1252 mac-roman"),
    ("Grüße aus München, schöne Straße", "cp850 cp1252"),
    ("Füße", "cp1252"),
    ("Preis: 5 €", "cp1252"),
    ("Räksmörgås på svenska, åäö", "cp1252"),
    ("São Paulo é ótimo, não é? Ações e coração.", "cp1252"),
    ("Günaydın, nasılsın? İyiyim, teşekkürler", "cp1254"),
    ("Příliš žluťoučký kůň úpěl ďábelské ódy", "cp1250"),
    ("Да", "cp1251"),
    ("МОСКВА", "cp1251"),
    ("Имя;Город;Сумма\nИван;Москва;100\n", "cp1251 koi8-r"),
    ("Привет", "cp1251 koi8-r cp866"),
    ("Это обычный текст на русском языке.", "iso8859-5 mac-cyrillic"),
    ("Київ — столиця України, її люблять", "cp1251"),
    ("שלום עולם", "cp1255"),
    ("مرحبا بالعالم", "cp1256"),
    ("สวัสดีชาวโลก", "cp874"),
    ("你好世界", "gb18030"),
    ("姓名,城市\n张三,北京\n", "gb18030"),
    ("你好，這是一個中文檔案", "big5"),
    ("こんにちは", "shift_jis euc_jp"),
    ("東京都", "shift_jis"),
    ("안녕하세요 세계", "cp949"),
    ("您好，报告", "utf-16-be"),
]


@pytest.mark.parametrize(("text", "encoding"), [(text, name) for text, names in TEXTS for name in names.split()])
def test_a_text_file_is_read_in_the_encoding_that_it_has(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding)) == text


def test_a_byte_that_an_encoding_cannot_have_costs_one_character_and_not_the_text() -> None:
    text = "Grüße aus München, schöne Straße"
    assert decoded(text.encode("cp1252") + b"\x81") == f"{text}\ufffd"
    long = "Preise\n" * 2000 + "für Äpfel\n" * 2000
    assert decoded(long.encode("cp1252")) == long


def test_lines_of_another_encoding_are_read_in_theirs() -> None:
    ours, theirs = "2026-11-27 вход выполнен успешно\n", "строка другой программы\n"
    log = (ours * 3).encode() + theirs.encode("cp1251") * 2 + ours.encode()
    assert decoded(log) == ours * 3 + theirs * 2 + ours
    assert decoded((theirs * 40).encode("cp1251")) == theirs * 40


def test_a_text_that_is_cut_within_a_character_loses_only_that_one() -> None:
    assert decoded("fünf €".encode()[:-1]) == "fünf "
    assert decoded("fünf €".encode("utf-16-le")[:-1]) == "fünf "


@given(st.binary(max_size=300))
def test_whatever_the_bytes_they_are_some_text_and_some_type(data: bytes) -> None:
    decoded(data).encode()
    assert mime_by_content(data, UNKNOWN)


def reading(*types: str) -> Callable[[str], bool]:
    return lambda mime: mime in types


@pytest.mark.parametrize(
    ("media", "mime", "reads", "what", "instead"),
    [
        (document(), "image/heic", reading("image/jpeg"), "read HEIC files", "JPEG or PNG"),
        (document(), "image/heic", reading(), "read images", ""),
        (document(), "image/x-odd", reading("image/jpeg"), "read this kind of picture", "JPEG or PNG"),
        (document(kind="voice"), "audio/ogg", reading("audio/wav"), "listen to voice messages", "MP3 or WAV"),
        (document(), "audio/ogg", reading("audio/wav"), "read OGG files", "MP3 or WAV"),
        (document(kind="voice"), "audio/ogg", reading(), "listen to voice messages", ""),
        (document(), "audio/ogg", reading(), "listen to audio files", ""),
        (document(), "video/quicktime", reading("video/mp4"), "read MOV files", "MP4"),
        (document(), "video/mp4", reading(), "watch videos", ""),
        (document(), "application/pdf", reading(), "read PDF files", ""),
        (document(), "application/zip", reading(), "read ZIP files", ""),
        (document(), UNKNOWN, reading(), "read this kind of file", ""),
    ],
)
def test_a_refusal_says_what_was_wrong_and_what_to_send_instead(
    media: Media, mime: str, reads: Callable[[str], bool], what: str, instead: str
) -> None:
    said = f"This model can't {what}, so I skipped yours."
    assert cannot(media, mime, reads) == said + (f" Send it as {instead}." if instead else "")
