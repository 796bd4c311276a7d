"""Draws the picture that a pasted link shows of an evening: the day, the time and how many, and no names."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, render_template, url_for

from slomix import i18n
from slomix.i18n import _, ngettext
from slomix.web import current, times

FONTS = "vendor/DejaVuSans*.ttf"
# What a browser, or a program that shows links, may keep without asking again.
KEPT_SECONDS = 300
# One for each seat up to here; above it numbers say more.
MOST_SEATS = 12


@dataclass(frozen=True)
class EveningPicture:
    """What the picture says. It may be shown for long after, so it names the day, and not how far away that is."""

    day: date
    start: str
    looking: int
    threshold: int
    is_over: bool

    @property
    def state(self) -> str:
        """Return what changes the picture of a day, for its address."""
        return f"{self.looking}-{self.threshold}-{self.start.replace(':', '')}{'-over' if self.is_over else ''}"

    @property
    def seats(self) -> list[bool]:
        """Return for each seat whether it is taken; none where there are too many to show."""
        many = max(self.threshold, self.looking)
        return [seat < self.looking for seat in range(many)] if many <= MOST_SEATS else []

    @property
    def said(self) -> str:
        """Return in one sentence how it stands."""
        missing = self.threshold - self.looking
        if self.is_over:
            return _("The evening is over.")
        if not self.looking:
            return ngettext(
                "It takes {number}. Be the first to join.", "It takes {number}. Be the first to join.", missing
            )
        if missing > 0:
            return ngettext(
                "{looking} of {threshold} looking to play, {number} to go.",
                "{looking} of {threshold} looking to play, {number} to go.",
                missing,
            ).format(looking=self.looking, threshold=self.threshold)
        return ngettext("{number} player is in. It’s on.", "{number} players are in. It’s on.", self.looking)


def picture_of(day: date, looking: int, start_at: datetime | None) -> EveningPicture:
    """Return the picture of a day; `start_at` is that of its campaign, if there is one."""
    settings = current.runtime().settings
    start = times.hour(start_at) if start_at is not None else f"{settings.start_time:%H:%M}"
    return EveningPicture(day, start, looking, settings.ready_threshold, is_over=day < current.today(current.now()))


def picture_url(picture: EveningPicture) -> str:
    """Return the address of a picture, which changes with what it says."""
    return url_for("board.picture", day=picture.day.isoformat(), state=picture.state)


def draw(picture: EveningPicture) -> bytes:
    """Return the picture as PNG, 1200 by 630 pixels."""
    return _png(as_svg(picture), _fonts(current_app))


def as_svg(picture: EveningPicture) -> str:
    """Return the picture as SVG, in the community's language, as it is the same for all."""
    with i18n.speaking(current.runtime().settings.language_for()):
        return render_template(
            "availability/picture.svg", picture=picture, day=times.day(picture.day), said=picture.said
        )


def _fonts(app: Flask) -> tuple[str, ...]:
    """Return the fonts that set-up has placed; those of the machine may lack letters, or be missing."""
    return tuple(str(path) for path in sorted(Path(app.static_folder or "").glob(FONTS)))


@lru_cache(maxsize=16)
def _png(svg: str, fonts: tuple[str, ...]) -> bytes:
    import resvg_py  # a process that draws nothing has no need of it

    drawn: bytes = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_files=list(fonts), font_family="DejaVu Sans"
    )
    return drawn
