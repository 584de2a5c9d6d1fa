// A batch, refreshed in place while jobs of it are open: counts, bar and totals change where they stand.  When there is
// something new to show (a state, a cause, a button), the page is loaded again, unless the reader is at work in it.
import { getJson, liveLine, poll, setField } from "./poll.js";

const INTERVAL_MS = 5000;
const TOTALS = [
  "mailboxes_text", "runs_text", "moved_text", "messages_total_text", "bytes_total_text", "messages_to_copy_text",
  "messages_copied_text", "bytes_copied_text", "messages_skipped_text", "messages_failed_text", "started_rel", "finished_rel",
];

/** What stands on the page, whatever its numbers. */
function shape(model) {
  return [model.bar.parts.map((part) => part.state), model.actions.map((action) => action.id),
    model.causes.map((cause) => cause.reason), TOTALS.map((name) => model.totals[name] === null),
    model.is_all_moved].join(";");
}

function showBar(bar) {
  const drawing = document.querySelector("[data-bar] svg");
  if (!drawing) {
    return;
  }
  drawing.setAttribute("aria-label", bar.text);
  for (const part of bar.parts) {
    const rect = drawing.querySelector(`.bar-${part.state}`);
    rect?.setAttribute("x", part.x);
    rect?.setAttribute("width", part.width);
    setField(document, `count_${part.state}`, part.count_text);
  }
}

export function batchPage() {
  const head = document.querySelector("[data-batch-page]");
  if (!head || !("open" in head.dataset)) {
    return;
  }
  const main = document.querySelector("main");
  const say = liveLine();
  let shown = null;
  let news = false;

  poll(INTERVAL_MS, async () => {
    const model = await getJson(head.dataset.refresh);
    shown ??= shape(model);
    if (shape(model) !== shown || !model.is_open) {
      if (main === document.activeElement || !main.contains(document.activeElement)) {
        location.reload();
        return false;
      }
      news = true;
      return true;
    }
    showBar(model.bar);
    for (const name of TOTALS) {
      setField(main, name, model.totals[name]);
    }
    for (const action of model.actions) {
      setField(main, `action_${action.id}`, action.count_text);
    }
    for (const cause of model.causes) {
      setField(main, `cause_${cause.reason}`, cause.count_text);
    }
    return true;
  }, (text) => say(text || (news ? "There is something new: load the page again." : "")));
}
