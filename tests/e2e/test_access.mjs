// Every page, in light and in dark, on a telephone and on a desk: nothing for axe-core to find, nothing beyond the edge.
import assert from "node:assert/strict";
import fs from "node:fs";

import { addJob, addServers, axeSource, launch, open, post, signIn } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run, until } from "./tap.mjs";

const WIDTHS = [360, 400, 1280];
const stack = new Stack();
const pages = [];
let browser, page, axe;

async function jobEnds(id) {
  await until(`job ${id} ends`, () =>
    !["queued", "running"].includes(stack.sql(`SELECT state FROM job WHERE id = ${id}`)[0][0]));
}

/** One page of each kind, with jobs in different states. */
async function furnish() {
  if (pages.length > 0) {
    return;
  }
  const servers = await addServers(page, stack);
  const dry = await addJob(page, stack, servers, "user1", { dry_run: "1", name: "Reception <b>&amp; hall" });
  const failed = await addJob(page, stack, servers, "user2", { source_password: "not this one" });
  await jobEnds(dry);
  await jobEnds(failed);
  stack.lead("puppet-long", "Host1: warning\n<script>alert(1)</script>\nfailure: could not " + "x".repeat(500) + "\n");
  const running = await addJob(page, stack, servers, "puppet-long", { dest_user: `${"very-long-address-".repeat(6)}@example.org` });
  await addJob(page, stack, servers, "puppet-long", {});
  const queued = await addJob(page, stack, servers, "user3", {});
  await until("one runs", () => stack.sql(`SELECT state FROM job WHERE id = ${running}`)[0][0] === "running");
  pages.push(
    ["jobs", "/migration/jobs"], ["jobs_none_matching", "/migration/jobs?q=nothing-has-this-name"],
    ["job_dry_done", `/migration/jobs/${dry}`], ["job_failed", `/migration/jobs/${failed}`],
    ["job_running", `/migration/jobs/${running}`], ["job_queued", `/migration/jobs/${queued}`],
    ["job_new", "/migration/jobs/new"], ["job_edit", `/migration/jobs/${dry}/edit`],
    ["job_delete", `/migration/jobs/${dry}/delete`], ["job_cancel", `/migration/jobs/${running}/cancel`],
    ["servers", "/migration/servers"], ["server_new", "/migration/servers/new"],
    ["server_edit", `/migration/servers/${servers[0]}`], ["server_delete", `/migration/servers/${servers[1]}/delete`],
    ["error", "/migration/jobs/999999"],
    ["accounts", "/migration/accounts"], ["account_new", "/migration/accounts/new"], ["account", "/migration/accounts/1"],
    ["users", "/migration/users"], ["user_new", "/migration/users/new"], ["user", "/migration/users/1"],
    ["tokens", "/migration/tokens"], ["settings", "/migration/settings"], ["log_links", `/migration/jobs/${dry}/log-links`], ["workers", "/migration/workers"], ["audit", "/migration/audit"],
    ["audit_none", "/migration/audit?action=nothing-was-done"]);
}

async function violations() {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
}

const beyondTheEdge = () => page.evaluate(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth <= clientWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > clientWidth + 1)
    .map((e) => `${e.tagName}.${e.className} at ${Math.round(e.getBoundingClientRect().right)} of ${clientWidth}`);
});

/** What check() finds on every page and what it found it on; wants nothing. */
async function nothingOn(list, check, what = "") {
  const found = [];
  for (const [name, url] of list) {
    await page.goto(url);
    found.push(...(await check()).map((text) => `${name} ${what}: ${text}`));
  }
  assert.deepEqual(found, []);
}

const inScheme = (scheme) => async () => {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await nothingOn(pages, violations, scheme);
};

const atWidth = (width) => async () => {
  await page.setViewportSize({ width, height: 800 });
  await nothingOn(pages, beyondTheEdge, `${width} px`);
};

