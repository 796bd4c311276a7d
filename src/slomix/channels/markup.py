"""Escapes players' texts, such as names, so that chats show them literally."""

import re

_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#<:-])")


# Before a letter, these begin a command, a mention or a hashtag, or go on with an address.
_LINKS = re.compile(r"(?<=[/@#.:])(?=\w)")


def break_links(text: str) -> str:
    """Keep a text from becoming a command or a link where a chat makes some by itself; a word joiner shows nothing."""
    return _LINKS.sub("\u2060", text)


def escape_markdown(text: str) -> str:
    """Escape Markdown and put the text on one line; a zero-width space after `@` prevents mentions."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("@", "@\u200b")
