"""Whether bytes are text, and which: by their content alone (pure).

charset-normalizer looks at how a text is put together and takes a short German text with quotation marks for one of a
Mac, and four Chinese characters for Korean. Here each character costs what it says against its encoding, about the
logarithm of how seldom texts have it; the cheapest encoding holds.
"""

import codecs
import math
import unicodedata
from collections.abc import Iterable, Mapping

from charset_normalizer import from_bytes

_SAMPLE_BYTES = 16_384
"""So much of a text tells its encoding; charset-normalizer takes some milliseconds for it."""
_LIKELY = """
    utf_8 utf_16 utf_16_le utf_16_be utf_32 cp1252 cp1251 koi8_r cp1250 iso8859_2 cp1253 cp1254 cp1255 cp1256
    cp932 euc_jp iso2022_jp gb18030 big5 cp949 cp866 mac_roman
"""
_ENCODINGS: list[str] = [*_LIKELY.split()]
"""Encodings that text files come in, the likelier ones first. Among all that exist, a short text fits too many."""
_ESCAPES = b"\x1b$"
"""ISO-2022-JP is valid UTF-8, too."""
_WIDE = (("utf_32_le", 4), ("utf_32_be", 4), ("utf_16_le", 2), ("utf_16_be", 2))
"""Encodings with zero bytes, and the bytes of their units."""
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
"""Unicode categories that no text has."""
_CHARACTERS = 2_000
"""So many characters are weighed, from the first that is no ASCII, and whether all others can be read."""
_LATIN = frozenset("äöüßéèêëàâçôûùîïœñóíáúãõåøæìò¿¡ªºÄÖÜÉÈÊÀÂÇÔŒÑÓÍÁÚÃÕÅØÆ")
_EAST = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžőűöüäľĺôşţăâîđĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚÝŽŐŰÖÜÄŞŢĂÂÎĐ")
_BALTIC = frozenset("āčēģīķļņšūžąęėįųõäöüĀČĒĪŅŠŪŽĄĘĖĮŲÕÄÖÜ")
_TURKISH = frozenset("çğıöşüâîûÇĞİÖŞÜ")
_CYRILLIC = frozenset(map(chr, range(0x410, 0x450))) | frozenset("ёЁіїєґІЇЄҐўЎ")
_GREEK = frozenset("αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώϊϋΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ")
_HEBREW = frozenset(map(chr, range(0x5D0, 0x5EB)))
_ARABIC = frozenset(map(chr, range(0x621, 0x64B))) | frozenset("پچژگک،؛؟")
_THAI = frozenset(map(chr, (*range(0xE01, 0xE3B), *range(0xE40, 0xE4F))))
_SIMPLE = frozenset(
    """
    的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天
    而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些
    与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相
    次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九谢请测试件报告
    您
    """
)
_TRADITIONAL = _SIMPLE | frozenset(
    """
    這來國個說們為時會著過學對裡後麼沒於還發當無開見經頭從動兩長樣現將與進實點種聲話兒問機給幾業間電門東聽氣關並內
    卻軍產萬體別處總場師書員謝請測試報檔案
    """
)
_KANA = frozenset(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FD))))
_JAPANESE = _KANA | frozenset(
    """
    日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九
    入選立開手米力学問高代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度
    務強気小七成期公野協取都和統以機平総加山思家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教
    報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信策集在件団別物側任引使求所
    次水半品昨論計死官増係感特情投示変打男基私各始島直両朝革価式確村提運終挙果西勢減台広容必応演電歳住争談能無再位
    置企真流格有疑口過局少放税検藤町常校料沢裁状工建語
    """
)
_KOREAN = frozenset(
    """
    이다는을의에가고하지한를도로사나서기어대리그자아인해시정수있었했것은들일전제부장보스구원만상과와말라더면없때여
    러생되안녕세요계감니합습게내주무조오우성동경국공소비모네늘텍트파
    """
)
"""The characters that most texts are made of."""
_ASIAN = _TRADITIONAL | _JAPANESE | _KOREAN
_MARKS = frozenset("„“”‚‘’–—…«»‹›€£§°№µ•\xa0")
_SELDOM_BEHIND_LETTERS = frozenset("„‚‘«§°£€№•‹")
_WIDE_MARKS = frozenset("，。、！？：；（）「」『』《》【】・ー～…“”‘’—\u3000")
_WITH_ASCII = _LATIN | _EAST | _TURKISH | _BALTIC
"""What stands in one word with letters of ASCII."""

