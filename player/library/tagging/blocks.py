"""What a tag system says, before anything is made of it: values by name, pictures, and text of unknown encoding decoded."""

import re
from dataclasses import dataclass, field

LARGEST_TEXT = 1 << 20
"""Bytes of one value that are read; lyrics of an opera take a tenth of that."""
LARGEST_PICTURE = 32 << 20
"""Bytes; a cover scanned at 600 dpi takes a quarter of that."""
MOST_ITEMS = 10_000
"""Frames, items or comments of one tag; more is a file made to waste time."""
FRONT_COVER = 3
"""The picture type of ID3v2 that FLAC took over."""
_SEPARATORS = re.compile(r"[\s_/\-]+")
_FOREIGN_SHARE, _MIXED_SHARE = 0.5, 0.7
"""Of letters outside ASCII in a text: Western languages have fewer, Cyrillic, Greek and CJK nearly nothing else. The second
holds where a word has both, as in "été" or, by the second bytes of Shift JIS, in Japanese."""
_FEWEST_FOREIGN = 3
"""Bytes; from fewer nothing can be told."""
_CYRILLIC = re.compile(r"[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+|[«»–—№’“”„…]")  # noqa: RUF001 - Cyrillic is meant
_GREEK = re.compile(r"[Α-ΩΆΈ-ΏΪΫ]?[α-ωά-ώΐΰ]+|[Α-ΩΆΈ-ΏΪΫ]+|[«»–—’“”„…]")  # noqa: RUF001 - Greek is meant
_ALPHABETS = (("cp1251", _CYRILLIC), ("koi8_r", _CYRILLIC), ("cp866", _CYRILLIC), ("cp1253", _GREEK))
"""Encodings of one byte, and words as they are written in that alphabet: bytes of another encoding make mixed case."""
_KANA = re.compile(r"[\u3041-\u30fa]")
_NO_JAPANESE = re.compile(r"[\uff61-\uff9f\ufffd]")
"""Narrow kana are what Chinese, Korean and alphabets look like in Shift JIS; its lead bytes of wide ones they hardly have."""
_FEWEST_KANA = 2
_COMMON_CHINESE = re.compile(
    rb"(?:[\0-\x7f]|[\xa1-\xa3\xb0-\xc9][\xa1-\xfe])*+[\xca-\xd7][\xa1-\xfe](?:[\0-\x7f]|[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])*+"
)
"""The hanzi of GB 2312's first level, and one at least that the Korean encoding has no Hangul for: there hanja are rare."""
_FOREIGN = ("cp932", "gb18030", "big5", "cp949", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "iso8859_2")
"""Encodings met in tags and file names from before Unicode, besides the Western one."""
SAMPLE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """An embedded picture: its type as ID3v2 numbers it, and its bytes (empty where only its presence was asked for)."""

    kind: int
    data: bytes = b""


@dataclass(slots=True)
class TagBlock:
    """The tags of one system.

    Attributes:
        system: "id3v2", "id3v1", "ape", "vorbis", "mp4", "asf", "info" or "ffmpeg".
        values: by plain name (:func:`plain_name`), in the order in which they stand.
        pictures: those embedded.
    """

    system: str
    values: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    pictures: list[EmbeddedPicture] = field(default_factory=list[EmbeddedPicture])

    def add(self, name: str, *values: str) -> None:
        """Append values to a name."""
        self.values.setdefault(plain_name(name), []).extend(values)


def plain_name(name: str) -> str:
    """A name as the table of aliases spells it, which programs write with or without spaces, underscores and case.

    >>> plain_name("Album Artist") == plain_name("ALBUM_ARTIST") == plain_name("albumartist")
    True
    """
    return _SEPARATORS.sub("", name).upper()


def decode_guess(data: bytes, *more: bytes) -> str:
    """Text of bytes that do not say how they are encoded: UTF-8 where they are that, else Western or what they look like.

    Args:
        data: the bytes.
        more: bytes of the same origin, by which the encoding shows better than by few letters.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        sample = b" ".join([data, *(each for each in more if not each.isascii())])[:SAMPLE_BYTES]
    return data.decode(guess_encoding(sample), "replace")


def guess_encoding(sample: bytes) -> str:
    """The encoding that bytes which are not UTF-8 look like."""
    letters = re.findall(rb"[A-Za-z\x80-\xff]+", sample)
    mixed = any(re.search(rb"[A-Za-z]", word) and not word.isascii() for word in letters)
    high, all_letters = len(re.findall(rb"[\x80-\xff]", sample)), sum(map(len, letters))
    western = high < _FEWEST_FOREIGN or high < (_MIXED_SHARE if mixed else _FOREIGN_SHARE) * all_letters
    return "cp1252" if western else _guess(sample)


def _guess(sample: bytes) -> str:
    """The encoding of a sample mostly outside ASCII: an alphabet's where that makes words of it, else by frequencies."""
    japanese = sample.decode("cp932", "replace")
    if len(_KANA.findall(japanese)) >= _FEWEST_KANA and not _NO_JAPANESE.search(japanese):
        return "cp932"
    for encoding, words in _ALPHABETS:
        text = sample.decode(encoding, "replace")
        foreign = re.findall(r"[^\W\d_a-zA-Z]+|[^\x00-\x7f\w]", text)
        if foreign and all(words.fullmatch(word) for word in foreign):
            return encoding
    if _COMMON_CHINESE.fullmatch(sample):
        return "gb18030"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - loaded for the few texts that need it

    best = from_bytes(sample, cp_isolation=[*_FOREIGN]).best()
    return "cp1252" if best is None else best.encoding
