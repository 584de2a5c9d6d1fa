// Many mailboxes from one file: by keyboard alone, in a browser without scripts, in light and dark, narrow and wide.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

import { addServers, axeSource, launch, open, signIn } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run, until } from "./tap.mjs";

const HEADER = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword";
const stack = new Stack();
let browser, page, plain, axe, servers;

const row = (user, password = stack.env.MAIL_PASSWORD) =>
  `${servers[0]},${user},"${password}",New mail server,${user},"${password}"`;

const BAD = () => [HEADER, row("user7"), "99,nobody@,,New mail server,user8,x", row("user7"),
  `${servers[0]},${"long-name-".repeat(12)}@example.org,p,${servers[1]},user9,q`].join("\n");

async function violations(of = page) {
  await of.evaluate(axe);
  const found = await of.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
}

/** Press Tab until the element of that role and name has the focus. */
async function tabTo(of, role, name) {
  const target = of.getByRole(role, { name }).first();
  for (let presses = 0; presses < 60; presses += 1) {
    await of.keyboard.press("Tab");
    if (await target.evaluate((e) => e === document.activeElement)) {
      return;
    }
  }
  throw new Error(`the keyboard does not reach the ${role} ${name}`);
}

const focused = (of) => of.evaluate(() => document.activeElement.id);

async function allDone(tag, count) {
  await until(`${count} jobs of ${tag} are done`, () => stack.sql(
    `SELECT COUNT(*) FROM job j JOIN batch b ON b.id = j.batch_id WHERE b.tag = '${tag}' AND j.state = 'done'`)[0][0] ===
    String(count), 120);
}

/** Upload text as a file, and press Preview. */
async function upload(of, text) {
  const file = path.join(stack.dir, "mailboxes.csv");
  fs.writeFileSync(file, text);
  await of.goto("/migration/import");
  await of.getByLabel("CSV file").setInputFiles(file);
  await of.getByRole("button", { name: "Preview" }).click();
}

const tests = [
  ["the_keyboard_alone_imports_and_runs_mailboxes", async () => {
    await page.goto("/migration/jobs");
    await tabTo(page, "link", "Import");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Import many mailboxes" }).waitFor();
    await tabTo(page, "textbox", "or its text");
    await page.keyboard.insertText([HEADER, row("user1"), row("user2")].join("\n"));
    await tabTo(page, "button", "Preview");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Import: 2 rows" }).waitFor();
    await tabTo(page, "textbox", "Batch");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("By keyboard");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "dry_run");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.innerText), "Queue 2 dry runs");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/migration/batches/*");
    await page.getByText("The jobs are queued").waitFor();
    await allDone("By keyboard", 2);
  }],
  ["a_browser_without_scripts_imports_a_file", async () => {
    await upload(plain, [HEADER, row("user3"), row("user4")].join("\r\n"));
    await plain.getByText("Every row can be imported").waitFor();
    await plain.getByLabel("Batch").fill("Without scripts");
    await plain.getByRole("button", { name: "Queue 2 dry runs" }).click();
    await plain.waitForURL("**/migration/batches/*");
    await allDone("Without scripts", 2);
  }],
  ["the_button_says_what_the_box_means", async () => {
    await upload(plain, [HEADER, row("user5")].join("\n"));
    await plain.getByLabel("Dry run").uncheck();
    await plain.getByRole("button", { name: "Queue 1 real run" }).waitFor();
    assert.equal(await plain.getByRole("button", { name: "dry run" }).count(), 0);
    await plain.getByLabel("Dry run").check();
    await plain.getByRole("button", { name: "Queue 1 dry run" }).waitFor();
    await plain.getByRole("button", { name: "Discard" }).click();
    await plain.getByText("The import is discarded").waitFor();
  }],
  ["every_problem_is_shown_and_the_good_rows_can_go_alone", async () => {
    await upload(page, BAD());
    await page.getByRole("heading", { name: "2 rows with problems" }).waitFor();
    const said = await page.getByRole("table", { name: "Problems" }).innerText();
    for (const text of ["Unknown server “99”", "nobody@", "The password is missing", "as in line 2"]) {
      assert.ok(said.includes(text), text);
    }
    assert.equal((await page.content()).includes(stack.env.MAIL_PASSWORD), false);
    const [download] = await Promise.all([page.waitForEvent("download"),
      page.getByRole("link", { name: "Download these rows" }).click()]);
    const csv = fs.readFileSync(await download.path(), "utf8");
    assert.ok(csv.includes("Line 3: sourceServerId: Unknown server"), csv);
    assert.equal(csv.includes(stack.env.MAIL_PASSWORD), false);
    await page.getByLabel("Batch").fill("no/slash");
    await page.getByRole("button", { name: "Queue 2 dry runs" }).click();
    await page.locator("#tag-error").waitFor();
    assert.equal(await page.getByLabel("Batch").inputValue(), "no/slash");
    await page.getByLabel("Batch").fill("Good ones");
    await page.getByRole("button", { name: "Queue 2 dry runs" }).click();
    await page.waitForURL("**/migration/batches/*");
  }],
  ["a_refused_file_is_answered_with_its_reason", async () => {
    await upload(page, "sourceserverid,x\n1,2");
    await page.getByRole("alert").getByText("Write it “sourceServerId”").waitFor();
  }],
  ...["light", "dark"].map((scheme) => [`axe_finds_nothing_and_nothing_is_too_wide_in_${scheme}`, async () => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    const states = [["form", () => page.goto("/migration/import")],
      ["refused", () => upload(page, `a,b\n${"x".repeat(200)},2`)], ["preview", () => upload(page, BAD())]];
    for (const [name, reach] of states) {
      await reach();
      assert.deepEqual(await violations(), [], name);
      for (const width of [360, 400, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(beyond <= 0, `${name} at ${width} px: ${beyond} px too wide`);
        if (process.env.MCV_E2E_PICTURES) {
          await page.screenshot({ path: `${process.env.MCV_E2E_PICTURES}/import-${name}-${scheme}-${width}.png`, fullPage: true });
        }
      }
    }
  }]),
  ["no_page_complained_in_the_console", async () => {
    assert.deepEqual([...page.problems, ...plain.problems].filter((text) => !/import.*422/.test(text)), []);
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
    plain = await open(browser, stack, { javaScriptEnabled: false });
    await signIn(plain, stack);
  },
  after: async () => {
    await browser?.close();
    await stack.stop();
  },
});
