// Opens and closes dialogs, and shows the buttons that work with scripts only.
const byId = (id) => id && document.getElementById(id);

export function openDialogs() {
  byId("sound-try")?.removeAttribute("hidden");
  if (byId("keys")) byId("keys-button").removeAttribute("hidden");

  // A dialog whose content is fetched opens when that is there.
  document.addEventListener("htmx:after:swap", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    const dialog = response?.status < 400 && byId(sourceElement?.dataset.opens);
    if (dialog && !dialog.open) dialog.showModal();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]:not([hx-get])");
    const opened = opener && byId(opener.dataset.opens);
    opened?.showModal();
    opened?.querySelector("h2")?.focus();
    const dialog = byId(event.target.closest("[data-closes]")?.dataset.closes);
    if (!dialog?.open) return;
    event.preventDefault();
    dialog.close();
    const focused = document.activeElement;
    if (focused === document.body || dialog.contains(focused)) byId("campaign")?.focus();
  });
}
