"""Escapes players' texts, such as names, so that Discord shows them literally."""

import re

_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#<:-])")


def escape_markdown(text: str) -> str:
    """Escape Markdown and put the text on one line; a zero-width space after `@` prevents mentions."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("@", "@\u200b")
