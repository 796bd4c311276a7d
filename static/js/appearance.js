// Shows a chosen appearance at once, before the server has kept it.
export function offerAppearances() {
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("#appearance button");
    if (!chosen) return;
    if (chosen.value) document.documentElement.dataset.theme = chosen.value;
    else delete document.documentElement.dataset.theme;
    for (const button of chosen.parentElement.children) button.setAttribute("aria-pressed", String(button === chosen));
  });
}
