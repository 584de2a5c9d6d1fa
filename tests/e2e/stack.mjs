// The whole stack in a private directory, and what lies behind it: database, mail servers, the led program.
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const TOP = path.dirname(path.dirname(HERE));
const BUILD = process.env.MCV_BUILDDIR ?? TOP;
const STACK = path.join(TOP, "tests/stack/stack.py");
const runFile = promisify(execFile);

// A run has no PATH to look on: the puppet needs the program's whole name.
function onPath(program) {
  return execFileSync("/bin/sh", ["-c", 'command -v -- "$1"', "sh", program], { encoding: "utf8" }).trimEnd();
}

export class Stack {
  /** Start everything; MCV_E2E_SYNC names another program than the built-in engine.  settings: of mailconvoy.conf. */
  async start(settings = {}) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "mcv-e2e-"));
    fs.chmodSync(this.dir, 0o711);
    this.puppets = path.join(this.dir, "puppets");
    fs.mkdirSync(this.puppets);
    const puppet = path.join(this.puppets, "puppet.py");
    fs.copyFileSync(path.join(HERE, "puppet.py"), puppet);
    fs.chmodSync(puppet, 0o755);
    fs.writeFileSync(path.join(this.puppets, "real"),
      process.env.MCV_E2E_SYNC ? onPath(process.env.MCV_E2E_SYNC) : path.join(BUILD, "engine/mailconvoy-sync"));
    await runFile("python3", [STACK, "start", "--dir", this.dir, "--builddir", BUILD, "--port", "0", "--detach",
      ...Object.entries({ sync_program: puppet, ...settings }).flatMap(([key, value]) =>
        ["--set", `${key}=${Array.isArray(value) ? JSON.stringify(value) : value}`])]);
    this.env = {};
    for (const line of fs.readFileSync(path.join(this.dir, "stack.env"), "utf8").split("\n")) {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      if (name) {
        this.env[name] = value.replace(/^'(.*)'$/, "$1");
      }
    }
    return this;
  }

  async stop() {
    for (const server of this.strangers ?? []) {
      server.close();
    }
    if (this.dir) {
      await runFile("python3", [STACK, "stop", "--dir", this.dir]);
      fs.rmSync(this.dir, { recursive: true, force: true });
      this.dir = null;
    }
  }

  /** Rows of a query by the mariadb client, as arrays of strings. */
  sql(query) {
    const out = execFileSync("mariadb", ["--no-defaults", "--socket", this.env.DB_SOCKET, "--batch", "--skip-column-names",
      "--raw", "-e", query, this.env.DB_NAME], { encoding: "utf8", maxBuffer: 1 << 28 });
    return out.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  /** The log of a job as the database holds it; its chunks must follow one another without a gap. */
  logBytes(job) {
    const chunks = [];
    let at = 0;
    for (const [start, length, encoding, hex] of
      this.sql(`SELECT start, length, encoding, HEX(bytes) FROM job_log WHERE job_id = ${Number(job)} ORDER BY start`)) {
      const stored = Buffer.from(hex, "hex");
      const raw = encoding === "1" ? zlib.inflateSync(stored) : stored;
      if (Number(start) !== at || raw.length !== Number(length)) {
        throw new Error(`log chunk at ${start} has ${raw.length} bytes, expected ${length} at ${at}`);
      }
      at += raw.length;
      chunks.push(raw);
    }
    return Buffer.concat(chunks);
  }

  /** One line that says that user's mailboxes are the same on both servers; throws what differs. */
  sameMail(user) {
    return execFileSync("python3", [path.join(HERE, "mailboxes.py"), this.dir, user], { encoding: "utf8" }).trim();
  }

  /** Let the puppet of that name print bytes; with a status, end with it. */
  lead(name, bytes, status) {
    const script = path.join(this.puppets, name);
    fs.appendFileSync(script, bytes);
    if (status !== undefined) {
      fs.writeFileSync(`${script}.part`, String(status));
      fs.renameSync(`${script}.part`, `${script}.end`);
    }
  }

  /** The port of a TLS server whose certificate nobody trusts; it ends with the stack. */
  async stranger() {
    const base = path.join(this.dir, "stranger");
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      `${base}.key`, "-out", `${base}.pem`, "-days", "2", "-subj", "/CN=localhost", "-addext",
      "subjectAltName=DNS:localhost"], { stdio: "ignore" });
    const server = tls.createServer({ key: fs.readFileSync(`${base}.key`), cert: fs.readFileSync(`${base}.pem`) },
      (socket) => {
        socket.on("error", () => {});
        socket.write("* OK ready\r\n");
      });
    server.on("tlsClientError", () => {});
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.strangers = [...(this.strangers ?? []), server];
    return server.address().port;
  }
}
