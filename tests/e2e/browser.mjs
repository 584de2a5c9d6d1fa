// Chromium, and what every page must keep: no error in the console, nothing against the Content-Security-Policy.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";

import { Skip } from "./tap.mjs";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
  ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];

const modules = () => createRequire(`${process.env.MCV_NODE_MODULES}/x`);

/** Chromium, with more arguments; throws Skip when it or its driver is missing. */
export async function launch(more = []) {
  if (!process.env.MCV_NODE_MODULES || !fs.existsSync(`${process.env.MCV_NODE_MODULES}/playwright-core`)) {
    throw new Skip("playwright-core is not installed (MCV_NODE_MODULES; ./check installs it)");
  }
  if (!fs.existsSync(CHROMIUM)) {
    throw new Skip(`there is no ${CHROMIUM}`);
  }
  const { chromium } = modules()("playwright-core");
  return chromium.launch({ executablePath: CHROMIUM, args: [...ARGS, ...more], headless: true });
}

export const axeSource = () => fs.readFileSync(modules().resolve("axe-core/axe.min.js"), "utf8");

/** A context and its page; page.problems collects what the console and the policy complain of. */
export async function open(browser, stack, options = {}) {
  const context = await browser.newContext({ baseURL: stack.env.URL, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(120000);
  const page = await context.newPage();
  page.problems = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      page.problems.push(`${page.url()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => page.problems.push(`${page.url()}: ${error}`));
  return page;
}

export async function signIn(page, stack) {
  await page.goto("/login");
  await page.getByLabel("E-mail address").fill(stack.env.ADMIN_EMAIL);
  await page.getByLabel("Password").fill(stack.env.ADMIN_PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/migration/jobs*");
}

/** The id in the address of a job's page. */
export const jobId = (page) => Number(/\/migration\/jobs\/(\d+)/.exec(page.url())[1]);

/** POST a form in the browser's session, and the JSON answer: what a test needs but does not test. */
export async function post(page, url, fields) {
  const token = await page.locator('meta[name="csrf-token"]').getAttribute("content");
  const answer = await page.request.post(url, {
    form: fields,
    headers: { Accept: "application/json", "X-CSRF-Token": token, Origin: new URL(page.url()).origin },
  });
  if (!answer.ok()) {
    throw new Error(`${url}: ${answer.status()} ${await answer.text()}`);
  }
  return answer.json();
}

/** Ids of the two servers of the stack, made without the pages. */
export async function addServers(page, stack) {
  const ids = [];
  for (const [name, side] of [["Old mail server", "SRC"], ["New mail server", "DST"]]) {
    const made = await post(page, "/migration/servers",
      { name, host: stack.env[`${side}_HOST`], port: stack.env[`${side}_PORT`], security: "tls", verify: "1" });
    ids.push(made.server.id);
  }
  return ids;
}

/** The id of a new job of user (on both sides), made without the pages. */
export async function addJob(page, stack, [source, destination], user, fields = {}) {
  const made = await post(page, "/migration/jobs", {
    source_server_id: source, source_user: user, source_password: stack.env.MAIL_PASSWORD,
    dest_server_id: destination, dest_user: user, dest_password: stack.env.MAIL_PASSWORD,
    dry_run_present: "1", name: "", request_key: randomBytes(16).toString("hex"),
    ...fields,
  });
  return made.job.id;
}