_USUAL: Mapping[str, frozenset[str]] = {
    "cp1252": _LATIN,
    "cp1251": _CYRILLIC,
    "cp1254": _TURKISH,
    "cp1250": _EAST,
    "cp1253": _GREEK,
    "cp1255": _HEBREW,
    "cp1256": _ARABIC,
    "cp932": _JAPANESE,
    "gb18030": _SIMPLE,
    "big5": _TRADITIONAL,
    "cp949": _KOREAN,
    "utf_16_le": _ASIAN,
    "utf_16_be": _ASIAN,
    "koi8_r": _CYRILLIC,
    "cp1257": _BALTIC,
    "cp874": _THAI,
    "cp866": _CYRILLIC,
    "iso8859_2": _EAST,
    "euc_jp": _JAPANESE,
    "mac_roman": _LATIN,
    "cp850": _LATIN,
    "iso8859_5": _CYRILLIC,
    "mac_cyrillic": _CYRILLIC,
}
"""Encodings that text files come in, of equal ones the likelier first, and their usual letters."""
_SELDOM: Mapping[str, float] = {
    **dict.fromkeys(("cp1254", "cp1250", "cp1253", "cp1255", "cp1256"), 0.8),
    **dict.fromkeys(("cp1257", "cp866", "iso8859_2", "mac_roman", "cp850", "iso8859_5", "mac_cyrillic"), 2.5),
    "koi8_r": 1.5,
    "cp874": 6.0,
    "euc_jp": 4.0,
}
_TWO_BYTES = frozenset({"cp932", "gb18030", "big5", "cp949", "euc_jp", "utf_16_le", "utf_16_be"})
"""Encodings whose characters take two bytes."""
_LETTERS = {name: min(3.5, math.log(sum(not one.isupper() for one in usual))) for name, usual in _USUAL.items()}
"""What a letter costs: of a small alphabet, it says less."""
_CAPITAL, _MARK, _OTHER = 1.2, 4.6, 7.5
_WIDE_LETTER, _WIDE_OTHER = 5.4, 9.6
_ASCII, _ASCII_OTHER = 3.0, 4.5
_IMPOSSIBLE, _MISPLACED, _PAIR = 15.0, 3.0, 1.5


def is_binary(head: bytes) -> bool:
    """Whether the beginning of a file is no text."""
    return b"\0" in head and _wide(head) is None


def reads_as_text(head: bytes) -> bool:
    """Whether the beginning of a file reads as a text in an encoding that text files come in."""
    return not is_binary(head) and from_bytes(head, cp_isolation=_ENCODINGS).best() is not None


def decoded(data: bytes) -> str:
    """A text file's text; its encoding is told by its content. The data may end within a character."""
    sample = data[:_SAMPLE_BYTES]
    if (wide := _wide(sample)) is not None:
        return data.decode(wide, errors="replace").removeprefix("\ufeff").removesuffix("\ufffd")
    if b"\0" not in sample and _ESCAPES not in sample:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            if problem.start >= len(data) - 3 and problem.reason == "unexpected end of data":
                return data[: problem.start].decode("utf-8-sig")
        if (mixed := _mixed(data)) is not None:
            return mixed
    return data.decode(_encoding(sample, cut=len(data) > len(sample)), errors="replace").removeprefix("\ufeff")


def _encoding(sample: bytes, *, cut: bool) -> str:
    if b"\0" not in sample and _ESCAPES not in sample:
        return _likeliest(sample, cut=cut)
    found = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    return found.encoding if found is not None else "utf_8"


def _likeliest(data: bytes, *, cut: bool) -> str:
    """The encoding of a text. Bytes that it cannot have are as odd as can be.

    Args:
        data: A text that is not UTF-8, or its beginning.
        cut: It is the beginning, and may end within a character.
    """
    return min(
        _USUAL, key=lambda name: _cost(codecs.getincrementaldecoder(name)("replace").decode(data, not cut), name)
    )


