// One request after another, never two at once; quiet while nobody looks; slower while the server does not answer.

const SLOWEST_MS = 30000;

/**
 * Call ask() every intervalMs until it returns false.  ask may throw: { signedOut: true } ends the polling, anything
 * else is a server out of reach.  say(text) shows what the reader should know, "" when all is well.
 */
export function poll(intervalMs, ask, say) {
  let timer = 0;
  let running = false;
  let ended = false;
  let failures = 0;

  // An answer that comes when nobody looks any more leaves it said that this is paused.
  const tell = (text) => {
    if (!document.hidden) {
      say(text);
    }
  };
  const later = () => {
    if (!ended && !document.hidden) {
      const wait = Math.min(intervalMs * 2 ** Math.min(failures, 5), SLOWEST_MS);
      timer = setTimeout(turn, failures ? Math.max(wait, intervalMs) : intervalMs);
    }
  };
  const turn = async () => {
    if (running || ended) {
      return;
    }
    running = true;
    clearTimeout(timer);
    try {
      ended = (await ask()) === false;
      failures = 0;
      tell("");
    } catch (problem) {
      if (problem.signedOut) {
        ended = true;
        say("You are signed out. Sign in again to go on watching.");
      } else {
        failures += 1;
        tell("The server cannot be reached; trying again.");
      }
    }
    running = false;
    later();
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (ended) {
      return;
    }
    if (document.hidden) {
      say("Paused while this page is hidden.");
    } else {
      turn();
    }
  });
  later();
  return { now: turn };
}

/** GET url as JSON; throws { signedOut } or { status }. */
export async function getJson(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" });
  if (answer.status === 401) {
    throw { signedOut: true };
  }
  if (!answer.ok) {
    throw { status: answer.status };
  }
  return answer.json();
}

/** Shows text in the page's live line. */
export function liveLine() {
  const line = document.querySelector("[data-live]");
  return (text) => {
    if (line && line.textContent !== text) {
      line.textContent = text;
      line.hidden = text === "";
    }
  };
}

/** Set the text of every [data-field=name] in root, touching only what changed. */
export function setField(root, name, text) {
  for (const element of root.querySelectorAll(`[data-field="${name}"]`)) {
    const value = text ?? "";
    if (element.textContent !== value) {
      element.textContent = value;
    }
    // A fact that is not known, or no longer of use, takes its label along.
    element.closest("[data-fact]")?.toggleAttribute("hidden", value === "");
  }
}

/** Show a percentage, an unknown amount (percent null, estimating) or nothing. */
export function setProgress(root, percent, estimating) {
  for (const bar of root.querySelectorAll("progress")) {
    bar.hidden = percent === null && !estimating;
    if (percent === null) {
      bar.removeAttribute("value");
    } else {
      bar.value = percent;
    }
  }
}
