// In a frame of a control panel on another site, over TLS, third-party cookies forbidden: listed panels alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import os from "node:os";
import path from "node:path";

import { axeSource, launch, open } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run } from "./tap.mjs";

const HOSTS = ["mail.test", "panel.test", "billing.test", "evil.test"];
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "mcv-embed-"));
const stack = new Stack();
const at = {};
const servers = [];
let browser, page;

function listen(host, tls, answer) {
  return new Promise((resolve) => {
    const server = https.createServer(tls, answer).listen(0, "127.0.0.1", () => {
      servers.push(server);
      at[host] = `https://${host}:${server.address().port}`;
      resolve(server);
    });
  });
}

/** The TLS server in front, which an installation has in nginx. */
const forward = (request, answer) => {
  const url = new URL(stack.env.URL);
  request.pipe(http.request({ host: url.hostname, port: url.port, path: request.url, method: request.method,
    headers: request.headers }, (got) => {
    answer.writeHead(got.statusCode, got.rawHeaders);
    got.pipe(answer);
  }));
};

/** A page of a control panel with one menu entry and a frame below it: "/?", and what the frame is to show. */
const panel = (request, answer) => {
  const wanted = new URL(request.url, "https://x").searchParams;
  const src = `${at["mail.test"]}${wanted.get("at") ?? "/"}`;
  answer.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
  answer.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A control panel</title>
    <style>body { margin: 0; font: 1rem sans-serif } h1 { margin: 0; padding: .5rem 1rem; background: #123; color: #fff;
    font-size: 1rem } iframe { border: 0; width: 100%; height: 85vh; display: block }</style>
    <h1>A control panel</h1><iframe name="mail" title="Migration" src="${src.replace(/"/g, "&quot;")}"></iframe>
    <form method="post" target="${wanted.get("target") ?? "mail"}" action="${at["mail.test"]}/migration/servers">
    <input type="hidden" name="name" value="Planted"><input type="hidden" name="host" value="imap.example.org">
    <input type="hidden" name="port" value="993"><input type="hidden" name="security" value="tls">
    <button>Plant</button></form></html>`);
};

const frame = () => page.frame({ name: "mail" });

async function show(host, where) {
  await page.goto(`${at[host]}/?at=${encodeURIComponent(where)}`, { waitUntil: "load" });
}

/** Whether the frame shows a page of ours; of a refused one the browser must have told why. */
async function isShown() {
  const [, inner] = page.frames();
  if (await inner.evaluate(() => document.querySelector("main#main") !== null)) {
    return true;
  }
  assert.match(page.problems.splice(0).join("\n"), /frame-ancestors/);
  return false;
}

/** Sign in within the frame, as a person does it. */
async function signInFramed() {
  await page.context().clearCookies();
  await show("panel.test", "/login?embed=1");
  await frame().getByLabel("E-mail address").fill(stack.env.ADMIN_EMAIL);
  await frame().getByLabel("Password").fill(stack.env.ADMIN_PASSWORD);
  await frame().getByRole("button", { name: "Sign in" }).click();
  await frame().getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
}

async function violations() {
  await frame().evaluate(axeSource());
  const found = await frame().evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
}

const tests = [
  ["a_listed_panel_shows_us_and_another_does_not", async () => {
    for (const [host, want] of [["panel.test", true], ["evil.test", false], ["billing.test", false]]) {
      await show(host, "/login");
      assert.equal(await isShown(), want, host);
    }
  }],
  ["who_signs_in_inside_the_frame_stays_signed_in_there", async () => {
    await signInFramed();
    await frame().getByRole("link", { name: "Servers" }).click();
    await frame().getByRole("heading", { level: 1, name: "Servers" }).waitFor();
    await show("panel.test", "/migration/jobs");
    await frame().getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    const kept = (await page.context().cookies(at["mail.test"])).find(({ name }) => name === "__Host-mailconvoy");
    assert.deepEqual([kept.sameSite, kept.secure, kept.httpOnly], ["None", true, true]);
  }],
  ["the_session_of_one_panels_frame_is_none_in_a_window_or_elsewhere", async () => {
    await signInFramed();
    const other = await page.context().newPage();
    await other.goto(`${at["mail.test"]}/migration/jobs`);
    await other.getByRole("button", { name: "Sign in" }).waitFor();
    await other.close();
    await show("evil.test", "/migration/jobs");
    assert.equal(await isShown(), false);
  }],
  ["links_and_forms_in_the_frame_keep_our_chrome_away", async () => {
    await signInFramed();
    for (const name of ["Servers", "Import", "Jobs"]) {
      await frame().getByRole("link", { name, exact: true }).first().click();
      await frame().locator("h1").filter({ hasText: new RegExp(name) }).waitFor();
      assert.equal(await frame().locator("header.top, footer").count(), 0, name);
    }
    await frame().getByRole("link", { name: "Servers", exact: true }).first().click();
    await frame().getByRole("link", { name: /Add a server|Add server/ }).first().click();
    await frame().getByLabel("Name").fill("From the frame");
    await frame().getByLabel("Host").fill("imap.example.org");
    await frame().getByRole("button", { name: /Save|Add/ }).first().click();
    await frame().getByText("The server is added.").waitFor();
    assert.equal(await frame().locator("header.top, footer").count(), 0);
  }],
  ["a_form_of_the_panel_itself_plants_nothing_with_the_frames_cookie", async () => {
    await signInFramed();
    const count = () => stack.sql("SELECT COUNT(*) FROM server WHERE name = 'Planted'")[0][0];
    await page.getByRole("button", { name: "Plant" }).click();
    await frame().getByText("This form is too old, or came from elsewhere").waitFor();
    assert.equal(count(), "0");
  }],
  ["axe_finds_nothing_in_the_frame_and_nothing_is_wider", async () => {
    await signInFramed();
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1280, 400]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: 800 });
        for (const where of ["/migration/jobs", "/migration/servers", "/migration/jobs/new", "/migration/jobs/999999"]) {
          await show("panel.test", where);
          await frame().locator("main#main").waitFor();
          assert.deepEqual([where, colorScheme, width, await violations()], [where, colorScheme, width, []]);
          assert.equal(await frame().evaluate(() => document.documentElement.scrollWidth <=
            document.documentElement.clientWidth), true, `${where} at ${width}`);
          if (process.env.MCV_SCREENSHOTS) {
            await page.screenshot({ path: path.join(process.env.MCV_SCREENSHOTS,
              `embed-${where.split("/").at(-1)}-${colorScheme}-${width}.png`) });
          }
        }
      }
    }
  }],
];

await run(tests, {
  before: async () => {
    browser = await launch(["--host-resolver-rules=MAP *.test 127.0.0.1", "--test-third-party-cookie-phaseout"]);
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      path.join(dir, "key"), "-out", path.join(dir, "pem"), "-days", "2", "-subj", "/CN=mail.test", "-addext",
      `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(",")}`], { stdio: "ignore" });
    const tls = { key: fs.readFileSync(path.join(dir, "key")), cert: fs.readFileSync(path.join(dir, "pem")) };
    await listen("mail.test", tls, forward);
    for (const host of HOSTS.slice(1)) {
      await listen(host, tls, panel);
    }
    await stack.start({ base_url: at["mail.test"], panel_origins: [at["panel.test"]] });
    page = await open(browser, stack, { ignoreHTTPSErrors: true });
  },
  after: async () => {
    await browser?.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    fs.rmSync(dir, { recursive: true, force: true });
    await stack.stop();
  },
});
