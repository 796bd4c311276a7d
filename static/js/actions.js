// What follows a request of htmx's, which is what a person does on the page.
import { clearProblemInDialog, setConnected, showLossInDialog } from "./offline.js";
import { reportPageChange } from "./page.js";
import { finishWrite, refresh, startWrite } from "./refresh.js";
import { isStreamOpen } from "./stream.js";

const isWrite = (request) => request.method !== "GET";

export function followActions() {
  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement, request } = event.detail.ctx;
    if (isWrite(request)) startWrite();
    if (sourceElement.closest("#promote")) clearProblemInDialog();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const { response, request } = event.detail.ctx;
    if (!response || response.status >= 400) return;
    document.getElementById("flash").replaceChildren(); // what went wrong before is over
    reportPageChange();
    if (!isWrite(request)) return;
    finishWrite();
    if (!isStreamOpen()) refresh();
  });

  // A request that got lost on the way is said aloud, in the modal if that is where it came from.
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response) return;
    setConnected(false);
    showLossInDialog();
    refresh();
  });
}
