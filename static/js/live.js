// Keeps an open page true: hears that something changed, fetches the page's one live part, and says when it cannot.
"use strict";

(() => {
  const JITTER = 200; // not everybody in the same millisecond
  const PATIENCE = 10000; // a fetch without an answer after this is a failure
  const RETRY = 3000; // after a failure
  const POLL = 15000; // while only the stream is blocked
  const CALM = 1500; // what changes again within this is read aloud once

  const part = () => document.querySelector("[data-live]");
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  // One fetch in flight, at most one more to come.
  let isBusy = false;
  let isStale = false;
  let again = null;
  let writes = 0; // an answer older than somebody's own press is dropped
  let known = { asked: null, etag: null }; // what the page shows, so that the same is neither sent nor swapped again

  async function refresh() {
    isStale = true;
    if (isBusy) return;
    isBusy = true;
    while (isStale && part()) {
      isStale = false;
      await wait(Math.random() * JITTER);
      try {
        await renew(part());
        say(true);
      } catch {
        say(false);
        clearTimeout(again);
        again = setTimeout(refresh, RETRY);
      }
    }
    isBusy = false;
  }

  async function renew(live) {
    const asked = live.dataset.live;
    const before = writes;
    const headers = { "HX-Request": "true" };
    if (known.asked === asked && known.etag) headers["If-None-Match"] = known.etag;
    const answer = await fetch(asked, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status === 304) return;
    if ([401, 403, 404].includes(answer.status)) return location.reload(); // no longer ours to see: the page says why
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    if (before !== writes || part()?.dataset.live !== asked) {
      isStale = true;
      return;
    }
    await htmx.swap({ text, target: `#${live.id}`, swap: "outerMorph", sourceElement: live, hx: {}, request: {} });
    known = { asked, etag: answer.headers.get("ETag") };
    seen();
  }

  // What the new state means outside the part that was swapped: the tab's title, what is read aloud, the sound.
  let calm = null;
  let said = part()?.dataset.says; // scripts are deferred, so the page is there

  function seen() {
    const { title, says } = part()?.dataset ?? {};
    if (title) document.title = title;
    clearTimeout(calm);
    calm = setTimeout(() => {
      if (says && says !== said) document.getElementById("says").textContent = said = says;
    }, CALM);
    document.dispatchEvent(new CustomEvent("slomix:seen", { detail: { leads: Boolean(stream) } }));
  }

  document.addEventListener("slomix:stale", () => refresh());

  // What a page without a connection shows may be old, so it says so and takes no answers until it is back.
  let isHere = true;

  function say(here) {
    if (here === isHere) return;
    isHere = here;
    document.documentElement.toggleAttribute("data-offline", !here);
    document.getElementById("connection").hidden = here;
    if (here) document.getElementById("lost")?.remove();
    else sayInModal();
    for (const button of document.querySelectorAll("main form[method=post] button, #promote button")) {
      if (here) button.removeAttribute("aria-disabled");
      else button.setAttribute("aria-disabled", "true");
    }
  }

  // Behind an open modal nobody reads the notice, so it is said there too.
  function sayInModal() {
    if (!document.querySelector("#modal[open]")) return;
    const notice = document.getElementById("connection").cloneNode(true);
    notice.id = "lost";
    notice.hidden = false;
    problem()?.replaceChildren(notice);
  }

  document.addEventListener("click", locked, true);
  document.addEventListener("submit", locked, true);

  function locked(event) {
    if (isHere || !event.target.closest("[aria-disabled=true], form[method=post]")) return;
    if (event.type === "click" && !event.target.closest("[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopPropagation();
    refresh(); // perhaps it works again
  }

  // Of several tabs the one looked at last holds the stream and tells the others.
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("slomix") : null;
  let stream = null;
  let poll = null;

  function tell() {
    tabs?.postMessage("changed");
    refresh();
  }

  function open() {
    stream?.close();
    stream = new EventSource("/events");
    stream.onopen = () => {
      clearInterval(poll);
      poll = null;
    };
    // The first message comes at every (re)connect. On the very first, the page may be as new as the stream.
    stream.onmessage = (event) => {
      const { mark } = document.body.dataset;
      delete document.body.dataset.mark;
      if (mark && mark === event.lastEventId) tabs?.postMessage("changed");
      else tell();
    };
    stream.onerror = () => {
      poll ??= setInterval(() => {
        // A refused stream (a 502, say) is not retried by the browser.
        if (stream?.readyState === EventSource.CLOSED) open();
        tell();
      }, POLL);
      tell();
    };
  }

  function close() {
    stream?.close();
    stream = null;
    clearInterval(poll);
    poll = null;
  }

  function lead(steal) {
    if (!navigator.locks) {
      if (!stream) open();
      return;
    }
    const held = () => {
      open();
      return new Promise(() => {}); // until the tab goes or another takes over
    };
    navigator.locks.request("slomix-stream", { steal }, held).catch(() => {
      close();
      lead(false);
    });
  }

  function listen() {
    if (!part()) return;
    if (tabs) tabs.onmessage = refresh;
    lead(!document.hidden);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      if (!stream) lead(true);
      refresh();
    });
    window.addEventListener("online", tell);
    window.addEventListener("offline", () => say(false));
    window.addEventListener("pagehide", close);
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  // What people do themselves.
  const source = (event) => event.detail.ctx?.sourceElement;
  const problem = () => document.getElementById("promote-problem");

  let home = null; // where the focus goes when the button that was pressed goes away

  document.addEventListener("htmx:before:request", (event) => {
    home = source(event).closest("[tabindex='-1']")?.id;
    if (event.detail.ctx.request.method !== "GET") writes += 1;
    if (source(event).closest("#promote")) problem()?.replaceChildren();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const { response, request } = event.detail.ctx;
    if (!response || response.status >= 400) return;
    document.getElementById("flash").replaceChildren(); // what went wrong before is over
    seen();
    if (document.activeElement === document.body && home) document.getElementById(home)?.focus();
    if (request.method !== "GET") {
      writes += 1;
      known.etag = null;
      if (stream?.readyState !== EventSource.OPEN) refresh();
    }
  });

  // A request that got lost on the way is said aloud, in the modal if that is where it came from.
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response) return;
    say(false);
    sayInModal();
    refresh();
  });

  // What grows old without anybody hearing of it, such as when a process was last seen, is looked at now and then.
  setInterval(() => {
    if (!document.hidden && part()?.hasAttribute("data-ages")) refresh();
  }, POLL);

  listen();
})();
