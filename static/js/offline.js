// A live page without a connection may show what is old, so it says so and takes no answers until it is back.
const LOCKED = "[aria-disabled=true]";

const notice = () => document.getElementById("connection");
const problemInDialog = () => document.getElementById("promote-problem");

export const isOffline = () => document.documentElement.hasAttribute("data-offline");

export function setConnected(isConnected) {
  if (isConnected !== isOffline() || !notice()) return;
  document.documentElement.toggleAttribute("data-offline", !isConnected);
  notice().hidden = isConnected;
  if (isConnected) document.getElementById("lost")?.remove();
  else showLossInDialog();
  for (const button of document.querySelectorAll("main form[method=post] button, #promote button")) {
    if (isConnected) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
  }
}

// The page's own notice is hidden behind an open modal.
export function showLossInDialog() {
  if (!document.querySelector("#modal[open]") || !notice()) return;
  const copy = notice().cloneNode(true);
  copy.id = "lost";
  copy.hidden = false;
  problemInDialog()?.replaceChildren(copy);
}

export function clearProblemInDialog() {
  problemInDialog()?.replaceChildren();
}

// A press that is refused asks the server again, for the connection may be back.
export function lockWhileOffline(retry) {
  const refuse = (event, selector) => {
    if (!isOffline() || !event.target.closest(selector)) return;
    event.preventDefault();
    event.stopPropagation();
    retry();
  };
  document.addEventListener("click", (event) => refuse(event, LOCKED), true);
  document.addEventListener("submit", (event) => refuse(event, `${LOCKED}, form[method=post]`), true);
}
