"""What the distribution's own checkers say; each is skipped, with its reason, where it is not installed."""
import os
import re
import shutil
import subprocess
import tempfile

from lint import ROOMS, TOP, files, read, report


def complaints(command, paths, folder=TOP):
    """Lines of the command's output if it fails; [] if it is content."""
    got = subprocess.run(command + paths, cwd=folder, capture_output=True, check=False)
    if got.returncode == 0:
        return []
    return (got.stdout + got.stderr).decode("utf-8", "replace").splitlines() or ["%s failed" % command[0]]


def c_files(*folders):
    return [p for p in files() if p.endswith((".c", ".h")) and p.split("/")[0] in folders]


def scripts():
    return [p for p in files()
            if not p.startswith("build-aux/") and re.match(r"#!.*\b(sh|bash)\b", read(p).split("\n", 1)[0])]


def manuals():
    return [p for p in files() if re.search(r"\.[1578]$", p)]


class Tool:
    """command: what is run on paths().  sample: (name, text) of a file that it must refuse."""

    def __init__(self, promise, command, paths, sample, version=None):
        self.promise, self.command, self.paths, self.sample, self.version = promise, command, paths, sample, version

    def missing(self):
        """Why it cannot be run here, or None."""
        if shutil.which(self.command[0]) is None:
            return self.command[0] + " is not installed"
        if self.version is not None:
            said = subprocess.run([self.command[0], "--version"], capture_output=True, check=False).stdout.decode()
            if not re.search(self.version, said):
                return "needs %s, here is %s" % (self.version, said.strip())
        return None

    def result(self):
        why = self.missing()
        if why is not None:
            return self.promise, None, why
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(os.path.join(TOP, ".clang-format"), folder)
            with open(os.path.join(folder, self.sample[0]), "w", encoding="utf-8") as f:
                f.write(self.sample[1])
            if not complaints(self.command, [self.sample[0]], folder):
                return self.promise, ["%s does not refuse its own sample" % self.command[0]], ""
        paths = self.paths()
        return self.promise, complaints(self.command, paths) if paths else [], ""


TOOLS = [
    Tool("c_is_laid_out_by_clang_format", ["clang-format", "--dry-run", "-Werror"],
         lambda: c_files("tests", *ROOMS), ("x.c", "int  x ;\n"), r"version 14\."),
    Tool("shell_scripts_satisfy_shellcheck", ["shellcheck", "-S", "warning"], scripts, ("x.sh", "#!/bin/sh\ncd $1\n")),
    Tool("cppcheck_finds_nothing",
         ["cppcheck", "-q", "-j2", "--error-exitcode=1", "--inline-suppr", "--std=c11", "-I.", "-D_GNU_SOURCE",
          "-DMUST_CHECK=", "--enable=warning,portability", "--suppress=missingIncludeSystem"],
         lambda: [p for p in c_files(*ROOMS) if p.endswith(".c")],
         ("x.c", "int f(void);\nint f(void)\n{\n\tint a[2] = {0};\n\n\treturn a[2];\n}\n")),
    Tool("manual_pages_satisfy_mandoc", ["mandoc", "-Tlint", "-Wwarning"], manuals, ("x.8", ".TH\n.XY\n")),
]


def python():
    bad = []
    for path in files():
        if path.endswith(".py"):
            try:
                compile(read(path), path, "exec")
            except SyntaxError as e:
                bad.append("%s:%s: %s" % (path, e.lineno, e.msg))
    return bad


def php():
    """One file a call: php -l looks at the first alone."""
    bad = []
    for path in files():
        if path.endswith(".php"):
            got = subprocess.run(["php", "-n", "-l", path], cwd=TOP, capture_output=True, check=False)
            if got.returncode != 0:
                bad += got.stdout.decode("utf-8", "replace").split("\n")[:3]
    return bad


def javascript():
    bad = []
    for path in files():
        if path.endswith((".js", ".mjs")):
            module = path.endswith(".mjs") or re.search(r"^(import|export)\b", read(path), re.M)
            got = subprocess.run(["node", "--input-type=" + ("module" if module else "commonjs"), "--check"],
                                 input=read(path).encode(), capture_output=True, check=False)
            if got.returncode != 0:
                bad += ["%s: %s" % (path, line) for line in got.stderr.decode().splitlines()[:5]]
    return bad


if __name__ == "__main__":
    results = [t.result() for t in TOOLS]
    results.append(("python_compiles", python(), ""))
    results.append(("php_parses", php() if shutil.which("php") else None, "php is not installed"))
    node = shutil.which("node") is not None
    results.append(("javascript_parses", javascript() if node else None, "node is not installed"))
    report(results)
