"""A slave whose `go` returns what no master understands."""

from biskit_pvm import JobSlave


class NoDictionary(JobSlave):
    """Return a list."""

    def go(self, chunk):
        """Return the items only."""
        return list(chunk)


if __name__ == "__main__":
    NoDictionary().start()
