// Opens and closes dialogs, and shows a chosen appearance at once.
"use strict";

(() => {
  const called = (id) => id && document.getElementById(id);

  // What works with scripts only is shown by scripts only.
  called("sound-try")?.removeAttribute("hidden");
  if (called("keys")) called("keys-button").removeAttribute("hidden");

  // A dialog whose content is fetched opens when that is there.
  document.addEventListener("htmx:after:swap", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    const dialog = response?.status < 400 && called(sourceElement?.dataset.opens);
    if (dialog && !dialog.open) dialog.showModal();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]:not([hx-get])");
    const opened = opener && called(opener.dataset.opens);
    opened?.showModal();
    opened?.querySelector("h2")?.focus();
    const dialog = called(event.target.closest("[data-closes]")?.dataset.closes);
    if (!dialog?.open) return;
    event.preventDefault();
    dialog.close();
    const focused = document.activeElement;
    if (focused === document.body || dialog.contains(focused)) called("campaign")?.focus();
  });

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("#appearance button");
    if (!chosen) return;
    if (chosen.value) document.documentElement.dataset.theme = chosen.value;
    else delete document.documentElement.dataset.theme;
    for (const one of chosen.parentElement.children) one.setAttribute("aria-pressed", String(one === chosen));
  });
})();
