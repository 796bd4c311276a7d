"""What goes over the wire small: pages, parts, JSON and assets; never the stream, nor to who could not read it."""

import gzip
from typing import cast

import brotli
import pytest
from flask import Flask

from tests.moments import TODAY
from tests.web.conftest import Browser
from tests.web.reading import read

UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}
PAGES = ["/", "/calendar", f"/day/{TODAY}", "/board", f"/day/{TODAY}/live", "/profile", "/preferences"]
ASSETS = ["/static/joined/slomix.js", "/static/joined/slomix.css"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
    ],
)
def test_a_page_is_packed_as_the_browser_likes_best(anonymous: Browser, accepted: str, encoding: str) -> None:
    answer = anonymous.client.get("/board", headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == encoding


@pytest.mark.parametrize("path", PAGES)
def test_every_page_and_part_is_packed(alice: Browser, path: str) -> None:
    accepted, encoding = "gzip, deflate, br", "br"
    plain = alice.get(path)
    packed = alice.client.get(path, headers={"Accept-Encoding": accepted})
    assert packed.status_code == plain.status_code
    assert packed.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    # But for the form's token, which is of another second, it is the same page.
    assert read(UNPACK[encoding](packed.data).decode()).words == read(plain.text).words


@pytest.mark.parametrize("encoding", ["br", "gzip"])
@pytest.mark.parametrize("path", [*ASSETS, "/api/availability"])
def test_what_is_packed_is_the_same_to_the_last_byte(anonymous: Browser, path: str, encoding: str) -> None:
    packed = anonymous.client.get(path, headers={"Accept-Encoding": encoding})
    assert packed.headers["Content-Encoding"] == encoding
    assert UNPACK[encoding](packed.data) == anonymous.get(path).data


@pytest.mark.parametrize(
    ("path", "accepted"),
    [*(("/board", accepted) for accepted in ("", "identity", "zstd", "deflate")), *((path, "") for path in ASSETS)],
)
def test_who_understands_neither_gets_it_as_it_is(anonymous: Browser, path: str, accepted: str) -> None:
    answer = anonymous.client.get(path, headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert answer.text
    assert "Accept-Encoding" in answer.headers["Vary"], "a cache must not hand this to everybody"


def test_a_packed_asset_and_a_plain_one_are_not_taken_for_each_other(anonymous: Browser) -> None:
    marks = [
        anonymous.client.get("/static/joined/slomix.css", headers={"Accept-Encoding": one}).headers["ETag"]
        for one in ("", "br", "gzip")
    ]
    assert len(set(marks)) == 3


def test_a_picture_is_packed_already(anonymous: Browser) -> None:
    answer = anonymous.client.get("/static/img/mark.png", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("accepted", ["br", "gzip", "gzip, deflate, br, zstd"])
def test_the_stream_is_never_packed_since_a_message_would_wait_for_the_next(app: Flask, accepted: str) -> None:
    # Not over a client: that would wait for the first packed bytes.
    with app.test_request_context("/events", headers={"Accept-Encoding": accepted}):
        answer = app.full_dispatch_request()
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert "Content-Encoding" not in answer.headers
    assert cast(str, next(iter(answer.response))).startswith("retry: 1000\nid:")
    answer.close()
