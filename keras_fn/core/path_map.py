"""A mapping from the paths of layers or variables, with patterns as keys and a default."""

from collections.abc import Iterator, MutableMapping
from typing import Any, Generic, TypeVar

from keras_fn import _regex
from keras_fn.errors import SpecError

T = TypeVar("T")


class PathMap(MutableMapping[str, T], Generic[T]):
    """Base of mappings whose keys are paths, or regular expressions that match whole paths.

    A subclass sets `_entries` and says what `_default_entry` is; it may check new values in
    `_accepted`.
    """

    _entries: dict[str, T]

    def _default_entry(self) -> T:
        """Returns what paths get that no key matches."""
        raise NotImplementedError

    def _accepted(self, value: Any) -> T:
        """Returns the value to keep for what a user set; raises if it is none."""
        return value

    def __getitem__(self, path: str) -> T:
        if path in self._entries:
            return self._entries[path]
        found = [key for key in self._entries if _regex.fullmatch(key, path)]
        if len(found) > 1:
            raise self._refused("one key that matches a path", f"{', '.join(found)} for {path!r}")
        return self._entries[found[0]] if found else self._default_entry()

    def __setitem__(self, path: str, value: Any) -> None:
        if not isinstance(path, str):
            raise self._refused("paths, or regular expressions, as keys", f"{path!r}")
        if path in self._entries:
            raise self._refused("each key once", f"{path!r} again")
        self._entries[path] = self._accepted(value)

    def __delitem__(self, path: str) -> None:
        del self._entries[path]

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _refused(self, expected: str, received: str) -> SpecError:
        fix = "make the keys of the map say one thing for each path"
        return SpecError(type(self).__name__, expected=expected, received=received, fix=fix)
