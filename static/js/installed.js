// Has the browser keep the board for when there is no network: once it is idle, and whenever the page is left.
const AFTER = 5000;

export function keepBoardForLater() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  addEventListener("load", () => setTimeout(() => serviceWorker.register("/sw.js").catch(() => {}), AFTER));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") serviceWorker.controller?.postMessage("keep");
  });
}
