// A batch, refreshed in place while jobs of it are open: each part is replaced when the server says something else, but
// never the part in which the reader works.
import { liveLine, poll } from "./poll.js";

const INTERVAL_MS = 5000;

async function getPage(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin", cache: "no-store" });
  if (answer.redirected && new URL(answer.url).pathname === "/login") {
    throw { signedOut: true };
  }
  if (!answer.ok) {
    throw { status: answer.status };
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function replacePart(part, fresh) {
  if (part.innerHTML !== fresh.innerHTML && !part.contains(document.activeElement)) {
    part.replaceChildren(...fresh.childNodes);
    part.hidden = fresh.hidden;
  }
}

export function batchPage() {
  const head = document.querySelector("[data-batch-page]");
  if (!head || !("open" in head.dataset)) {
    return;
  }
  poll(INTERVAL_MS, async () => {
    const fresh = await getPage(head.dataset.refresh);
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (other) {
        replacePart(part, other);
      }
    }
    return fresh.querySelector("[data-batch-page][data-open]") !== null;
  }, liveLine());
}
