"""Asks axe what is wrong with a page for those who do not see it, or not well, or who have no mouse."""

from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# What layout and colours decide; all else is the same page.
OF_SIGHT = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"],
}
OF_LAYOUT = OF_SIGHT | {"values": [rule for rule in OF_SIGHT["values"] if rule != "color-contrast"]}

RUN = """async ([runOnly, judgesContrast]) => {
  const rules = judgesContrast ? {} : { "color-contrast": { enabled: false } };
  const { violations } = await axe.run({ resultTypes: ["violations"], runOnly, rules, preload: false });
  const place = (node) => `\\n    ${node.target.join(" ")}  ${node.any[0]?.message ?? ""}`;
  return violations.map(({ id, help, nodes }) => `${id}: ${help}${nodes.map(place).join("")}`);
}"""

# All that the contrast of a page's words depends on, each kind once: their colour and size, and what is painted behind
# them. Words that nobody sees do not count.
COLOURS = """() => {
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const says = element.value || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const { width, height, right, bottom } = element.getBoundingClientRect();
    const isSeen = width > 1 && height > 1 && right + scrollX > 0 && bottom + scrollY > 0;
    if (!says || !isSeen || !element.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const isLarge = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
    const kind = [color, isLarge, Boolean(element.closest(":disabled, [aria-disabled=true]"))];
    let isCovered = false;
    for (let behind = element; behind; behind = behind.parentElement) {
      const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(behind);
      if (opacity !== "1" || filter !== "none") kind.push(opacity, filter);
      if (isCovered) continue;
      if (backgroundImage !== "none") kind.push(backgroundImage);
      if (backgroundColor !== "rgba(0, 0, 0, 0)") kind.push(backgroundColor);
      isCovered = backgroundColor.startsWith("rgb(");
    }
    found.add(kind.join(" / "));
  }
  return [...found];
}"""
# Whose contrast has been judged. Axe takes longer for contrast than for all other rules, and finds in the same colours
# the same.
JUDGED: set[str] = set()


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
            page.context.add_init_script(AXE)  # of the pages to come
            page.evaluate(AXE)
        colours = set(page.evaluate(COLOURS))
        judges_contrast = not colours <= JUDGED
        if not judges_contrast and rules is OF_SIGHT:
            rules = OF_LAYOUT
        violations = page.evaluate(RUN, [rules, judges_contrast])
        JUDGED.update(colours)
        self.found += [f"{state}, {width} px, {scheme}: {one}" for one in violations]
