// Shows the last board that a stranger would have seen when there is no network. While there is one it answers nothing,
// and it never stores a page with anything personal on it: what it keeps it asks for without cookies.
const CACHE = "offline";
const PAGE = "/offline";
const FILES = /(?:href|src)="(\/static\/[^"]+)"/g;

async function keep() {
  const page = await fetch(PAGE, { credentials: "omit", cache: "no-store" });
  if (!page.ok) return;
  const cache = await caches.open(CACHE);
  const files = [...(await page.clone().text()).matchAll(FILES)].map((found) => found[1].replaceAll("&amp;", "&"));
  for (const kept of await cache.keys()) {
    const { pathname, search } = new URL(kept.url);
    if (pathname !== PAGE && !files.includes(pathname + search)) await cache.delete(kept);
  }
  for (const file of files) if (!(await cache.match(file))) await cache.add(file);
  await cache.put(PAGE, page);
}

// What could not be kept now is kept at the next visit.
const tryToKeep = () => keep().catch(() => {});

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(tryToKeep());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(tryToKeep());
});

async function orKept(request, key) {
  try {
    return await fetch(request);
  } catch (lost) {
    const kept = await caches.match(key);
    if (kept) return kept;
    throw lost;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") event.respondWith(orKept(request, PAGE));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(orKept(request, request));
});
