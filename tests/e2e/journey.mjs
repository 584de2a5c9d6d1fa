// One migration from the first sign-in to its deletion, as a person does it: with JavaScript and without.
import assert from "node:assert/strict";
import fs from "node:fs";

import { jobId, launch, open, signIn } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run, until } from "./tap.mjs";

const stack = new Stack();
let browser, page, withJs, dryJob, realJob;

const result = (side) => page.locator(`[data-test-result="${side}"] .test-result`);
const state = () => page.locator("[data-job-page]").getAttribute("data-state");
const outcome = () => page.getByRole("region", { name: "Outcome" });
const refused = (status) => {
  page.problems = page.problems.filter((text) => !text.includes(String(status)));
};

async function testServer(user, password, title) {
  await page.getByLabel("User", { exact: true }).fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Test" }).click();
  await page.locator(".test-result strong", { hasText: title }).waitFor();
}

async function fillServer(name, host, port) {
  await page.goto("/migration/servers");
  await page.getByRole("link", { name: "Add a server" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Host").fill(host);
  await page.getByLabel("Port").fill(String(port));
}

/** Do what leads to another job's page; that job's id. */
async function toNewJob(action) {
  const before = new URL(page.url()).pathname.replace(/\/edit$/, "");
  await action();
  await page.waitForURL((url) => /\/migration\/jobs\/\d+$/.test(url.pathname) && url.pathname !== before);
  return jobId(page);
}

/** Watch the job's page until it ends in that state. */
async function ended(want) {
  await until(`the job ends`, async () => {
    if (!withJs && (await page.getByRole("link", { name: "Refresh", exact: true }).isVisible())) {
      await page.getByRole("link", { name: "Refresh", exact: true }).click();
    }
    return outcome().isVisible();
  });
  assert.equal(await state(), want);
}

/** Change the source's sign-in of the job on the page. */
async function editSource(label, value) {
  await page.getByLabel(label, { exact: true }).first().fill(value);
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
}

const runAgain = (kind) => toNewJob(() => page.getByRole("button", { name: kind }).last().click());

const tests = [
  ["a_wrong_password_is_told_from_a_stranger", async () => {
    await page.goto("/login");
    await page.getByLabel("E-mail address").fill(stack.env.ADMIN_EMAIL);
    await page.getByLabel("Password", { exact: true }).fill("not this one");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "");
    assert.equal(await page.getByLabel("E-mail address").inputValue(), stack.env.ADMIN_EMAIL);
    refused(401);
  }],
  ["the_first_page_leads_to_the_first_server", async () => {
    await signIn(page, stack);
    await page.getByRole("link", { name: "Add the server you move from" }).click();
    await page.waitForURL("**/migration/servers/new");
  }],
  ["a_preset_fills_the_form", async () => {
    await page.getByRole("link", { name: /Gmail|Google/ }).click();
    assert.equal(await page.getByLabel("Host").inputValue(), "imap.gmail.com");
    assert.equal(await page.getByLabel("Port").inputValue(), "993");
  }],
  ["a_test_tells_a_wrong_password", async () => {
    await fillServer("Old mail server", stack.env.SRC_HOST, stack.env.SRC_PORT);
    await testServer("user", "not this one", /password/);
  }],
  ["a_test_tells_a_certificate_of_another_name", async () => {
    await page.getByLabel("Host").fill("127.0.0.1");
    await testServer("user", stack.env.MAIL_PASSWORD, /name/);
  }],
  ["a_test_tells_an_untrusted_certificate", async () => {
    await page.getByLabel("Host").fill("localhost");
    await page.getByLabel("Port").fill(String(await stack.stranger()));
    await testServer("user", stack.env.MAIL_PASSWORD, /signed by itself/);
  }],
  ["a_good_test_says_what_the_server_holds", async () => {
    await page.getByLabel("Port").fill(stack.env.SRC_PORT);
    await testServer("user", stack.env.MAIL_PASSWORD, /^Signed in$/);
    assert.match(await result("server").textContent(), /Folders/);
  }],
  ["both_servers_are_saved", async () => {
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("link", { name: "Old mail server", exact: true }).waitFor();
    await fillServer("New mail server", stack.env.DST_HOST, stack.env.DST_PORT);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("link", { name: "New mail server", exact: true }).waitFor();
  }],
  ["a_refused_job_comes_back_filled_in_but_for_passwords", async () => {
    await page.goto("/migration/jobs/new");
    await page.getByLabel("User", { exact: true }).first().fill("user");
    await page.getByLabel("Password", { exact: true }).first().fill("a secret word");
    await page.getByRole("button", { name: "Queue" }).click();
    await page.locator("[aria-invalid]").first().waitFor();
    assert.equal(await page.getByLabel("User", { exact: true }).first().inputValue(), "user");
    assert.ok(!(await page.content()).includes("a secret word"));
    refused(422);
  }],
  ["sign_ins_are_tested_before_the_job_is_queued", async () => {
    const sides = [["source", "Old mail server"], ["dest", "New mail server"]];
    const fill = async (side) => {
      await page.locator(`#${side}_user`).fill("user");
      await page.locator(`#${side}_password`).fill(stack.env.MAIL_PASSWORD);
    };
    await page.goto("/migration/jobs/new");
    for (const [side, name] of sides) {
      const group = page.locator(`[data-side="${side}"]`);
      const choice = await group.locator("option", { hasText: name }).getAttribute("value");
      await group.getByLabel("Server").selectOption(choice);
      await fill(side);
      await group.getByRole("button", { name: "Test" }).click();
      await result(side).and(page.locator(".notice-success")).waitFor();
    }
    // A page that was sent again never holds a password.
    for (const [side] of withJs ? [] : sides) {
      assert.equal(await page.locator(`#${side}_password`).inputValue(), "");
      await fill(side);
    }
  }],
  ["a_dry_run_is_the_default_and_says_what_would_move", async () => {
    assert.ok(await page.getByLabel(/Dry run/).isChecked());
    await page.getByRole("button", { name: "Queue" }).click();
    await page.waitForURL(/\/migration\/jobs\/\d+/);
    dryJob = jobId(page);
    await ended("done");
    assert.match(await outcome().textContent(), /Messages to copy\s*130/);
    assert.match(await outcome().textContent(), /Largest message\s*19\.\d MiB|20\.\d MiB/);
    assert.equal(stack.sql(`SELECT dry_run FROM job WHERE id = ${dryJob}`)[0][0], "1");
  }],
  ["run_real_is_the_next_step_and_moves_every_message", async () => {
    realJob = await toNewJob(() => outcome().getByRole("button", { name: "Run real" }).click());
    await ended("done");
    assert.match(stack.sameMail("user"), /messages are the same$/);
  }],
  ["the_log_on_the_page_is_the_log_in_the_database", async () => {
    const start = Number(await page.locator("[data-tail]").getAttribute("data-start"));
    const shown = withJs
      ? await page.locator("[data-log-text] .line").evaluateAll((rows) => rows.map((row) => row.lastChild.data).join("\n"))
      : await page.locator("[data-log-text]").textContent();
    // In HTML a CR LF is one line break, and that is all a reader sees of it.
    const asRead = (text) => text.replaceAll("\r\n", "\n").replace(/\n$/, "");
    const stored = stack.logBytes(realJob).subarray(start).toString("utf8");
    assert.equal(asRead(shown), asRead(stored));
  }],
  ["the_download_is_the_database_byte_for_byte", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"),
      page.getByRole("link", { name: "Download" }).click()]);
    assert.match(download.suggestedFilename(), /\.log$/);
    const saved = fs.readFileSync(await download.path());
    assert.ok(saved.length > 1000);
    assert.ok(saved.equals(stack.logBytes(realJob)), "the download differs from the database");
  }],
  ["the_two_runs_name_each_other", async () => {
    await page.getByText("Came from").getByRole("link").click();
    await page.waitForURL(`**/migration/jobs/${dryJob}`);
    await page.getByText("Led to").getByRole("link").click();
    await page.waitForURL(`**/migration/jobs/${realJob}`);
  }],
  ["a_failed_sign_in_leads_to_the_edit_page_and_then_works", async () => {
    await page.goto(`/migration/jobs/${dryJob}/edit`);
    await editSource("Password", "not this one");
    await runAgain("Dry run");
    await ended("failed");
    assert.match(await outcome().textContent(), /refused/);
    await outcome().getByRole("link").click();
    await page.waitForURL("**/edit*");
    await editSource("Password", stack.env.MAIL_PASSWORD);
    await runAgain("Dry run");
    await ended("done");
  }],
  ["a_running_job_is_cancelled_and_run_again", async () => {
    stack.lead("puppet-slow", "begins\n");
    await page.goto(`/migration/jobs/${dryJob}/edit`);
    await editSource("User", "puppet-slow");
    const slow = await runAgain("Run real");
    await until("it runs", async () => {
      if (!withJs) {
        await page.reload();
      }
      return page.getByText("begins").isVisible();
    });
    await page.getByRole("link", { name: "Cancel…" }).click();
    await page.locator("main form button").click();
    await page.waitForURL(`**/migration/jobs/${slow}*`);
    await ended("cancelled");
    stack.lead("puppet-slow", "", 1);
    await runAgain("Run real");
    await ended("failed");
  }],
  ["a_job_is_deleted_by_typing_the_word", async () => {
    const gone = jobId(page);
    await page.getByRole("link", { name: "Delete…" }).click();
    await page.getByLabel(/^Type/).fill("something else");
    await page.locator("main form button").click();
    await page.locator("[aria-invalid]").waitFor();
    refused(422);
    await page.getByLabel(/^Type/).fill("delete");
    await page.locator("main form button").click();
    await page.waitForURL(/\/migration\/jobs(\?|$)/);
    await page.locator(".notice-success").waitFor();
    assert.deepEqual(stack.sql(`SELECT id FROM job WHERE id = ${gone}`), []);
    assert.deepEqual(stack.sql(`SELECT start FROM job_log WHERE job_id = ${gone}`), []);
  }],
  ["a_sign_out_ends_the_session", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.goto("/migration/jobs");
    await page.waitForURL("**/login*");
  }],
  ["no_page_complained_in_the_console", async () => {
    assert.deepEqual(page.problems, []);
  }],
];