const tests = [
  ["axe_finds_nothing_on_the_pages_of_a_newcomer", async () => {
    await nothingOn([["jobs", "/migration/jobs"], ["servers", "/migration/servers"], ["new", "/migration/jobs/new"]],
      violations);
  }],
  ["axe_finds_nothing_in_light", inScheme("light")],
  ["axe_finds_nothing_in_dark", inScheme("dark")],
  ["axe_finds_nothing_in_a_dark_that_was_chosen", async () => {
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto("/migration/jobs");
    const theme = page.getByRole("button", { name: /^Theme/ });
    while (!(await theme.textContent()).includes("dark")) {
      await theme.click();
    }
    await nothingOn(pages, violations, "chosen dark");
    await page.evaluate(() => localStorage.clear());
  }],
  ["axe_finds_nothing_in_the_answer_to_a_refused_form", async () => {
    await page.goto("/migration/jobs/new");
    await page.getByRole("button", { name: "Queue" }).click();
    await page.locator("[aria-invalid]").first().waitFor();
    assert.deepEqual(await violations(), []);
  }],
  ["axe_finds_nothing_in_the_result_of_a_test", async () => {
    for (const [password, kind] of [["not this one", "error"], [stack.env.MAIL_PASSWORD, "success"]]) {
      await page.goto(pages.find(([name]) => name === "server_edit")[1]);
      await page.getByLabel("User", { exact: true }).fill("user");
      await page.getByLabel("Password", { exact: true }).fill(password);
      await page.getByRole("button", { name: "Test" }).click();
      await page.locator(`.test-result.notice-${kind}`).waitFor();
      assert.deepEqual(await violations(), []);
    }
  }],
  ...WIDTHS.map((width) => [`no_page_is_wider_than_${width}_px`, atWidth(width)]),
  ["the_first_tab_stop_skips_to_the_content", async () => {
    await page.goto("/migration/jobs");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  }],
  ["a_column_sorts_the_list_and_says_so", async () => {
    await page.goto("/migration/jobs");
    for (const [order, key] of [["ascending", "asc"], ["descending", "desc"]]) {
      await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
      await page.locator(`th.col-name[aria-sort="${order}"]`).waitFor();
      assert.match(page.url(), new RegExp(`dir=${key}`));
    }
    assert.equal(await page.locator('th[aria-sort="ascending"], th[aria-sort="descending"]').count(), 1);
  }],
  ["what_a_mailbox_says_is_text", async () => {
    await page.goto(pages.find(([name]) => name === "job_running")[1]);
    await page.getByText("<script>alert(1)</script>").waitFor();
    assert.equal(await page.locator("[data-log-text] script").count(), 0);
    await page.goto("/migration/jobs");
    await page.getByText("Reception <b>&amp; hall", { exact: true }).first().waitFor();
  }],
  ["a_one_time_link_gets_into_no_log", async () => {
    const { link } = await post(page, "/migration/users", { email: "invited@example.org", role: "member", account_id: "1" });
    const other = await open(browser, stack);
    await other.goto(link);
    for (const label of ["Password", "Once more"]) {
      await other.getByLabel(label).fill("a password to begin with");
    }
    await other.getByRole("button", { name: "Set the password" }).click();
    await other.getByText("Your password is set").waitFor();
    await other.context().close();
    const secret = link.split("/").at(-1);
    const seen = fs.readFileSync(`${stack.dir}/web/nginx-access.log`, "utf8").split("\n").filter((l) => l.includes(secret));
    assert.deepEqual(seen, []);
  }],
  ["no_page_complained_in_the_console", async () => {
    assert.deepEqual(page.problems.filter((text) => !/999999: .*404|jobs: .*422/.test(text)), []);
  }],
  ["axe_finds_nothing_on_the_sign_in_page", async () => {
    await page.context().clearCookies();
    await nothingOn([["login", "/login"]], violations);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await nothingOn([["login", "/login"]], beyondTheEdge, `${width} px`);
    }
  }],
];

const furnished = tests.map(([name, test], index) =>
  [name, index === 0 ? test : async () => { await furnish(); await test(); }]);

await run(furnished, {
  before: async () => {
    browser = await launch();
    axe = axeSource();
    await stack.start();
    page = await open(browser, stack);
    await signIn(page, stack);
  },
  after: async () => {
    await browser?.close();
    await stack.stop();
  },
});
