// Many jobs at once: choosing them, being asked, the outcome; and a batch as a whole.
import assert from "node:assert/strict";

import { addServers, axeSource, launch, open, post, signIn } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run, until } from "./tap.mjs";

const WIDTHS = [360, 400, 1280];
const stack = new Stack();
let browser, page, plain, axe, servers, account;

const bar = (p = page) => p.locator("form#bulk");
const button = (name, p = page) => bar(p).getByRole("button", { name });
const box = (p, user) => p.getByRole("checkbox", { name: `Select ${user}@` });
const count = (where) => Number(stack.sql(`SELECT COUNT(*) FROM job WHERE ${where}`)[0][0]);

/** Jobs of the users PREFIX1 to PREFIXn, as import and worker would have left them. */
function jobs(prefix, number, state, columns = {}) {
  const all = {
    account_id: account, dry_run: 1, src_server_id: servers[0], src_server_name: "'Old'", src_host: "'old.example.org'",
    src_port: 993, src_security: "'tls'", src_verify: 1, src_user: `CONCAT('${prefix}', seq, '@old')`, src_sealed: "'x'",
    dst_server_id: servers[1], dst_server_name: "'New'", dst_host: "'new.example.org'", dst_port: 993, dst_security: "'tls'",
    dst_verify: 1, dst_user: `CONCAT('${prefix}', seq, '@new')`, dst_sealed: "'x'", state: `'${state}'`,
    queued_at: "UTC_TIMESTAMP(6)", updated_at: "UTC_TIMESTAMP(6)",
    started_at: state === "queued" ? "NULL" : "UTC_TIMESTAMP(6)", finished_at: state === "queued" ? "NULL" : "UTC_TIMESTAMP(6)",
    ...columns,
  };
  stack.sql(`INSERT INTO job (${Object.keys(all)}) SELECT ${Object.values(all)} FROM seq_1_to_${number}`);
}

function batch(id, tag) {
  stack.sql(`INSERT INTO batch (id, account_id, tag, created_at) VALUES (${id}, ${account}, '${tag}', UTC_TIMESTAMP(6))`);
}

const wrong = (reason, text, action) => ({ reason: `'${reason}'`, reason_text: `'${text}'`, reason_action: `'${action}'` });

async function violations() {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
}

