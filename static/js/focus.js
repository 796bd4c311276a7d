// Keeps the focus where the work is, whoever changed the page: a control that goes away hands it to the part around it.

const partAround = (element) => element.closest("[tabindex='-1']")?.id ?? null;

export function keepFocus() {
  let part = null; // the id of what gets the focus when the control that has it goes away

  // A control that is disabled while its request runs has lost the focus before the swap.
  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement } = event.detail.ctx;
    if (sourceElement.contains(document.activeElement)) part = partAround(sourceElement);
  });

  document.addEventListener("htmx:before:swap", () => {
    const focused = document.activeElement;
    if (focused !== document.body) part = partAround(focused);
  });

  document.addEventListener("htmx:after:swap", () => {
    if (document.activeElement !== document.body) return;
    document.getElementById(part)?.focus({ preventScroll: true });
  });

  // Who takes the focus away on purpose, by a click on nothing, is not given it back.
  document.addEventListener("pointerdown", () => {
    part = null;
  });
}
