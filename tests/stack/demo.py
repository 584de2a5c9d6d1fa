"""What ./demo does once everything is built: start, migrate a mailbox through the panel, verify, serve."""

import argparse
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "engine")]

import imapbox  # noqa: E402
import stack as stack_module  # noqa: E402
from panel import Panel, Refused  # noqa: E402


def say(text):
    print(text, flush=True)


def progress_line(model):
    job = model["job"]
    text = "  %s: %s %s" % (job["kind_text"], job["state_text"], job["progress_text"] or "")
    if sys.stdout.isatty():
        print("\r\033[K" + text, end="", flush=True)
    elif text != progress_line.last:
        say(text)
    progress_line.last = text


progress_line.last = ""


def run_job(panel, job):
    model = panel.wait(job["id"], watch=progress_line)
    if sys.stdout.isatty():
        print()
    outcome = model["outcome"]
    say("  " + outcome["sentence"])
    if model["job"]["state"] != "done":
        raise RuntimeError("the %s ended as %s; its log:\n%s" % (
            model["job"]["kind_text"].lower(), model["job"]["state"],
            panel.log(job["id"]).decode(errors="replace")[-3000:]))
    return model


def verify(stack):
    """Every message of the source, with flags and date, is on the destination, byte for byte."""
    source = imapbox.snapshot(stack.source)
    destination = imapbox.snapshot(stack.destination, separator=".")
    count = 0
    for folder, messages in source.items():
        missing = messages - destination.get(folder, type(messages)())
        if missing:
            raise RuntimeError("%d messages of %s are not the same on the destination: %s" % (
                sum(missing.values()), folder, list(missing)[:3]))
        count += sum(messages.values())
    return len(source), count


def migrate(stack):
    env = stack.env
    panel = Panel(env["URL"])
    panel.sign_in(env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"])
    source = panel.add_server("Old mail server", env["SRC_HOST"], env["SRC_PORT"])
    destination = panel.add_server("New mail server", env["DST_HOST"], env["DST_PORT"])
    say("Migrating a sample mailbox through the panel:")
    job = panel.add_job(source["id"], env["MAIL_USER"], env["MAIL_PASSWORD"], destination["id"], env["MAIL_USER"],
                        env["MAIL_PASSWORD"], dry_run=True, name="Sample mailbox")
    run_job(panel, job)
    run_job(panel, panel.rerun(job["id"], dry_run=False))
    folders, messages = verify(stack)
    say("Verified: %d messages in %d folders are the same on both servers, byte for byte." % (messages, folders))


def introduce(stack):
    env = stack.env
    say("")
    say("  Panel     %s" % env["URL"])
    say("  E-mail    %s" % env["ADMIN_EMAIL"])
    say("  Password  %s" % env["ADMIN_PASSWORD"])
    say("")


class DemoStack(stack_module.Stack):
    """Ready means: started, and the sample mailbox migrated and verified."""

    is_ready = False

    def start(self):
        say("Starting MariaDB, two Dovecots, an SMTP catcher, the web, nginx and a worker in %s" % self.dir)
        super().start()
        try:
            if self.with_sample:
                migrate(self)
        except BaseException:
            self.stop()
            raise
        introduce(self)
        self.is_ready = True
        return self

    def stop(self):
        super().stop()
        if self.is_ready:
            # Of one that never was, the logs are needed.
            stack_module.clean_remains(self.dir)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--builddir", required=True)
    parser.add_argument("--detach", action="store_true")
    parser.add_argument("--no-sample", action="store_true")
    parser.add_argument("--sync-program", default=None)
    args = parser.parse_args()
    if stack_module.supervisor_of(args.dir) is not None:
        print("demo: it runs in %s already; ./demo --dir %s stop ends it" % (args.dir, args.dir), file=sys.stderr)
        return 1
    try:
        stack_module.clean_remains(args.dir)
    except RuntimeError as problem:
        print("demo: %s" % problem, file=sys.stderr)
        return 1
    # The built-in engine moves a message byte for byte; imapsync --addheader alters those without identity.
    settings = {"sync_program": args.sync_program or os.path.join(args.builddir, "engine", "mailconvoy-sync")}
    stack = DemoStack(args.dir, args.builddir, args.port, with_sample=not args.no_sample, settings=settings)
    if args.detach:
        code = stack_module.detach(stack)
        with open(os.path.join(stack.dir, "stack.log"), encoding="utf-8", errors="replace") as log:
            print(log.read(), end="")
        if code == 0:
            say("./demo --dir %s stop ends it." % args.dir)
        return code
    try:
        stack_module.serve(stack, on_ready=lambda: say("Ctrl-C ends everything."))
    except (RuntimeError, Refused, AssertionError) as problem:
        print("demo: %s" % problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
                  else lambda *_: sys.exit(0))
    sys.exit(main())
