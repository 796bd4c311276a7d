// A form whose changes are easily forgotten: they are saved before another button of the page is followed.
const asText = (form) => new URLSearchParams(new FormData(form)).toString();

export function keepUnsavedChanges() {
  const form = document.querySelector("form[data-keeps]");
  if (!form) return;
  const saved = asText(form);
  let isLeaving = false;
  const isChanged = () => asText(form) !== saved;

  document.addEventListener("submit", async (event) => {
    const other = event.target;
    if (other === form || isLeaving || event.defaultPrevented || !isChanged()) {
      isLeaving ||= other === form;
      return;
    }
    event.preventDefault();
    isLeaving = true;
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Viewer": document.body.dataset.viewer },
    }).catch(() => null);
    if (answer?.ok)
      other.requestSubmit(event.submitter); // which may have a value of its own
    else form.requestSubmit(); // whose answer says what is wrong
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && isChanged()) event.preventDefault();
  });
}
