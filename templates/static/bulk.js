// Choosing several jobs.  The form works by itself; here it stays out of the way until a job is chosen, takes a whole
// page at once, and says beforehand how many each button would reach.

const ENDED = ["done", "failed", "cancelled", "interrupted"];

function total(counts, states) {
  return states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
}

function number(text) {
  return Number(text.replaceAll(",", ""));
}

/** Returns what is to be called when rows have changed. */
export function bulkForm() {
  const form = document.querySelector("[data-bulk]");
  if (!form) {
    return () => {};
  }
  const wholePage = document.querySelector("[data-pick-page]");
  const offer = form.querySelector("[data-bulk-all]");
  const everything = offer.querySelector("input");
  const matching = form.querySelector("[data-bulk-matching]");
  const line = form.querySelector("[data-bulk-count]");
  const boxes = () => [...document.querySelectorAll("[data-pick]:not(:disabled)")];

  // How many of each state would be taken.
  const counts = (picked) => {
    const found = new Map();
    if (!everything.checked) {
      for (const box of picked) {
        const { state } = box.closest("tr").dataset;
        found.set(state, (found.get(state) ?? 0) + 1);
      }
      return found;
    }
    const wanted = form.querySelector("[name=state]")?.value.split(",");
    for (const chip of document.querySelectorAll("[data-count]")) {
      const state = chip.dataset.count;
      if (state !== "all" && (!wanted || wanted.includes(state))) {
        found.set(state, number(chip.textContent));
      }
    }
    return found;
  };

  const show = () => {
    const all = boxes();
    const picked = all.filter((box) => box.checked);
    const takesPage = picked.length > 0 && picked.length === all.length;
    wholePage.checked = takesPage;
    wholePage.indeterminate = picked.length > 0 && !takesPage;
    // What has the focus is not taken away under the reader's hands.
    form.hidden = picked.length === 0 && !form.contains(document.activeElement);
    offer.hidden = !takesPage || number(matching.textContent) <= all.length;
    if (offer.hidden) {
      everything.checked = false;
    }
    const found = counts(picked);
    const chosen = everything.checked ? number(matching.textContent) : picked.length;
    const reach = {
      rerun: total(found, ENDED),
      cancel: total(found, ["queued", "running"]),
      delete: total(found, [...ENDED, "queued"]),
    };
    line.textContent = `${chosen.toLocaleString("en")} selected`;
    for (const count of form.querySelectorAll("[data-bulk-of]")) {
      count.textContent = reach[count.dataset.bulkOf].toLocaleString("en");
    }
  };

  wholePage.addEventListener("change", () => {
    for (const box of boxes()) {
      box.checked = wholePage.checked;
    }
    show();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]") || event.target === everything) {
      show();
    }
  });
  // A browser that goes back restores what was ticked.
  window.addEventListener("pageshow", show);
  show();
  return show;
}