const onlyWithJs = [
  ["a_new_job_is_called_as_its_mailbox_until_it_is_named", async () => {
    await page.goto("/migration/jobs/new");
    const [name, user] = [page.locator("#name"), page.locator("#source_user")];
    await user.fill("first@example.org");
    assert.equal(await name.inputValue(), "first@example.org");
    await name.fill("Reception");
    await user.fill("second@example.org");
    assert.equal(await name.inputValue(), "Reception");
  }],
  ["another_security_brings_its_usual_port", async () => {
    await page.getByLabel(/^STARTTLS/).check();
    assert.equal(await page.getByLabel("Port").inputValue(), "143");
    await page.getByLabel(/^SSL\/TLS/).check();
    assert.equal(await page.getByLabel("Port").inputValue(), "993");
  }],
];

export async function journey({ javaScript }) {
  withJs = javaScript;
  if (withJs) {
    const [naming, usualPort] = onlyWithJs;
    tests.splice(3, 0, usualPort);
    tests.splice(tests.findIndex(([name]) => name === "a_refused_job_comes_back_filled_in_but_for_passwords"), 0, naming);
  }
  await run(tests, {
    before: async () => {
      browser = await launch();
      await stack.start();
      page = await open(browser, stack, { javaScriptEnabled: withJs });
    },
    after: async () => {
      await browser?.close();
      await stack.stop();
    },
  });
}
