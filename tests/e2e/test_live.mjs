// What changes under the reader's eyes: the log as it grows, the list in place, and quiet when nobody looks.
import assert from "node:assert/strict";

import { addJob, addServers, launch, open, signIn } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run, until } from "./tap.mjs";

const stack = new Stack();
let browser, page, servers, job;

const log = () => page.locator("[data-tail]");
const shown = () => page.locator("[data-log-text] .line").evaluateAll((rows) =>
  rows.map((row) => row.lastChild.data).join("\n"));
const atEnd = () => log().evaluate((box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 24);
const lines = (from, to) => Array.from({ length: to - from }, (_, n) => `line ${from + n}\n`).join("");
const line = (text) => page.locator(".line", { hasText: new RegExp(`${text}$`) });
const rowOf = (id) => page.locator(`tr[data-job="${id}"]`);

async function runs(id) {
  await until(`job ${id} runs`, () => stack.sql(`SELECT state FROM job WHERE id = ${id}`)[0][0] === "running");
}

/** What document.hidden says, and the event that tells of it: a headless browser has no tabs to switch. */
const hide = (hidden) => page.evaluate((value) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
  document.dispatchEvent(new Event("visibilitychange"));
}, hidden);

/** Addresses the page asks for from now on that contain part. */
function asked(part) {
  const found = [];
  page.on("request", (request) => {
    if (request.url().includes(part)) {
      found.push(request.url());
    }
  });
  return found;
}

/** A page of its own for a test, whose clock only the test moves. */
async function stoppedClock(url) {
  await page.context().close();
  page = await open(browser, stack, { storageState: await signedIn });
  await page.clock.install();
  await page.goto(url);
}

let signedIn;

