"""A dict of bounded size: beyond it, the oldest entries are dropped."""

from collections import OrderedDict


class BoundedDict[K, V](OrderedDict[K, V]):
    """Keeps the ``most`` newest entries. Setting a key again makes it the newest."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)
