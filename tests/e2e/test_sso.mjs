// A control panel's link in a real browser: it goes on by itself, or by a button, and asks who is somebody else already.
import assert from "node:assert/strict";

import { axeSource, launch, open, post, signIn } from "./browser.mjs";
import { Stack } from "./stack.mjs";
import { run } from "./tap.mjs";

const stack = new Stack();
let browser, token;

/** The address of a new link for this user, of an account of the same name. */
async function link(user) {
  const answer = await fetch(`${stack.env.URL}/api/v1/sso-links`, {
    method: "POST", headers: { Authorization: `Bearer ${token}` },
    body: new URLSearchParams({ account: user, user, return_to: "/migration/batches" }),
  });
  assert.equal(answer.status, 201);
  return (await answer.json()).url;
}

async function isAt(page, path, user) {
  await page.waitForURL(`**${path}`);
  await page.getByText(`${user}@api.invalid`).waitFor();
}

async function violations(page) {
  await page.evaluate(axeSource());
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
}

const tests = [
  ["a_link_goes_on_by_itself_and_is_gone_afterwards", async () => {
    const page = await open(browser, stack);
    const url = await link("ann");
    await page.goto(url);
    await isAt(page, "/migration/batches", "ann");
    assert.deepEqual(page.problems, []);
    await page.goto(url);
    await page.getByRole("heading", { name: "This link does not work any more" }).waitFor();
    await page.context().close();
  }],
  ["without_javascript_a_button_does_it", async () => {
    const page = await open(browser, stack, { javaScriptEnabled: false });
    await page.goto(await link("ben"));
    await page.getByText("ben@api.invalid").waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await isAt(page, "/migration/batches", "ben");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }],
  ["who_is_signed_in_as_somebody_else_is_asked_first", async () => {
    const page = await open(browser, stack);
    await signIn(page, stack);
    await page.goto(await link("cid"));
    await page.getByText(`You are signed in as ${stack.env.ADMIN_EMAIL} here`).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole("button", { name: "Continue as cid@api.invalid" }).click();
    await isAt(page, "/migration/batches", "cid");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }],
];

await run(tests, {
  before: async () => {
    browser = await launch();
    await stack.start();
    const page = await open(browser, stack);
    await signIn(page, stack);
    token = (await post(page, "/migration/tokens",
      { name: "panel", installation: "1", accounts_write: "1", sso_create: "1" })).token;
    await page.context().close();
  },
  after: async () => {
    await browser?.close();
    await stack.stop();
  },
});