const tests = [
  // No piece ends in what could be the beginning of a password: that waits in the worker.
  ["the_log_grows_without_a_byte_twice", async () => {
    let wrote = "";
    await page.goto(`/migration/jobs/${job}`);
    for (const piece of ["first half of a line, ", "second half\n", "zwei € und ü\n", lines(0, 50), "no newline yet: "]) {
      stack.lead("puppet-live", piece);
      wrote += piece;
      await until(`the page shows ${JSON.stringify(piece.slice(0, 20))}`, async () => (await shown()).length >= wrote.replace(/\n$/, "").length);
      assert.equal(await shown(), wrote.replace(/\n$/, ""));
    }
    assert.equal(stack.logBytes(job).toString("utf8"), wrote);
  }],
  ["a_character_cut_in_two_waits_for_its_end", async () => {
    const sign = Buffer.from("\n→ whole\n");
    stack.lead("puppet-live", sign.subarray(0, 2));
    await until("half of it is stored", () => stack.logBytes(job).at(-1) === sign[1]);
    const [answer] = await Promise.all([page.waitForResponse(/\/tail\?offset=/)]);
    assert.ok(!(await answer.text()).includes("\ufffd"));
    stack.lead("puppet-live", sign.subarray(2));
    await page.getByText("→ whole").waitFor();
    assert.ok(!(await shown()).includes("\ufffd"));
  }],
  ["the_log_follows_its_end", async () => {
    stack.lead("puppet-live", lines(100, 300));
    await line("line 299").waitFor();
    assert.ok(await atEnd());
  }],
  ["scrolling_up_stops_following_and_the_end_starts_it_again", async () => {
    const follow = page.getByLabel("Follow");
    await log().evaluate((box) => { box.scrollTop = 100; });
    await until("Follow is off", async () => !(await follow.isChecked()));
    stack.lead("puppet-live", "while reading above\n");
    await page.getByText("while reading above").waitFor({ state: "attached" });
    assert.equal(await log().evaluate((box) => box.scrollTop), 100);
    await log().evaluate((box) => { box.scrollTop = box.scrollHeight; });
    await until("Follow is on", () => follow.isChecked());
    stack.lead("puppet-live", lines(300, 340));
    await line("line 339").waitFor();
    assert.ok(await atEnd());
  }],
  ["the_follow_switch_goes_to_the_end", async () => {
    await log().evaluate((box) => { box.scrollTop = 0; });
    await until("Follow is off", async () => !(await page.getByLabel("Follow").isChecked()));
    await page.getByLabel("Follow").check();
    await until("the end is shown", atEnd);
  }],
  ["errors_are_counted_and_jumped_to", async () => {
    stack.lead("puppet-live", "failure: could not do it\n");
    await page.getByRole("button", { name: "1 error", exact: true }).click();
    assert.match(await page.locator(".line.here").textContent(), /could not do it/);
  }],
  ["what_hides_or_turns_text_is_seen", async () => {
    await page.goto(`/migration/jobs/${job}`);
    await page.locator("[data-tail]").waitFor();
    stack.lead("puppet-live", "\na\u001b[31mb\u0007\u007f \u202efdp.exe \u0085end of it\r\n");
    await page.getByText("end of it").waitFor();
    assert.equal((await shown()).split("\n").at(-1), "a\u241b[31mb\u2407\u2421 \ufffdfdp.exe \ufffdend of it");
  }],
  ["the_list_refreshes_in_place_and_keeps_focus_and_scroll", async () => {
    await page.setViewportSize({ width: 1280, height: 300 });
    await page.goto("/migration/jobs");
    const link = rowOf(job).locator(".row-link");
    await link.focus();
    await page.evaluate(() => window.scrollTo(0, 60));
    await rowOf(job).evaluate((row) => { row.dataset.same = "yes"; });
    const before = await page.evaluate(() => window.scrollY);
    stack.lead("puppet-live", "", 1);
    await rowOf(job).locator("[data-field=state_text]", { hasText: "Failed" }).waitFor();
    assert.equal(await rowOf(job).getAttribute("data-same"), "yes", "the row was made anew");
    assert.ok(await link.evaluate((element) => element === document.activeElement), "the focus was lost");
    assert.equal(await page.evaluate(() => window.scrollY), before);
    await page.setViewportSize({ width: 1280, height: 900 });
  }],
  ["the_job_page_shows_the_outcome_when_the_run_ends", async () => {
    stack.lead("puppet-end", "begins\n");
    const id = await addJob(page, stack, servers, "puppet-end");
    await runs(id);
    await page.goto(`/migration/jobs/${id}`);
    stack.lead("puppet-end", "", 1);
    await page.getByRole("region", { name: "Outcome" }).waitFor();
  }],
  ["an_empty_first_line_is_kept", async () => {
    const text = "\n\nthe third line\n";
    stack.lead("puppet-empty", text, 1);
    const id = await addJob(page, stack, servers, "puppet-empty");
    await until("it ends", () => stack.sql(`SELECT state FROM job WHERE id = ${id}`)[0][0] === "failed");
    await page.goto(`/migration/jobs/${id}`);
    assert.equal(`${await shown()}\n`, text);
  }],
  ["earlier_parts_of_a_long_log_come_in_front_without_a_byte_twice", async () => {
    stack.lead("puppet-long", lines(0, 15000), 1);
    const id = await addJob(page, stack, servers, "puppet-long");
    await until("it ends", () => stack.sql(`SELECT state FROM job WHERE id = ${id}`)[0][0] === "failed");
    await page.goto(`/migration/jobs/${id}`);
    await page.getByRole("link", { name: "Load earlier" }).waitFor();
    // An impatient reader clicks twice.
    await until("everything is shown", () => page.evaluate(() => {
      const link = document.querySelector("[data-earlier]");
      link?.click();
      link?.click();
      return link === null;
    }));
    const text = await page.locator("[data-log-text]").evaluate((pre) => [...pre.children].map((row) =>
      row.classList.contains("line") ? `${row.lastChild.data}\n` : row.textContent).join(""));
    assert.ok(text === lines(0, 15000), `${text.length} characters are shown of ${lines(0, 15000).length}`);
  }],
  ["the_list_asks_every_five_seconds_and_not_while_hidden", async () => {
    await stoppedClock("/migration/jobs");
    const requests = asked("ids=");
    const answer = page.waitForResponse((response) => response.url().includes("ids="));
    await page.clock.runFor(5000);
    await until("it asks", () => requests.length === 1);
    await (await answer).finished();
    await hide(true);
    await page.clock.runFor(60000);
    // what it had asked for by then would be seen before this
    await page.evaluate(() => fetch(document.location).then((later) => later.text()));
    assert.equal(requests.length, 1, "it asked while hidden");
    await page.getByText("Paused while this page is hidden.").waitFor();
    await hide(false);
    await until("it asks at once", () => requests.length === 2);
    await page.getByText("Paused while this page is hidden.").waitFor({ state: "hidden" });
  }],
  ["an_answer_that_comes_while_hidden_leaves_the_pause_said", async () => {
    await stoppedClock("/migration/jobs");
    let letGo;
    const held = new Promise((resolve) => { letGo = resolve; });
    await page.route(/ids=/, async (route) => {
      await held;
      await route.continue();
    });
    const requests = asked("ids=");
    const answer = page.waitForResponse((response) => response.url().includes("ids="));
    await page.clock.runFor(5000);
    await until("it asks", () => requests.length === 1);
    await hide(true);
    await page.getByText("Paused while this page is hidden.").waitFor();
    letGo();
    await (await answer).finished();
    await page.evaluate(() => fetch(document.location).then((later) => later.text()));
    assert.ok(await page.getByText("Paused while this page is hidden.").isVisible());
    await page.unroute(/ids=/);
  }],
  ["the_list_says_when_the_server_cannot_be_reached", async () => {
    await stoppedClock("/migration/jobs");
    await page.context().setOffline(true);
    await page.clock.runFor(5000);
    await page.getByText("The server cannot be reached").waitFor();
    await page.context().setOffline(false);
    await page.clock.runFor(30000);
    await page.getByText("The server cannot be reached").waitFor({ state: "hidden" });
    page.problems = page.problems.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED"));
  }],
  ["the_list_says_when_the_session_has_ended", async () => {
    await stoppedClock("/migration/jobs");
    await page.context().clearCookies();
    await page.clock.runFor(5000);
    await page.getByText("You are signed out").waitFor();
    page.problems = page.problems.filter((text) => !text.includes("401"));
  }],
  ["no_page_complained_in_the_console", async () => {
    assert.deepEqual(page.problems, []);
  }],
];

await run(tests, {
  before: async () => {
    browser = await launch();
    await stack.start();
    page = await open(browser, stack);
    await signIn(page, stack);
    signedIn = page.context().storageState();
    servers = await addServers(page, stack);
    stack.lead("puppet-live", "");
    job = await addJob(page, stack, servers, "puppet-live", { name: "The one that is watched" });
    await runs(job);
  },
  after: async () => {
    await browser?.close();
    await stack.stop();
  },
});
