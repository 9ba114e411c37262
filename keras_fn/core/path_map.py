"""`PathMap`: a mapping from paths of layers or variables, with regular expressions as keys."""

from collections.abc import Iterator, MutableMapping
from typing import Any, Generic, TypeVar

from keras_fn import _regex
from keras_fn.errors import SpecError

T = TypeVar("T")


class PathMap(MutableMapping[str, T], Generic[T]):
    """Base of mappings whose keys are paths, or regular expressions that match whole paths.

    A subclass sets `_entries` and defines `_default_entry`; it may validate new values in
    `_validate`.
    """

    _entries: dict[str, T]

    def _default_entry(self) -> T:
        """Returns the value of paths that match no key."""
        raise NotImplementedError

    def _validate(self, value: Any) -> T:
        """Returns the value to store for a value set by the user, or raises an error."""
        return value

    def __getitem__(self, path: str) -> T:
        if path in self._entries:
            return self._entries[path]
        matches = [key for key in self._entries if _regex.fullmatch(key, path)]
        if len(matches) > 1:
            raise self._key_error(
                "one key that matches a path", f"{', '.join(matches)} for {path!r}"
            )
        return self._entries[matches[0]] if matches else self._default_entry()

    def __setitem__(self, path: str, value: Any) -> None:
        if not isinstance(path, str):
            raise self._key_error("paths, or regular expressions, as keys", f"{path!r}")
        if path in self._entries:
            raise self._key_error("each key once", f"{path!r} again")
        self._entries[path] = self._validate(value)

    def __delitem__(self, path: str) -> None:
        del self._entries[path]

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _key_error(self, expected: str, received: str) -> SpecError:
        fix = "change the keys so that each path matches one key, or is one"
        return SpecError(type(self).__name__, expected=expected, received=received, fix=fix)
