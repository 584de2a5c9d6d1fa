// One migration as a person does it, in a browser with JavaScript.
import fs from "node:fs";
import { equal, ok, run, signIn, waitFor } from "./lib.mjs";
import {
  addServer, cancelJob, deleteJob, jobId, newJob, shownLog, stateOf, testServer, watchToEnd,
} from "./tasks.mjs";

let page;
const jobs = {};

async function signsInAndIsTaughtTheFirstStep(world) {
  page = await world.newPage();
  world.page = page;
  await signIn(world, page);
  ok((await page.innerText("main")).includes("Add the server you move from"), "an empty panel teaches");
}

async function addsBothServers(world) {
  const { env } = world.stack;
  await addServer(world, page, { name: "Old server", host: env.SRC_HOST, port: env.SRC_PORT });
  await addServer(world, page, { name: "New server", host: env.DST_HOST, port: env.DST_PORT });
  await addServer(world, page, { name: "Wrong name", host: "127.0.0.1", port: env.DST_PORT });
}

async function testsAServerWithTheRightPassword(world) {
  const text = await testServer(world, page, "Old server", "user", world.stack.env.MAIL_PASSWORD);
  ok(/Folders\s+\d+/.test(text), `folders are reported: ${text}`);
  equal(await page.locator(".test-result.notice-success").count(), 1, "it is a success");
}

async function isToldThatThePasswordIsWrong(world) {
  const text = await testServer(world, page, "Old server", "user", "not the password");
  ok(/password/i.test(text), `the cause is named: ${text}`);
  equal(await page.locator(".test-result.notice-error").count(), 1, "it is a failure");
  equal(await page.inputValue("#user"), "user", "the form keeps what was typed");
}

async function isToldThatTheCertificateIsForAnotherName(world) {
  const text = await testServer(world, page, "Wrong name", "user", world.stack.env.MAIL_PASSWORD);
  ok(/certificate/i.test(text) && /name/i.test(text), `the cause is named: ${text}`);
}

async function isRefusedAJobWithoutPasswordsAndKeepsTheRest(world) {
  await page.goto(`${world.stack.url}/migration/jobs/new`);
  await page.fill("#source_user", "someone");
  await page.click("main button.primary");
  await page.waitForSelector("#source_password-error");
  equal(await page.inputValue("#source_user"), "someone", "what was typed is kept");
  equal(await page.inputValue("#source_password"), "", "no password comes back");
}

async function runsADryRunThatChangesNothing(world) {
  jobs.dry = await newJob(world, page, {
    source: "Old server", sourceUser: "user", destination: "New server", destUser: "user", name: "First mailbox" });
  equal(await watchToEnd(page), "Done", "the dry run's end");
  ok(/would copy \d+ messages/.test(await page.innerText(".outcome")), "it says what a real run would do");
  equal(Number(world.stack.look("count", "user")), 0, "messages on the destination");
}

async function watchesTheRealRunAndItsLogGrow(world) {
  // The destination falls silent, so that the run is seen under way.
  world.stack.silence("DST");
  await page.click(".outcome button.primary");
  await page.waitForURL((url) => !url.pathname.endsWith(`/${jobs.dry}`) && /\/jobs\/\d+$/.test(url.pathname));
  jobs.real = jobId(page);
  const early = await waitFor("the log's first lines", async () => {
    const text = await shownLog(page);
    return text.includes("PID is") && text;
  });
  await waitFor("the state says so", async () => await stateOf(page) === "Running");
  ok(!await page.locator(".outcome").count(), "no outcome yet");
  world.stack.resume("DST");
  equal(await watchToEnd(page), "Done", "the real run's end");
  const stored = world.stack.look("log", String(jobs.real)).toString().replaceAll("\r\n", "\n");
  ok(stored.startsWith(early.replaceAll("\r\n", "\n").replace(/\n$/, "")), "what was shown early is the log's beginning, once");
}

function difference(shown, stored) {
  let at = 0;
  while (at < shown.length && shown[at] === stored[at]) {
    at += 1;
  }
  return `the log is shown as it is stored: at ${at} of ${stored.length} ${JSON.stringify(shown.slice(at - 40, at + 40))}, `
    + `stored ${JSON.stringify(stored.slice(at - 40, at + 40))}`;
}

async function showsEveryByteOfTheLogOnce(world) {
  await page.goto(`${world.stack.url}/migration/jobs/${jobs.dry}`);
  // In HTML a CR LF is one line break, and that is all a reader sees of it.
  const stored = world.stack.look("log", String(jobs.dry)).toString().replaceAll("\r\n", "\n");
  let shown = "";
  await waitFor(() => difference(shown, stored), async () => {
    shown = `${await shownLog(page)}\n`.replaceAll("\r\n", "\n");
    return shown === stored;
  }, 15000);
}

async function downloadsTheLogByteForByte(world) {
  await page.goto(`${world.stack.url}/migration/jobs/${jobs.real}`);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  ok(download.suggestedFilename().endsWith(".log"), download.suggestedFilename());
  const got = fs.readFileSync(await download.path());
  ok(got.equals(world.stack.look("log", String(jobs.real))), "the download is what the database has");
  ok(!got.includes(world.stack.env.MAIL_PASSWORD), "no password in it");
}

async function findsEveryMessageOnTheDestination(world) {
  if (!world.stack.isEngine) {
    process.env.MCV_LOOSE = "1";
  }
  ok(Number(world.stack.look("same", "user", "user")) > 100, "messages compared");
}

