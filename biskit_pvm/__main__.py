"""``python -m biskit_pvm``: the same as the command ``biskit-pvm``."""

from __future__ import annotations

from biskit_pvm.cli import main

if __name__ == "__main__":
    main()
