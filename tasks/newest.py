"""A mapping that forgets: of more than so many entries the oldest go."""

from collections import OrderedDict


class Newest[K, V](OrderedDict[K, V]):
    """Its ``most`` newest entries. What is set, also again, is the newest."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)