async function cancelsARunningJob(world) {
  world.stack.silence("DST");
  await newJob(world, page, {
    source: "Old server", sourceUser: "user", destination: "New server", destUser: "user2", name: "To be cancelled", dryRun: false });
  jobs.cancelled = jobId(page);
  await waitFor("it runs", async () => await stateOf(page) === "Running");
  // The actions are the server's to render: look again.
  await page.reload();
  ok(/stop/i.test(await cancelJob(page)), "the confirmation says what will happen");
  equal(await watchToEnd(page), "Cancelled", "the state after");
  world.stack.resume("DST");
}

async function rerunsItForReal(world) {
  await page.goto(`${world.stack.url}/migration/jobs/${jobs.cancelled}`);
  await page.getByRole("button", { name: "Run real" }).first().click();
  await page.waitForURL((url) => /\/jobs\/\d+$/.test(url.pathname) && !url.pathname.endsWith(`/${jobs.cancelled}`));
  equal(await watchToEnd(page), "Done", "the rerun's end");
  ok((await page.innerText("main")).includes("Came from"), "its lineage is shown");
}

async function editsAndRunsAgain(world) {
  const id = await newJob(world, page, {
    source: "Old server", sourceUser: "user", destination: "New server", destUser: "user", password: "wrong", name: "To be edited" });
  equal(await watchToEnd(page), "Failed", "with a wrong password");
  ok(/refused the password/i.test(await page.innerText(".outcome")), "the cause");
  await page.click(".outcome .button.primary");
  await page.waitForURL(/\/edit$/);
  equal(await page.inputValue("#source_user"), "user", "the user is filled in");
  equal(await page.inputValue("#source_password"), "", "the password is not");
  await page.fill("#source_password", world.stack.env.MAIL_PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL((url) => url.pathname.endsWith(`/jobs/${id}`));
  await page.getByRole("button", { name: "Dry run" }).first().click();
  await page.waitForURL((url) => /\/jobs\/\d+$/.test(url.pathname) && !url.pathname.endsWith(`/${id}`));
  equal(await watchToEnd(page), "Done", "after the edit");
}

async function deletesOnlyAfterTheWordIsTyped(world) {
  await page.goto(`${world.stack.url}/migration/jobs/${jobs.cancelled}/delete`);
  await page.fill("#confirm", "no");
  await page.click("main form button");
  await page.waitForSelector("#confirm-error");
  await deleteJob(world, page, jobs.cancelled);
  const answer = await page.goto(`${world.stack.url}/migration/jobs/${jobs.cancelled}`);
  equal(answer.status(), 404, "its page");
  equal(world.stack.look("log", String(jobs.cancelled)).length, 0, "its log");
}

async function listRefreshesInPlace(world) {
  world.stack.silence("DST");
  await newJob(world, page, {
    source: "Old server", sourceUser: "user", destination: "New server", destUser: "user3", name: "Watched", dryRun: true });
  const id = jobId(page);
  await page.goto(`${world.stack.url}/migration/jobs`);
  const row = page.locator(`tr[data-job="${id}"]`);
  await page.focus("#q");
  await page.fill("#q", "half a wor");
  await waitFor("the row says Running", async () => (await row.innerText()).includes("Running"));
  world.stack.resume("DST");
  await waitFor("the row says Done", async () => (await row.innerText()).includes("Done"));
  equal(await page.inputValue("#q"), "half a wor", "what is being typed");
  equal(await page.evaluate(() => document.activeElement.id), "q", "the focus");
}

async function signsOutForGood(world) {
  const old = await page.context().cookies();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/login/);
  await page.context().addCookies(old);
  await page.goto(`${world.stack.url}/migration/jobs`);
  ok(/\/login/.test(page.url()), "the old cookie opens nothing");
}

async function noScriptComplained() {
  equal(page.complaints.join("\n"), "", "complaints of the browser");
}

run([
  ["signs_in_and_is_taught_the_first_step", signsInAndIsTaughtTheFirstStep],
  ["adds_both_servers", addsBothServers],
  ["tests_a_server_with_the_right_password", testsAServerWithTheRightPassword],
  ["is_told_that_the_password_is_wrong", isToldThatThePasswordIsWrong],
  ["is_told_that_the_certificate_is_for_another_name", isToldThatTheCertificateIsForAnotherName],
  ["is_refused_a_job_without_passwords_and_keeps_the_rest", isRefusedAJobWithoutPasswordsAndKeepsTheRest],
  ["runs_a_dry_run_that_changes_nothing", runsADryRunThatChangesNothing],
  ["watches_the_real_run_and_its_log_grow", watchesTheRealRunAndItsLogGrow],
  ["shows_every_byte_of_the_log_once", showsEveryByteOfTheLogOnce],
  ["downloads_the_log_byte_for_byte", downloadsTheLogByteForByte],
  ["finds_every_message_on_the_destination", findsEveryMessageOnTheDestination],
  ["cancels_a_running_job", cancelsARunningJob],
  ["reruns_it_for_real", rerunsItForReal],
  ["edits_and_runs_again", editsAndRunsAgain],
  ["deletes_only_after_the_word_is_typed", deletesOnlyAfterTheWordIsTyped],
  ["list_refreshes_in_place", listRefreshesInPlace],
  ["signs_out_for_good", signsOutForGood],
  ["no_script_complained", noScriptComplained],
]);
