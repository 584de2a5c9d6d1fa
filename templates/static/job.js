// A job's page: progress in place, and the log as it grows.
import { getJson, liveLine, poll, setField, setProgress } from "./poll.js";
import { LogView } from "./log.js";

const TAIL_MS = 1500;
const REFRESH_MS = 3000;
const ENDED = new Set(["done", "failed", "cancelled", "interrupted"]);

const PROGRESS_FIELDS = [
  "folders_done_text", "folders_total_text", "messages_copied_text", "messages_skipped_text",
  "messages_failed_text", "bytes_copied_text", "rate_text", "eta_text", "folder_current",
];

export function jobPage() {
  const head = document.querySelector("[data-job-page]");
  if (!head) {
    return;
  }
  const say = liveLine();
  const log = new LogView(document.querySelector("[data-tail]"));
  const wasEnded = ENDED.has(head.dataset.state);

  const refresh = async () => {
    const model = await getJson(head.dataset.refresh);
    const main = document.querySelector("main");
    const badge = head.querySelector(".state");
    badge.className = `state state-${model.job.state}${model.job.is_stopping ? " state-stopping" : ""}`;
    setField(main, "state_text", model.job.state_text);
    main.querySelector("[data-waits-for]")?.toggleAttribute("hidden", model.waits_for === null);
    setField(main, "progress_text", model.job.progress_text ?? (model.job.is_queued ? "Waiting for its turn." : ""));
    setField(main, "duration_text", model.job.duration_text);
    for (const name of PROGRESS_FIELDS) {
      setField(main, name, model.progress[name]);
    }
    setProgress(main, model.job.percent, model.job.is_estimating);
    const size = document.querySelector("[data-log-size]");
    if (size && model.log.size_text) {
      size.textContent = model.log.size_text;
    }
    return model;
  };

  let shown = head.dataset.state;
  const tail = async () => {
    const status = await log.more();
    if (status !== shown) {
      shown = status;
      refreshing.now();
    }
    if (!ENDED.has(status) || log.behind) {
      return true;
    }
    if (!wasEnded) {
      // Outcome, next step and actions are the server's to render.
      location.reload();
    }
    return false;
  };

  if (wasEnded) {
    log.catchUp().catch(() => say("The rest of the log cannot be read just now."));
    return;
  }
  const refreshing = poll(REFRESH_MS, async () => !ENDED.has((await refresh()).job.state), () => {});
  const tailing = poll(TAIL_MS, tail, say);
  tailing.now();
}
