"""Programs that were looked for already."""

from __future__ import annotations

import threading

from biskit_pvm.compat.biskit.ExeConfig import ExeConfig


class ExeConfigCache:
    """Remember instances of `ExeConfig`; only static methods."""

    LOCK = threading.Lock()
    CACHE: dict[str, ExeConfig] = {}

    @staticmethod
    def get(name: str, reload: object = 0, **kw: object) -> ExeConfig:
        """
        Give the configuration of a program.

        Parameters
        ----------
        name : str
        reload : bool
            Look for it again.
        kw : dict
            For `ExeConfig`.

        Returns
        -------
        ExeConfig
        """
        with ExeConfigCache.LOCK:
            if reload or name not in ExeConfigCache.CACHE:
                ExeConfigCache.CACHE[name] = ExeConfig(name, **kw)
            return ExeConfigCache.CACHE[name]

    @staticmethod
    def reset() -> None:
        """Forget all."""
        with ExeConfigCache.LOCK:
            ExeConfigCache.CACHE.clear()

    @staticmethod
    def len() -> int:
        """
        Count what is remembered.

        Returns
        -------
        int
        """
        return ExeConfigCache.CACHE.__len__()
