// The one part of a page that is kept true, and who wants to know when it shows a new state.
const changes = new EventTarget();

export const livePart = () => document.querySelector("[data-live]");

export const onPageChange = (listener, options) => changes.addEventListener("change", listener, options);

export const reportPageChange = () => changes.dispatchEvent(new Event("change"));
