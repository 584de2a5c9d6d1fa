// The tasks a person does, written once: with and without JavaScript they are the same forms and links.
import { ok, waitFor } from "./lib.mjs";

const ENDED = /Done|Failed|Cancelled|Interrupted/;

export async function addServer(world, page, { name, host, port, security = "tls", verify = true }) {
  await page.goto(`${world.stack.url}/migration/servers/new`);
  await page.fill("#name", name);
  await page.fill("#host", host);
  await page.check(`#security-${security}`);
  await page.fill("#port", String(port));
  await page.setChecked("#verify", verify);
  await page.click("main button.primary");
  await page.waitForURL(/\/migration\/servers(\?.*)?$/);
  ok(await page.getByRole("link", { name, exact: true }).count() === 1, `${name} is in the list`);
}

/** Type user and password into the server's form and press Test; the result's text. */
export async function testServer(world, page, name, user, password) {
  await page.goto(`${world.stack.url}/migration/servers`);
  await page.getByRole("link", { name, exact: true }).click();
  await page.waitForURL(/\/migration\/servers\/\d+/);
  await page.fill("#user", user);
  await page.fill("#password", password);
  await page.click('[data-test="server"]');
  await page.waitForSelector(".test-result");
  return page.innerText(".test-result");
}

export async function newJob(world, page, { source, sourceUser, destination, destUser, password, name, dryRun = true }) {
  await page.goto(`${world.stack.url}/migration/jobs/new`);
  await page.selectOption("#source_server_id", { label: await optionLike(page, "#source_server_id", source) });
  await page.fill("#source_user", sourceUser);
  await page.fill("#source_password", password ?? world.stack.env.MAIL_PASSWORD);
  await page.selectOption("#dest_server_id", { label: await optionLike(page, "#dest_server_id", destination) });
  await page.fill("#dest_user", destUser);
  await page.fill("#dest_password", world.stack.env.MAIL_PASSWORD);
  await page.fill("#name", name);
  ok(await page.isChecked("#dry_run"), "dry run is on by default");
  await page.setChecked("#dry_run", dryRun);
  await page.click("main button.primary");
  await page.waitForURL(/\/migration\/jobs\/\d+/);
  return jobId(page);
}

async function optionLike(page, selector, name) {
  const labels = await page.$$eval(`${selector} option`, (options) => options.map((o) => o.label));
  const label = labels.find((l) => l.trim().startsWith(name));
  ok(label, `${name} can be chosen`);
  return label;
}

export function jobId(page) {
  return Number(/\/migration\/jobs\/(\d+)/.exec(page.url())[1]);
}

export async function stateOf(page) {
  return (await page.innerText("[data-job-page] [data-field=state_text]")).trim();
}

/** Stay on the job's page until it has ended: by itself with JavaScript, by reloading without. */
export async function watchToEnd(page, { reload = false } = {}) {
  await waitFor("the job ends", async () => {
    if (reload) {
      await page.reload();
    }
    try {
      return ENDED.test(await stateOf(page)) && await page.locator(".outcome").count() === 1;
    } catch {
      return false; // the page was being replaced
    }
  });
  return stateOf(page);
}

/** The log as the page shows it, without its line numbers. */
export async function shownLog(page) {
  return page.$eval("[data-log-text]", (pre) => {
    const lines = [...pre.querySelectorAll(".line")];
    return lines.length > 0 ? lines.map((line) => line.lastChild.data).join("\n") : pre.textContent;
  });
}

export async function cancelJob(page) {
  await page.getByRole("link", { name: "Cancel…" }).click();
  await page.waitForURL(/\/cancel$/);
  const effect = await page.innerText("main");
  await page.click("main form button");
  await page.waitForURL(/\/migration\/jobs\/\d+(\?.*)?$/);
  return effect;
}

export async function deleteJob(world, page, id) {
  await page.goto(`${world.stack.url}/migration/jobs/${id}/delete`);
  await page.fill("#confirm", "delete");
  await page.click("main form button");
  await page.waitForURL(/\/migration\/jobs(\?.*)?$/);
}
