// Of several tabs the one that was looked at last leads; it tells the others what it hears.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("slomix") : null;

export const CHANGED = "changed";
export const ALIVE = "alive"; // nothing changed, but the server is there

export const tellOtherTabs = (message = CHANGED) => channel?.postMessage(message);

export function listenToOtherTabs(listener) {
  if (channel) channel.onmessage = (event) => listener(event.data);
}

// Waits for its turn, or takes it away from the tab that leads. Where a browser has no locks, each tab leads.
export function lead({ steal, start, stop }) {
  if (!navigator.locks) {
    start();
    return;
  }
  const holdLock = () => {
    start();
    return new Promise(() => {}); // until the tab goes or another takes over
  };
  navigator.locks.request("slomix-stream", { steal }, holdLock).catch(() => {
    stop();
    lead({ steal: false, start, stop });
  });
}
