// The way to undo a change goes away when it would be refused.
const UNDO_FOR = 9500; // a little less than the server allows, as the answer has been on its way

export function limitUndo() {
  let timer = null;
  const limit = () => {
    clearTimeout(timer);
    if (document.querySelector("#undo-status form")) {
      timer = setTimeout(() => document.getElementById("undo-status")?.replaceChildren(), UNDO_FOR);
    }
  };
  document.addEventListener("htmx:after:swap", (event) => event.detail.ctx.request?.method === "POST" && limit());
  limit();
}
