// Copies what a button names, and says so; without scripts, or where a browser does not let us, there is no button.
const SAID_FOR = 2000;

export function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.trim());
      button.textContent = button.dataset.done;
      setTimeout(() => {
        button.textContent = label;
      }, SAID_FOR);
    });
  }
}
