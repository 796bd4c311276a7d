"""Questions before what cannot be undone: a form asks on a page of its own, and is sent again by who says yes."""

from collections.abc import Sequence

from flask import render_template, request
from werkzeug.wrappers import Response

CONFIRMED = "confirmed"


class Unconfirmed(Exception):
    """The form was not confirmed; what it did so far is to be rolled back, and the question shown."""

    def __init__(self, title: str, consequences: Sequence[str], do: str, back: str) -> None:
        super().__init__(title)
        self.title, self.consequences, self.do, self.back = title, consequences, do, back


def confirm(title: str, consequences: Sequence[str], *, do: str, back: str) -> None:
    """Let a form through that a person has confirmed. Raise Unconfirmed.

    It stands at the end of a form's transaction, so that no question is about what would be refused. `do` is the
    label of the button that confirms, `back` where the viewer is led who does not.
    """
    if request.form.get(CONFIRMED) != "on":
        raise Unconfirmed(title, consequences, do, back)


def ask(question: Unconfirmed) -> Response:
    """Show the question, with the form as it was sent."""
    sent = [(name, text) for name, text in request.form.items(multi=True) if name != "csrf_token"]
    return Response(render_template("question.html", question=question, sent=sent), mimetype="text/html")
