// Renews the parts of the page that change by themselves, and leaves forms alone that may be in use.

async function renew() {
  const answer = await fetch("/");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.getElementById(old.id);
    if (part && part.innerHTML !== old.innerHTML) {
      const focused = document.activeElement.id;
      old.replaceWith(part);
      if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    }
  }
}

setInterval(() => {
  if (!document.hidden) renew().catch(() => {});
}, 1000);
