"""A container of named values, for the settings of a program."""

import json
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from keras_fn.errors import DTypeError, SpecError, find_similar


class Config:
    """Container of named values: a dict whose keys are attributes, too.

    It can be frozen, so that no value changes by accident from then on.

    Args:
        **kwargs: The values by name.

    Example:
        >>> config = keras.utils.Config(learning_rate=0.1)
        >>> config.seed = 7
        >>> config["seed"], config.learning_rate
        (7, 0.1)
        >>> config.to_json()
        '{"learning_rate": 0.1, "seed": 7}'
        >>> config.freeze()
        >>> config.frozen
        True
    """

    _config: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any):
        # Not by `self.x = ...`, which sets a value of the config.
        object.__setattr__(self, "_config", kwargs)
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether values cannot be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Makes an error of every change of a value."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allows changes again."""
        object.__setattr__(self, "_frozen", False)

    def as_dict(self) -> dict[str, Any]:
        """Returns the values in a new dict."""
        return dict(self._config)

    def to_json(self) -> str:
        """Returns the values as JSON; `Config(**json.loads(text))` reads them.

        Raises:
            TypeError: A value cannot be written as JSON.
        """
        try:
            return json.dumps(self._config)
        except TypeError as error:
            raise DTypeError(
                "Config.to_json",
                expected="numbers, strings, booleans, None, and lists and dicts of them",
                received=str(error),
                fix="replace the value, or use as_dict()",
            ) from None

    def keys(self) -> KeysView[str]:
        """Returns the names, in the order in which they were added."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """Returns the values, in the order of `keys`."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """Returns the pairs of a name and its value."""
        return self._config.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """Returns the value of a name, or another value if there is none.

        Args:
            keyname: The name.
            value: What is returned for an unknown name.
        """
        return self._config.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Removes a value, and returns it.

        Args:
            *args: The name; and what is returned if there is no such name.

        Raises:
            KeyError: There is no such name.
            ValueError: The config is frozen.
        """
        self._check_not_frozen(f"pop{args[:1]!r}")
        return self._config.pop(*args)

    def update(self, *args: Mapping[str, Any], **kwargs: Any) -> None:
        """Sets several values.

        Args:
            *args: A dict of values by name.
            **kwargs: Values by name.

        Raises:
            ValueError: The config is frozen.
        """
        self._check_not_frozen("update()")
        self._config.update(*args, **kwargs)

    def _check_not_frozen(self, change: str) -> None:
        if self._frozen:
            raise SpecError(
                "Config",
                expected="no change, as the config is frozen",
                received=change,
                fix="call config.unfreeze() first, or Config(**config.as_dict()) for a copy",
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name) or name in ("_config", "_frozen"):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __getattr__(self, name: str) -> Any:  # for other names than those of attributes
        config = vars(self).get("_config", {})  # empty while a copy is made
        if name in config:
            return config[name]
        near = find_similar(name, config, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"Config has no value {name!r}.{hint}")

    def __setitem__(self, key: str, item: Any) -> None:
        self._check_not_frozen(f"{key} = {item!r}"[:100])
        self._config[key] = item

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __delitem__(self, key: str) -> None:
        self._check_not_frozen(f"del config[{key!r}]")
        del self._config[key]

    def __contains__(self, item: object) -> bool:
        return item in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
