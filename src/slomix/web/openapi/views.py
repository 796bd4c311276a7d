"""`/api/openapi.json`: the description itself."""

from typing import Any

from flask import Blueprint, current_app
from pydantic import ConfigDict

from slomix.web.openapi.calls import Callers, Calls
from slomix.web.openapi.document import describe_api
from slomix.web.openapi.shapes import Answer

blueprint = Blueprint("openapi", __name__)
calls = Calls("This description")

# The description is the same for all readers, so the caller is not looked up.
UNSEEN = Callers(lambda: None)


class Description(Answer):
    """A description in OpenAPI 3.1."""

    model_config = ConfigDict(extra="allow")
    openapi: str
    paths: dict[str, Any]


@blueprint.get("/api/openapi.json")
@calls.call("readDescription", UNSEEN, "OpenAPI 3.1.")
def read(_reader: None) -> Description:
    """Read what you are reading."""
    known: dict[str, Description] = current_app.extensions
    if "slomix_description" not in known:
        known["slomix_description"] = Description(**describe_api(current_app))
    return known["slomix_description"]
