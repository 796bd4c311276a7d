// Fetches the page's live part anew: one request at a time, and at most one more to come.
import { setConnected } from "./offline.js";
import { livePart, reportPageChange } from "./page.js";

const JITTER = 200; // not every page in the same millisecond
const TIMEOUT = 10000; // a fetch without an answer after this is a failure
const RETRY = 3000; // after a failure
const AGEING = 15000; // between two looks at what grows old without an event
const NO_LONGER_OURS = [401, 403, 404, 409]; // 409: another viewer is logged in by now

let isRefreshing = false;
let isStale = false;
let retryTimer = null;
let writes = 0; // counts starts and ends: an answer from before a write is dropped
let shown = { address: null, etag: null }; // so that the same is neither sent nor swapped again

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function refresh() {
  isStale = true;
  if (isRefreshing) return;
  isRefreshing = true;
  while (isStale && livePart()) {
    isStale = false;
    await wait(Math.random() * JITTER);
    try {
      await fetchLivePart(livePart());
      setConnected(true);
    } catch {
      setConnected(false);
      clearTimeout(retryTimer);
      retryTimer = setTimeout(refresh, RETRY);
    }
  }
  isRefreshing = false;
}

async function fetchLivePart(part) {
  const address = part.dataset.live;
  const writesBefore = writes;
  const headers = { "HX-Request": "true", "X-Viewer": document.body.dataset.viewer };
  if (shown.address === address && shown.etag) headers["If-None-Match"] = shown.etag;
  const response = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
  if (response.status === 304) return;
  if (NO_LONGER_OURS.includes(response.status)) return location.reload(); // the page says why
  if (!response.ok) throw new Error(String(response.status));
  const text = await response.text();
  if (writesBefore !== writes || livePart()?.dataset.live !== address) {
    isStale = true;
    return;
  }
  await htmx.swap({ text, target: `#${part.id}`, swap: "outerMorph", sourceElement: part, hx: {}, request: {} });
  shown = { address, etag: response.headers.get("ETag") };
  reportPageChange();
}

export function startWrite() {
  writes += 1;
}

// What the page shows now came with the write's answer, not from a refresh.
export function finishWrite() {
  writes += 1;
  shown.etag = null;
}

// Some parts grow old without an event, such as when a process was last seen.
export function refreshAgeingParts() {
  setInterval(() => {
    if (!document.hidden && livePart()?.hasAttribute("data-ages")) refresh();
  }, AGEING);
}
