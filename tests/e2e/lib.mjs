// What every browser test needs: the stack, a browser, TAP.  A test that cannot run here says why and is skipped.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = path.dirname(fileURLToPath(import.meta.url));
const SOURCE = path.resolve(HERE, "../..");
const BUILD = process.env.MCV_BUILDDIR ?? SOURCE;
const STACK = path.join(SOURCE, "tests/stack/stack.py");
const CHROMIUM = process.env.MCV_CHROMIUM ?? "/usr/bin/chromium";
const DEADLINE_MS = 60000;

let modules = null;

function skipAll(why) {
  console.log(`1..0 # SKIP ${why}`);
  process.exit(0);
}

function loadModules() {
  const dir = process.env.MCV_NODE_MODULES;
  if (!dir || !fs.existsSync(path.join(dir, "playwright-core"))) {
    skipAll("playwright-core is not here: ./check installs it and sets MCV_NODE_MODULES");
  }
  if (!fs.existsSync(CHROMIUM)) {
    skipAll(`no browser at ${CHROMIUM}`);
  }
  const require = createRequire(path.join(dir, "x.js"));
  modules = { playwright: require("playwright-core"), axe: require("axe-core") };
}

export function axeSource() {
  return modules.axe.source;
}

// A shell-sourceable file of KEY=VALUE, values quoted as Python's shlex does.
function readEnv(file) {
  const env = {};
  for (const line of fs.readFileSync(file, "utf8").split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) {
      env[line.slice(0, at)] = line.slice(at + 1).replace(/'([^']*)'/g, "$1").replace(/\\(.)/g, "$1");
    }
  }
  return env;
}

class Stack {
  constructor(...options) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "mcv-e2e-"));
    fs.chmodSync(this.dir, 0o755);
    const program = process.env.MCV_SYNC_PROGRAM ?? path.join(BUILD, "engine/mailconvoy-sync");
    this.isEngine = path.basename(program) === "mailconvoy-sync";
    const done = spawnSync(
      "python3",
      [STACK, "start", "--dir", this.dir, "--builddir", BUILD, "--port", "0", "--detach", "--set", `sync_program=${program}`,
        "--set", "probe_max_per_minute=1000", ...options],
      { encoding: "utf8" },
    );
    if (done.status !== 0) {
      this.remove();
      throw new Error(`the stack did not start: ${done.stdout}${done.stderr}`);
    }
    this.env = readEnv(path.join(this.dir, "stack.env"));
    this.url = this.env.URL;
  }

  stop() {
    this.resume("SRC");
    this.resume("DST");
    spawnSync("python3", [STACK, "stop", "--dir", this.dir]);
    this.remove();
  }

  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // One of the Dovecots falls silent: its processes are stopped, not ended.
  silence(side) {
    this.signal(side, "SIGSTOP");
  }

  resume(side) {
    this.signal(side, "SIGCONT");
  }

  signal(side, name) {
    const master = Number(this.env?.[`${side}_PID`]);
    if (!master) {
      return;
    }
    const children = fs.readFileSync(`/proc/${master}/task/${master}/children`, "utf8").trim().split(/\s+/);
    for (const pid of [master, ...children.map(Number)]) {
      try {
        process.kill(pid, name);
      } catch {
        // It has just ended by itself.
      }
    }
  }

  // What tests/e2e/look.py says; throws with its output when it is not what it must be.
  look(...words) {
    return execFileSync("python3", [path.join(HERE, "look.py"), path.join(this.dir, "stack.env"), ...words], {
      maxBuffer: 1 << 28,
    });
  }
}

export async function waitFor(what, condition, ms = DEADLINE_MS) {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${ms} ms: ${typeof what === "function" ? what() : what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function equal(got, want, what) {
  if (got !== want) {
    throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

export function ok(value, what) {
  if (!value) {
    throw new Error(what);
  }
}

/** A page of a new browser profile; every script error and refused resource is remembered in page.complaints. */
async function newPage(world, options = {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    // A page that is not there is asked for on purpose; Chromium calls that an error, too.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) {
      page.complaints.push(message.text());
    }
  });
  return page;
}

export async function signIn(world, page) {
  await page.goto(`${world.stack.url}/login`);
  await page.fill("#email", world.stack.env.ADMIN_EMAIL);
  await page.fill("#password", world.stack.env.ADMIN_PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(/\/migration\/jobs/);
}

/** Run [name, async function(world)] one after the other on one stack; later ones go on after a failed one. */
export async function run(tests, { stackOptions = [] } = {}) {
  loadModules();
  const world = { stack: null, browser: null };
  let failed = 0;
  try {
    world.stack = new Stack(...stackOptions);
    world.browser = await modules.playwright.chromium.launch({
      executablePath: CHROMIUM,
      args: ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
    });
    world.newPage = (options) => newPage(world, options);
    console.log(`1..${tests.length}`);
    for (const [i, [name, test]] of tests.entries()) {
      try {
        await test(world);
        console.log(`ok ${i + 1} - ${name}`);
      } catch (problem) {
        failed += 1;
        console.log(`not ok ${i + 1} - ${name}`);
        console.log(String(problem.stack ?? problem).replace(/^/gm, "# "));
        world.page && console.log(`# at ${world.page.url()}`);
      }
      world.stack.resume("SRC");
      world.stack.resume("DST");
    }
  } catch (problem) {
    console.log(`Bail out! ${String(problem.message).split("\n").join(" ")}`);
    failed += 1;
  } finally {
    await world.browser?.close();
    world.stack?.stop();
  }
  process.exitCode = failed > 0 ? 1 : 0;
}
