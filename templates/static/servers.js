// Server tests in place, presets that fill the form, and a name for a new job.

const FIELDS = {
  server: { server: "server_id", user: "user", password: "password" },
  source: { server: "source_server_id", user: "source_user", password: "source_password",
    authmech: "options.authmech1", authuser: "options.authuser1" },
  dest: { server: "dest_server_id", user: "dest_user", password: "dest_password",
    authmech: "options.authmech2", authuser: "options.authuser2" },
};

function add(parent, name, text, className) {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) {
    element.className = className;
  }
  parent.append(element);
  return element;
}

function showFacts(box, test) {
  const facts = [
    ["Folders", test.folders_text], ["Messages in INBOX", test.messages_text], ["Quota", test.quota_text],
    ["Encryption", test.tls_text],
  ].filter(([, value]) => value);
  if (facts.length > 0) {
    const list = add(box, "dl", "", "facts");
    for (const [label, value] of facts) {
      const pair = add(list, "div", "");
      add(pair, "dt", label);
      add(pair, "dd", value);
    }
  }
  if (test.has_capabilities) {
    const more = add(box, "details", "");
    add(more, "summary", "What the server can do");
    const caps = add(more, "p", "", "small caps");
    for (const name of test.capabilities) {
      add(caps, "code", name);
      caps.append(" ");
    }
  }
}

function showResult(place, test) {
  const box = document.createElement("div");
  box.className = `notice test-result ${test.ok ? "notice-success" : "notice-error"}`;
  const title = add(box, "p", "");
  add(title, "strong", test.title);
  if (test.elapsed_text) {
    title.append(" ");
    add(title, "span", `(${test.elapsed_text})`, "muted");
  }
  for (const text of [test.text, test.action]) {
    if (text) {
      add(box, "p", text);
    }
  }
  if (test.detail) {
    add(box, "p", test.detail, "small muted");
  }
  if (test.ok) {
    showFacts(box, test);
  }
  place.replaceChildren(box);
}

function showProblem(place, problem) {
  const reasons = Object.values(problem.fields ?? {});
  showResult(place, {
    ok: false,
    title: problem.title ?? "The test could not be made",
    text: reasons.length > 0 ? reasons.join(" ") : (problem.detail ?? "Try again in a moment."),
  });
}

async function runTest(button) {
  const form = button.form;
  const side = button.dataset.test;
  const names = FIELDS[side];
  const place = form.querySelector(`[data-test-result="${side}"]`);
  const body = new URLSearchParams();
  const value = (name) => form.elements[name]?.value ?? "";

  if (side === "server") {
    for (const name of ["server_id", "host", "port", "security"]) {
      if (value(name) !== "") {
        body.set(name, value(name));
      }
    }
    if (form.elements.verify?.checked) {
      body.set("verify", "1");
    }
  } else {
    body.set("server_id", value(names.server));
    body.set("authmech", value(names.authmech));
    body.set("authuser", value(names.authuser));
  }
  body.set("user", value(names.user));
  body.set("password", value(names.password));
  button.disabled = true;
  place.textContent = "Testing…";
  try {
    const answer = await fetch(button.formAction, {
      method: "POST",
      body,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content,
      },
    });
    const model = await answer.json();
    if (answer.ok) {
      showResult(place, model.test);
    } else {
      showProblem(place, model);
    }
  } catch {
    showProblem(place, { title: "The panel cannot be reached" });
  }
  button.disabled = false;
}

export function serverTests() {
  for (const button of document.querySelectorAll("[data-test]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      runTest(button);
    });
  }
}

export function presets() {
  const form = document.querySelector('body[data-page="server_form"] form.card');
  if (!form) {
    return;
  }
  for (const link of document.querySelectorAll("[data-preset]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const { host, port, security, name } = link.dataset;
      form.elements.host.value = host;
      form.elements.port.value = port;
      form.elements.security.value = security;
      if (form.elements.name.value === "") {
        form.elements.name.value = name;
      }
      for (const other of document.querySelectorAll("[data-preset]")) {
        other.toggleAttribute("aria-current", other === link);
      }
      form.elements[host === "" ? "host" : "user"].focus();
    });
  }
  // Another security means another usual port, unless somebody typed one of their own.
  const usual = new Set([...form.querySelectorAll("[data-default-port]")].map((o) => o.dataset.defaultPort));
  form.addEventListener("change", (event) => {
    const port = event.target.dataset.defaultPort;
    if (port && (form.elements.port.value === "" || usual.has(form.elements.port.value))) {
      form.elements.port.value = port;
    }
  });
}

/** A new job is called as its source mailbox, until somebody gives it a name of their own. */
export function suggestName() {
  const form = document.querySelector('body[data-page="job_new"] form.card');
  if (!form) {
    return;
  }
  const { name, source_user: user } = form.elements;
  let suggested = name.value === "" ? "" : null;
  user.addEventListener("input", () => {
    if (name.value === suggested) {
      suggested = user.value;
      name.value = suggested;
    }
  });
}
