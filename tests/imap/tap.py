"""Runs unittest and prints TAP: one line a test, its name the promise."""
import sys
import unittest


class TapResult(unittest.TestResult):
    count = 0

    def line(self, word, test, note="", detail=""):
        TapResult.count += 1
        print(f"{word} {self.count} - {test._testMethodName}{note}")
        for row in detail.splitlines():
            print("# " + row)
        sys.stdout.flush()

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test, detail=self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self.line("not ok", test, detail=self._exc_info_to_string(err, test))


def main(module="__main__"):
    """Every test of the module, or those whose names are given on the command line."""
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromModule(sys.modules[module])
    names = sys.argv[1:]
    if names:
        wanted = unittest.TestSuite()
        for group in suite:
            for test in group:
                if test._testMethodName in names:
                    wanted.addTest(test)
        suite = wanted
    result = TapResult()
    try:
        if hasattr(sys.modules[module], "setUpModule"):
            sys.modules[module].setUpModule()
    except unittest.SkipTest as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit(0)
    suite.run(result)
    print(f"1..{TapResult.count}")
    sys.exit(0 if result.wasSuccessful() else 1)