const tests = [
  ["nothing_stands_in_the_way_until_a_job_is_chosen", async () => {
    jobs("page", 60, "failed");
    await page.goto("/migration/jobs?q=page");
    await bar().waitFor({ state: "hidden" });
    await box(page, "page60").check();
    await bar().getByText("1 selected").waitFor();
    assert.equal(await button(/Run real/).textContent(), "Run real1");
    assert.equal(await button(/Cancel/).textContent(), "Cancel0");
    await box(page, "page60").uncheck();
    await bar().waitFor({ state: "hidden" });
  }],
  ["the_heads_box_takes_the_page_and_then_all_that_match_are_offered", async () => {
    await page.getByRole("checkbox", { name: "Select all jobs of this page" }).check();
    await bar().getByText("50 selected").waitFor();
    await bar().getByRole("checkbox", { name: "All 60 that match" }).check();
    await bar().getByText("60 selected").waitFor();
    assert.equal(await button(/Dry run/).textContent(), "Dry run60");
    await box(page, "page59").uncheck();
    await bar().getByText("49 selected").waitFor();
    assert.equal(await bar().getByRole("checkbox", { name: "All 60" }).isVisible(), false);
    assert.equal(await page.locator("[data-pick-page]").evaluate((e) => e.indeterminate), true);
  }],
  ["a_selection_survives_what_changes_in_place", async () => {
    const id = stack.sql("SELECT id FROM job WHERE src_user = 'page60@old'")[0][0];
    stack.sql(`UPDATE job SET state = 'done' WHERE id = ${id}`);
    await page.locator(`tr[data-job="${id}"][data-state="done"]`).waitFor();
    await bar().getByText("49 selected").waitFor();
    assert.equal(await box(page, "page60").isChecked(), true);
  }],
  ["the_keyboard_alone_chooses_asks_and_confirms", async () => {
    jobs("keys", 2, "done");
    await page.goto("/migration/jobs?q=keys");
    await page.getByRole("checkbox", { name: "Select all jobs of this page" }).focus();
    await page.keyboard.press("Space");
    await button(/Run real/).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Run real: 2 jobs?" }).waitFor();
    await page.getByText("2 will be queued again as a real run").waitFor();
    await page.getByRole("button", { name: "Run real 2" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("2 are queued again as a real run").waitFor();
    assert.equal(count("src_user LIKE 'keys%' AND dry_run = 0 AND parent_id IS NOT NULL"), 2);
  }],
  ["a_confirmation_pressed_twice_counts_once", async () => {
    jobs("twice", 1, "done");
    await page.goto("/migration/jobs?q=twice");
    await box(page, "twice1").check();
    await button(/Dry run/).click();
    await page.getByRole("button", { name: "Dry run 1" }).dblclick();
    await page.getByRole("heading", { name: "Job by job" }).waitFor();
    assert.equal(count("src_user LIKE 'twice%'"), 2);
  }],
  ["without_javascript_jobs_are_chosen_asked_about_and_dealt_with", async () => {
    jobs("plain", 60, "failed");
    await plain.goto("/migration/jobs?q=plain");
    await box(plain, "plain60").check();
    await box(plain, "plain59").check();
    await button("Dry run", plain).click();
    await plain.getByText("2 will be queued again as a dry run").waitFor();
    await plain.getByRole("button", { name: "Dry run 2" }).click();
    await plain.getByText("2 are queued again").first().waitFor();
    await plain.getByRole("link", { name: "Back to the jobs" }).click();
    assert.match(plain.url(), /q=plain/);
    await bar(plain).getByRole("checkbox", { name: /All 62 that match/ }).check();
    await button("Delete", plain).click();
    await plain.getByText("will be deleted with their logs").waitFor();
    await plain.getByLabel("Type delete to confirm").fill("delete");
    await plain.getByRole("button", { name: /^Delete/ }).click();
    await plain.getByRole("heading", { name: "Job by job" }).waitFor();
    await plain.getByRole("link", { name: "Next" }).waitFor({ state: "detached" });
    assert.ok(count("src_user LIKE 'plain%'") <= 2);
  }],
  ["a_batch_leads_from_its_dry_runs_to_the_real_ones", async () => {
    batch(1, "First move");
    jobs("good", 3, "done", { batch_id: 1, reason: "'ok_dry'" });
    jobs("refused", 2, "failed", { batch_id: 1, ...wrong("auth_source", "The source server refused the password.", "edit_source") });
    await page.goto("/migration/batches");
    await page.getByRole("link", { name: "First move" }).click();
    await page.getByRole("img", { name: "5 mailboxes: 3 done, 2 failed" }).waitFor();
    await page.getByRole("row", { name: /refused the password/ }).getByRole("link", { name: "Edit the users and passwords" }).click();
    await page.getByText("2 jobs", { exact: true }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Run all real 3" }).click();
    await page.getByRole("button", { name: "Run real 3" }).click();
    await page.getByText("3 are queued again as a real run").waitFor();
  }],
  ["a_batch_changes_in_place_and_says_when_there_is_something_new", async () => {
    batch(2, "Watched");
    stack.sql("UPDATE account SET suspended_at = UTC_TIMESTAMP(6)");
    jobs("open", 4, "queued", { batch_id: 2 });
    jobs("over", 1, "done", { batch_id: 2, messages_total: 10 });
    await page.goto("/migration/batches/2");
    await page.getByText("Each mailbox counts by its last run.").waitFor();
    stack.sql("UPDATE job SET state = 'done', started_at = queued_at, finished_at = queued_at WHERE src_user = 'open1@old'");
    await page.getByRole("img", { name: "5 mailboxes: 2 done, 3 queued" }).waitFor();
    await page.getByRole("button", { name: "Run all real" }).focus();
    stack.sql("UPDATE job SET state = 'failed', started_at = queued_at, finished_at = queued_at, reason = 'x', "
      + "reason_text = 'It broke.' WHERE src_user = 'open2@old'");
    await page.getByText("There is something new: load the page again.").waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await page.getByText("It broke.").waitFor();
    stack.sql("UPDATE account SET suspended_at = NULL");
  }],
  ["axe_finds_nothing_and_nothing_is_beyond_the_edge", async () => {
    batch(3, "Looked at");
    const long = { batch_id: 3, reason_text: `'${"long words ".repeat(20)}'`, reason: "'x'", reason_action: "'rerun'",
      dry_run: 0, messages_total: 1234567, messages_copied: 1234567, bytes_total: 123456789012, verify_state: "'faults'",
      verify_messages: 1234567, verified_messages: 1234560, verify_missing: 1204, verify_altered: 1204, verify_doubled: 1204 };
    jobs("very-long-address-of-somebody-in-some-department", 3, "failed", long);
    jobs("more", 2, "queued", { batch_id: 3 });
    const ask = async (fields) =>
      (await post(page, "/migration/jobs/bulk", { scope: "matching", batch: "3", ...fields })).bulk.url;
    const question = await ask({ action: "run_real" });
    const removal = await ask({ action: "delete" });
    const done = await ask({ action: "retry" });
    await post(page, done, {});
    const pages = ["/migration/jobs?batch=3&kind=dry", "/migration/batches", "/migration/batches/3", "/migration/batches/3/report",
      question, removal, done];
    const found = [];
    for (const url of pages) {
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width: 1280, height: 900 });
        await page.goto(url);
        if (url.includes("jobs?")) {
          await page.getByRole("checkbox", { name: "Select all jobs of this page" }).check();
        }
        found.push(...(await violations()).map((text) => `${url} ${scheme}: ${text}`));
      }
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (beyond > 0) {
          found.push(`${url}: ${beyond} px beyond the edge at ${width}`);
        }
        if (width < 1280) {
          found.push(...(await violations()).map((text) => `${url} ${width} px: ${text}`));
        }
      }
    }
    assert.deepEqual(found, []);
  }],
  ["no_page_complained_in_the_console", async () => {
    assert.deepEqual(page.problems, []);
    assert.deepEqual(plain.problems, []);
  }],
];

await run(tests, {
  before: async () => {
    browser = await launch();
    axe = axeSource();
    await stack.start();
    page = await open(browser, stack);
    await signIn(page, stack);
    servers = await addServers(page, stack);
    account = stack.sql("SELECT account_id FROM user WHERE role = 'admin' LIMIT 1")[0][0];
    plain = await open(browser, stack, { storageState: await page.context().storageState(), javaScriptEnabled: false });
    await until("the list is there", async () => (await page.goto("/migration/jobs")).ok());
  },
  after: async () => {
    await browser?.close();
    await stack.stop();
  },
});
