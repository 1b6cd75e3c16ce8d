"""What people may write: texts, titles, emoji, searches. Pure."""

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from commerce.chat.errors import (
    BlankMessageError,
    InvalidRoomError,
    MessageTooLongError,
    NotAnEmojiError,
)
from protocol.commands import MESSAGE_MENTIONS_MAX, MESSAGE_TEXT_BYTES_MAX

TITLE_CHARS_MAX: Final = 80

NAME_WORDS_MAX: Final = 4
"""Words of a name that is looked for after an `@`."""

MARKS_IN_A_ROW_MAX: Final = 6
"""Combining marks on one letter: no writing needs more, and piles of them cover other messages."""

EXCERPT_CHARS_MAX: Final = 140

# C0 and C1 controls except tab and line feed, and halves of surrogate pairs, which are no UTF-8.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# What turns the direction of everything after it, or hides in a text: bidi embeddings, overrides
# and isolates, zero-width spaces and joiners of words, invisible operators, annotations, language
# tags (but for those that make a flag), and what is no character at all.
_TRICKS: Final = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u200b\u2060-\u2065\u206a-\u206f\ufeff\u00ad\u034f\u180e"
    "\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]+"
)
# Joiners and direction marks mean something once, between letters; variation selectors after one.
_IDLE_JOINERS: Final = re.compile("[\u200c-\u200f\u061c]{2,}")
_EDGES: Final = re.compile("^[\\s\u200c\u200d]+|[\\s\u200c\u200d]+$")
_IDLE_SELECTORS: Final = re.compile("([\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f]+")

# Letters and symbols that show nothing: Hangul fillers and the empty Braille pattern.
_EMPTY_SIGNS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn"})

# A flag of two letters, a keycap, or pictures joined to one, each with its colour or shape.
_PICTURE: Final = (
    "[^\u200d\ufe0f\u20e3\\s\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
    "[\ufe0f\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007e]*\U000e007f?"
)
_EMOJI_EXTRAS: Final = re.compile("[\u200d\ufe0f\u20e3\U000e0020-\U000e007f]")
_is_emoji_shaped: Final = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3|" + f"{_PICTURE}(?:\u200d{_PICTURE})*"
).fullmatch
_CALL: Final = re.compile(r"(?<![\w@])@(?=\w)")
_last_word: Final = re.compile(r"(?P<whole>.*?)(?<![\w-])(?P<last>\w[\w-]*)", re.DOTALL).fullmatch


def cleaned_text(text: str) -> str:
    """Return a message text as plain text in NFC: without control characters or hidden tricks.

    Raises:
        BlankMessageError: if nothing visible is left.
        MessageTooLongError: if more than `MESSAGE_TEXT_BYTES_MAX` bytes of UTF-8 are left.
    """
    cleaned = _EDGES.sub("", _harmless(_LINE_BREAKS.sub("\n", text)))
    if not _has_something_to_see(cleaned):
        raise BlankMessageError
    if len(cleaned) * 4 > MESSAGE_TEXT_BYTES_MAX:
        text_bytes = len(cleaned.encode())
        if text_bytes > MESSAGE_TEXT_BYTES_MAX:
            raise MessageTooLongError(text_bytes)
    return cleaned


def cleaned_title(title: str) -> str:
    """Return the title of a group on one line.

    Raises:
        InvalidRoomError: if nothing visible is left, or too much.
    """
    cleaned = " ".join(_harmless(_LINE_BREAKS.sub(" ", title)).split())
    if not _has_something_to_see(cleaned) or len(cleaned) > TITLE_CHARS_MAX:
        raise InvalidRoomError(f"A group needs a title of 1 to {TITLE_CHARS_MAX} characters.")
    return cleaned


def cleaned_line(text: str) -> str:
    """Return a short text, such as a reason, on one line; it may be empty."""
    return " ".join(_harmless(_LINE_BREAKS.sub(" ", text)).split())


def cleaned_emoji(emoji: str) -> str:
    """Return one emoji.

    Raises:
        NotAnEmojiError: if it is anything else, or several.
    """
    if _is_emoji_shaped(emoji) is None:
        raise NotAnEmojiError
    signs = _EMOJI_EXTRAS.sub("", emoji)
    is_keycap = "\u20e3" in emoji
    if not is_keycap and any(unicodedata.category(sign) not in {"So", "Sk"} for sign in signs):
        raise NotAnEmojiError
    return emoji


def excerpt(text: str) -> str:
    """Return how a text begins, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT_CHARS_MAX else line[: EXCERPT_CHARS_MAX - 1] + "…"


def called_names(text: str) -> list[list[str]]:
    """Return, for each `@` of a text, what may be the name after it: lower case, longest first.

    Where `@Ada Lindqvist says` is written, a person may be called "ada lindqvist says", "ada
    lindqvist" or "ada": the longest that somebody in the room is called is meant.
    """
    calls = islice(_CALL.finditer(text), MESSAGE_MENTIONS_MAX)
    return [list(_prefixes(text[call.end() :])) for call in calls]


def meant_names(calls: Iterable[Sequence[str]], known: Container[str]) -> set[str]:
    """Return the longest name of each call that is `known`."""
    meant = (next((name for name in call if name in known), None) for call in calls)
    return {name for name in meant if name is not None}


class SearchText(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for: whole words in the web's query language, and the one being typed."""

    whole: str
    prefix: str


def parse_search(text: str) -> SearchText | None:
    """Split what was typed; None if there is nothing to search for.

    The last word counts as a prefix unless it is part of a phrase or of the query language.
    """
    cleaned = unicodedata.normalize("NFC", text.replace("\x00", " ")).strip()
    if not any(sign.isalnum() for sign in cleaned):
        return None
    found = _last_word(cleaned)
    if found is None or found["whole"].count('"') % 2 == 1 or found["last"].lower() == "or":
        return SearchText(whole=cleaned, prefix="")
    return SearchText(whole=found["whole"].strip(), prefix=found["last"].lower())


def _harmless(text: str) -> str:
    """Plain ASCII, which most messages are, is only rid of its control characters."""
    if text.isascii():
        return _CONTROLS.sub("", text)
    honest = _TRICKS.sub("", _CONTROLS.sub("", text))
    joined = _IDLE_JOINERS.sub(lambda found: found[0][:1].strip("\u200c\u200d"), honest)
    normal = unicodedata.normalize("NFC", _IDLE_SELECTORS.sub(r"\1", joined))
    return unicodedata.normalize("NFC", "".join(_without_piles(normal)))


def _without_piles(text: str) -> Iterator[str]:
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign) in {"Mn", "Me"} else 0
        if marks <= MARKS_IN_A_ROW_MAX:
            yield sign


def _prefixes(text: str) -> Iterator[str]:
    """Yield the first words of a text, the most first, as they may make a name."""
    line = text[: TITLE_CHARS_MAX * 2].split("\n", 1)[0].split("@", 1)[0]
    words = line.split(" ")[:NAME_WORDS_MAX]
    for count in range(len(words), 0, -1):
        name = " ".join(words[:count]).rstrip(" .,;:!?)\u2026'\u2019\"").lower()
        if name:
            yield name


def _has_something_to_see(text: str) -> bool:
    return any(
        unicodedata.category(sign) not in _INVISIBLE_CATEGORIES and sign not in _EMPTY_SIGNS
        for sign in text
    )
