"""What the tests share: virtual machines of their own, waiting, traces of a test run."""