def _cost(text: str, encoding: str) -> float:
    """How odd a text is in this encoding."""
    start = next((place for place, one in enumerate(text) if not one.isascii()), 0)
    shown = text[start : start + _CHARACTERS]
    usual, wide, before = _USUAL[encoding], encoding in _TWO_BYTES, text[start - 1] if start else " "
    cost, letter = _SELDOM.get(encoding, 0.0) + _IMPOSSIBLE * text.count("\ufffd"), _LETTERS[encoding]
    for one in shown:
        if wide:
            cost += _wide_cost(one, usual)
        else:
            cost += _ascii_cost(one, before) if one.isascii() else _narrow_cost(one, before, usual, letter)
        before = one
    return cost


def _wide_cost(one: str, usual: frozenset[str]) -> float:
    if one.isascii():
        return _ascii_cost(one, " ")
    if one in usual or one in _WIDE_MARKS:
        return _WIDE_LETTER
    if not one.isprintable():
        return _IMPOSSIBLE
    return _OTHER if "\uff61" <= one <= "\uff9f" else _WIDE_OTHER


def _ascii_cost(one: str, before: str) -> float:
    if not (one.isprintable() or one in "\t\n\r\f"):
        return _IMPOSSIBLE
    foreign = one.isalpha() and before.isalpha() and not before.isascii() and before not in _WITH_ASCII
    misplaced = _MISPLACED * (foreign + (one.isupper() and before.islower()))
    return misplaced + (_ASCII if one.isalnum() or one.isspace() else _ASCII_OTHER)


def _narrow_cost(one: str, before: str, usual: frozenset[str], letter: float) -> float:
    if one in _MARKS:
        return _MARK + (_MISPLACED if before.isalpha() and one in _SELDOM_BEHIND_LETTERS else 0.0)
    if one not in usual:
        return _OTHER if one.isprintable() else _IMPOSSIBLE
    latin = one in _WITH_ASCII
    foreign = before.isascii() and before.isalpha() and not latin
    pair = latin and before in _WITH_ASCII
    misplaced = _MISPLACED * (foreign + (one.isupper() and before.islower())) + _PAIR * pair
    return letter + misplaced + (_CAPITAL if one.isupper() and not before.isupper() else 0.0)


def _mixed(data: bytes) -> str | None:
    """The text of a file that is UTF-8 for the most part, with lines of another encoding: a log of two programs."""
    lines = data.split(b"\n")
    ours = [_utf_8(line) for line in lines]
    others = b"\n".join(line for line, text in zip(lines, ours, strict=True) if text is None)
    if sum(len(line) for line, text in zip(lines, ours, strict=True) if text and not text.isascii()) < len(others):
        return None
    encoding = _encoding(others[:_SAMPLE_BYTES], cut=len(others) > _SAMPLE_BYTES)
    each = zip(lines, ours, strict=True)
    return "\n".join(line.decode(encoding, errors="replace") if text is None else text for line, text in each)


def _utf_8(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _wide(data: bytes) -> str | None:
    """The encoding of a text in UTF-16 or UTF-32: after a mark, or where every unit is a character."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf_32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf_16"
    if b"\0" not in data:
        return None
    fitting = {name: text for name, unit in _WIDE if (text := _units(data[: len(data) // unit * unit], name))}
    return max(fitting, key=lambda name: _likeness(fitting[name]), default=None)


def _units(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        # The sample may end within a pair.
        text = data[: problem.start].decode(encoding) if problem.start and problem.start >= len(data) - 2 else ""
    return text if all(map(_shows, set(text))) else ""


def _shows(character: str) -> bool:
    return character in "\t\n\r\f\ufeff" or unicodedata.category(character) not in _NO_TEXT


def _likeness(text: str) -> tuple[int, int]:
    """How much it looks like a text: its blanks and ASCII, then how close its characters stand together in Unicode."""
    return sum(map(str.isascii, text)), -_blocks(text)


def _blocks(text: Iterable[str]) -> int:
    return len({ord(character) >> 8 for character in text})
