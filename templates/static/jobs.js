// The jobs list, refreshed in place: text and bars change, rows never move, focus and scroll stay.
import { bulkForm } from "./bulk.js";
import { getJson, liveLine, poll, setField, setProgress } from "./poll.js";

const INTERVAL_MS = 5000;

function showState(row, job) {
  if (row.dataset.state !== job.state) {
    const badge = row.querySelector(".state");
    badge.classList.remove(`state-${row.dataset.state}`);
    badge.classList.add(`state-${job.state}`);
    row.dataset.state = job.state;
  }
  row.querySelector(".state").classList.toggle("state-stopping", job.is_stopping === true);
}

function showRow(row, job) {
  showState(row, job);
  for (const name of ["state_text", "progress_text", "duration_text", "reason_text"]) {
    setField(row, name, job[name]);
  }
  setField(row, "started_rel", job.started_rel ?? "not yet");
  setProgress(row, job.percent, job.is_estimating);
  for (const verb of ["cancel", "rerun"]) {
    const button = row.querySelector(`[data-can="${verb}"]`);
    // What has the focus is not taken away under the reader's hands.
    if (button && document.activeElement !== button) {
      button.hidden = !job[`can_${verb}`];
    }
  }
}

function showGone(row) {
  row.querySelector("[data-field=state_text]").textContent = "Deleted";
  for (const button of row.querySelectorAll("[data-can]")) {
    button.hidden = true;
  }
  const box = row.querySelector("[data-pick]");
  box.checked = false;
  box.disabled = true;
}

export function jobsList() {
  const table = document.querySelector("table[data-refresh]");
  if (!table) {
    return;
  }
  const showSelection = bulkForm();
  poll(INTERVAL_MS, async () => {
    const model = await getJson(table.dataset.refresh);
    const jobs = new Map(model.jobs.map((job) => [String(job.id), job]));
    for (const row of table.querySelectorAll("tr[data-job]")) {
      const job = jobs.get(row.dataset.job);
      if (job) {
        showRow(row, job);
      } else {
        showGone(row);
      }
    }
    for (const chip of model.chips) {
      const count = document.querySelector(`[data-count="${chip.state}"]`);
      if (count && count.textContent !== chip.count_text) {
        count.textContent = chip.count_text;
      }
    }
    showSelection();
  }, liveLine());
}
