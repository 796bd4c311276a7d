"""Writes what somebody chose, such as a name, so that Discord shows it as it is: it calls nobody, formats nothing."""

import re

_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#<:-])")


def escaped(text: str) -> str:
    """The same to read, on one line; `@` is followed by a space without width, so that it calls nobody."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("@", "@\u200b")
