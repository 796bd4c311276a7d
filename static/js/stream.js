// Hears from the server that something changed: over a stream or, while that is blocked, by asking now and then.
import { setConnected } from "./offline.js";
import { livePart } from "./page.js";
import { refresh } from "./refresh.js";
import { ALIVE, CHANGED, lead, listenToOtherTabs, tellOtherTabs } from "./tabs.js";

const POLL = 15000;
const KEEP_ALIVE = 15000; // the server says so often that it is there
const SILENCE = 2.5 * KEEP_ALIVE; // after this without a word it may not be there any more, though nothing was cut

let stream = null;
let pollTimer = null;
let silenceTimer = null;

export const holdsStream = () => stream !== null;

export const isStreamOpen = () => stream?.readyState === EventSource.OPEN;

export function followServer() {
  if (!livePart()) return;
  listenToOtherTabs((message) => {
    noteSignOfLife();
    if (message === CHANGED) refresh();
  });
  noteSignOfLife();
  takeTurn(!document.hidden);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (!holdsStream()) takeTurn(true);
    refresh();
  });
  window.addEventListener("online", refreshAllTabs);
  window.addEventListener("offline", () => setConnected(false));
  window.addEventListener("pagehide", closeStream);
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

const takeTurn = (steal) => lead({ steal, start: openStream, stop: closeStream });

function refreshAllTabs() {
  tellOtherTabs();
  refresh();
}

function openStream() {
  stream?.close();
  stream = new EventSource("/events");
  stream.onopen = stopPolling;
  stream.addEventListener("alive", () => {
    noteSignOfLife();
    tellOtherTabs(ALIVE);
  });
  // The first message comes at every (re)connect. On the very first, the page may be as new as the stream.
  stream.onmessage = (event) => {
    noteSignOfLife();
    const { mark } = document.body.dataset;
    delete document.body.dataset.mark;
    if (mark && mark === event.lastEventId) tellOtherTabs();
    else refreshAllTabs();
  };
  stream.onerror = () => {
    pollTimer ??= setInterval(poll, POLL);
    refreshAllTabs();
  };
}

// No news is only news of nothing while the server, or the tab that hears it, says that it is there.
function noteSignOfLife() {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => {
    noteSignOfLife();
    if (holdsStream()) openStream();
    refresh();
  }, SILENCE);
}

function closeStream() {
  stream?.close();
  stream = null;
  stopPolling();
}

function poll() {
  // A refused stream (a 502, say) is not retried by the browser.
  if (stream?.readyState === EventSource.CLOSED) openStream();
  refreshAllTabs();
}

function stopPolling() {
  clearInterval(pollTimer);
  pollTimer = null;
}
