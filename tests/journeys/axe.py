"""Asks axe what is wrong with a page for those who do not see it, or not well, or who have no mouse."""

from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# What layout and colours decide; all else is the same page.
OF_SIGHT = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"],
}

RUN = """async (rules) => {
  const { violations } = await axe.run({ resultTypes: ["violations"], runOnly: rules, preload: false });
  const place = (node) => `\\n    ${node.target.join(" ")}  ${node.any[0]?.message ?? ""}`;
  return violations.map(({ id, help, nodes }) => `${id}: ${help}${nodes.map(place).join("")}`);
}"""


@dataclass
class Inspector:
    """Looks at one state of a page after the other and keeps what axe finds, to be said all at once."""

    found: list[str] = field(default_factory=list)

    def look(self, page: Page, state: str) -> None:
        """At a desk in light and on a phone in dark, so that every layout and every colour is seen once."""
        self._look(page, state, 1280, "light", WCAG)
        self._look(page, state, 390, "dark", OF_SIGHT)

    def look_closely(self, page: Page, state: str) -> None:
        """The other two ways as well."""
        self.look(page, state)
        self._look(page, state, 390, "light", WCAG)
        self._look(page, state, 1280, "dark", OF_SIGHT)

    def _look(
        self, page: Page, state: str, width: int, scheme: Literal["light", "dark"], rules: dict[str, Any]
    ) -> None:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        if not page.evaluate("'axe' in window"):
            page.evaluate(Axe().axe_script)
        self.found += [f"{state}, {width} px, {scheme}: {one}" for one in page.evaluate(RUN, rules)]
