// Keeps an open page true: listens for what changed and fetches the page's one live part.
"use strict";

(() => {
  const JITTER = 200; // not everybody in the same millisecond
  const POLL = 15000; // while only the stream is blocked
  let inFlight = false;
  let pending = false;
  let poll = null;

  const part = () => document.querySelector("[data-live]");
  const notice = () => document.getElementById("connection");

  async function refresh() {
    const live = part();
    if (!live) return;
    if (inFlight) {
      pending = true;
      return;
    }
    inFlight = true;
    await new Promise((done) => setTimeout(done, Math.random() * JITTER));
    try {
      await htmx.ajax("GET", live.dataset.live, {
        source: live,
        target: live.dataset.target || "#" + live.id,
        swap: "outerMorph",
      });
      const title = part() && part().dataset.title;
      if (title) document.title = title;
      gone(false);
    } catch {
      gone(true);
    }
    inFlight = false;
    if (pending) {
      pending = false;
      refresh();
    }
  }

  function gone(isGone) {
    notice().hidden = !isGone;
    document.documentElement.classList.toggle("offline", isGone);
  }

  function listen() {
    if (!part()) return;
    const stream = new EventSource("/events");
    stream.onopen = () => {
      clearInterval(poll);
      poll = null;
    };
    stream.onmessage = refresh; // also at every (re)connect
    stream.onerror = () => {
      if (!poll) {
        refresh();
        poll = setInterval(refresh, POLL);
      }
    };
    window.addEventListener("pagehide", () => stream.close());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  // A request that fails on the way is said aloud; nothing on the page pretends that it worked.
  document.addEventListener("htmx:error", () => gone(!navigator.onLine));
  window.addEventListener("offline", () => gone(true));
  window.addEventListener("online", refresh);

  // The modal: the button's own request fills it, this opens and closes it.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    const closer = event.target.closest("[data-closes]");
    const dialog = closer && document.getElementById(closer.dataset.closes);
    if (dialog?.open) {
      event.preventDefault();
      dialog.close();
    }
  });

  document.addEventListener("DOMContentLoaded", listen);
})();
