// The log of one job.  It keeps the offset of the next raw byte, asks for what follows, and adds each answer once.
// Whatever a server wrote is text here: nothing of it is ever parsed as HTML.
import { getJson } from "./poll.js";

const ERROR = /\b(failure|error|could not|err \d+\/\d+)\b/i;
const NO_ERROR = /\b0 errors?\b|errorsmax|nb_errors/i;
const WARNING = /\bwarning\b/i;
const LINES_MAX = 20000;
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** As the server writes the log into the page (tail_visible() in fcgi/tail.h): what hides or turns text is seen. */
function visible(text) {
  return text.replaceAll("\r\n", "\n").replace(HIDDEN, (sign) => {
    if (sign < " ") {
      return String.fromCharCode(0x2400 + sign.charCodeAt(0));
    }
    return sign === "\u007f" ? "\u2421" : "\ufffd";
  });
}

export class LogView {
  constructor(box) {
    this.box = box;
    this.pre = box.querySelector("pre");
    this.next = Number(box.dataset.next) || 0;
    this.first = Number(box.dataset.start) || 0;
    this.tail = box.dataset.tail;
    this.behind = false;
    this.loading = false;
    this.partial = null;
    this.held = "";
    this.count = 0;
    this.marks = { error: [], warning: [] };
    this.jumped = { error: -1, warning: -1 };
    this.follow = document.querySelector("[data-log-follow]");
    const text = this.pre.textContent;
    this.pre.textContent = "";
    this.add(text);
    this.listen();
    this.toEnd();
    if (/^#L\d+$/.test(location.hash)) {
      document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
    }
  }

  listen() {
    const wrap = document.querySelector("[data-log-wrap]");
    wrap?.addEventListener("change", () => this.box.classList.toggle("no-wrap", !wrap.checked));
    this.follow?.addEventListener("change", () => this.toEnd());
    // Scrolling up stops following; coming back to the end goes on.
    this.box.addEventListener("scroll", () => {
      if (this.follow) {
        this.follow.checked = this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight - 24;
      }
    });
    for (const button of document.querySelectorAll("[data-jump]")) {
      button.addEventListener("click", () => this.jump(button.dataset.jump));
    }
    document.querySelector("[data-earlier]")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.earlier(event.currentTarget);
    });
  }

  /** Ask for what follows the last byte we have; the job's state. */
  async more() {
    const answer = await getJson(`${this.tail}?offset=${this.next}`);
    if (answer.newOffset > this.next) {
      this.next = answer.newOffset;
      this.add(answer.chunk);
      this.toEnd();
      this.behind = true;
    } else {
      this.behind = false;
    }
    return answer.status;
  }

  /** Read until there is no more. */
  async catchUp() {
    do {
      await this.more();
    } while (this.behind);
  }

  add(chunk) {
    if (chunk === "") {
      return;
    }
    // Half of a line's end waits for the other half.
    const [, whole, held] = /^([^]*?)(\r?)$/.exec(this.held + chunk);
    this.held = held;
    const text = visible(whole);
    document.querySelector("[data-log-empty]")?.remove();
    document.querySelector("[data-download]")?.removeAttribute("hidden");
    const lines = text.split("\n");
    const some = document.createDocumentFragment();
    lines.forEach((line, i) => {
      const last = i === lines.length - 1;
      if (this.partial) {
        this.partial.lastChild.data += line;
        this.mark(this.partial);
      } else if (!last || line !== "") {
        this.partial = this.line(line);
        some.append(this.partial);
      }
      if (!last) {
        this.partial = null;
      }
    });
    this.pre.append(some);
    while (this.pre.childElementCount > LINES_MAX) {
      this.pre.firstElementChild.remove();
    }
    this.showMarks();
  }

  line(text) {
    this.count += 1;
    const row = document.createElement("span");
    row.className = "line";
    row.id = `L${this.count}`;
    const number = document.createElement("a");
    number.href = `#L${this.count}`;
    number.textContent = String(this.count);
    number.setAttribute("aria-label", `Line ${this.count}`);
    row.append(number, document.createTextNode(text));
    this.mark(row);
    return row;
  }

  mark(row) {
    const text = row.lastChild.data;
    for (const [kind, hit] of [["error", ERROR.test(text) && !NO_ERROR.test(text)], ["warning", WARNING.test(text)]]) {
      if (hit && !row.classList.contains(`line-${kind}`)) {
        row.classList.add(`line-${kind}`);
        this.marks[kind].push(row);
      }
    }
  }

  showMarks() {
    const marks = document.querySelector("[data-log-marks]");
    if (!marks) {
      return;
    }
    for (const button of marks.querySelectorAll("[data-jump]")) {
      const n = this.marks[button.dataset.jump].length;
      button.textContent = `${n} ${button.dataset.jump}${n === 1 ? "" : "s"}`;
      button.hidden = n === 0;
    }
    marks.hidden = this.marks.error.length + this.marks.warning.length === 0;
  }

  jump(kind) {
    const rows = this.marks[kind].filter((row) => row.isConnected);
    if (rows.length === 0) {
      return;
    }
    this.jumped[kind] = (this.jumped[kind] + 1) % rows.length;
    this.pre.querySelector(".here")?.classList.remove("here");
    const row = rows[this.jumped[kind]];
    row.classList.add("here");
    row.scrollIntoView({ block: "center" });
  }

  toEnd() {
    if (!this.follow || this.follow.checked) {
      this.box.scrollTop = this.box.scrollHeight;
    }
  }

  /** Put the part before the first byte we have in front, without moving what the reader sees. */
  async earlier(link) {
    if (this.loading) {
      return;
    }
    this.loading = true;
    try {
      await this.loadEarlier(link);
    } finally {
      this.loading = false;
    }
  }

  async loadEarlier(link) {
    const from = Math.max(0, Number(link.dataset.earlier));
    const pieces = [];
    for (let at = from; at < this.first;) {
      const answer = await getJson(`${this.tail}?offset=${at}&limit=${Math.min(this.first - at, 65536)}`);
      if (answer.newOffset <= at) {
        break;
      }
      pieces.push(answer.chunk);
      at = answer.newOffset;
    }
    const height = this.box.scrollHeight;
    const block = document.createElement("span");
    block.textContent = visible(pieces.join(""));
    this.pre.prepend(block);
    this.box.scrollTop += this.box.scrollHeight - height;
    this.first = from;
    if (from === 0) {
      link.parentElement.remove();
    } else {
      link.dataset.earlier = String(Math.max(0, from - 65536));
    }
  }
}
