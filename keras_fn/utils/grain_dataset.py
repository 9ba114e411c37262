"""Data sets of Grain. Grain is imported when one is made."""

from typing import Any

from keras_fn._lazy import LazyModule
from keras_fn.data_adapters.dataset import Dataset
from keras_fn.data_adapters.transformations import SKIPPED, LoadContext, Transformation

_grain: Any = LazyModule("grain", pip="grain")


class _Samples:
    """The elements of a data set as Grain reads them: None for what is skipped."""

    def __init__(self, transformation: Transformation):
        self.transformation = transformation

    def __len__(self) -> int:
        return len(self.transformation)

    def __getitem__(self, index: int) -> Any:
        element = self.transformation.load(index, LoadContext(0))
        return None if element is SKIPPED else element


class _Collate:
    """Makes a batch of samples by a method of a data set."""

    def __init__(self, batch_method: str):
        self.batch_method = batch_method

    def __call__(self, samples: list[Any]) -> Any:
        return getattr(Dataset(samples), self.batch_method)(len(samples))[0]


def make_grain_dataset(
    dataset: Dataset, batch_size: int | None, batch_method: str, seed: int | None
) -> Any:
    """Returns a `grain.IterDataset` of the elements of a data set.

    Args:
        dataset: The samples.
        batch_size: Number of samples in a batch, or None.
        batch_method: The method of a data set that makes batches.
        seed: Seed of the shuffling; None for the order of the samples.
    """
    samples = _grain.MapDataset.source(_Samples(dataset._transformation))
    samples = (samples if seed is None else samples.shuffle(seed=seed)).to_iter_dataset()
    if batch_size is None:
        return samples
    return samples.batch(batch_size, batch_fn=_Collate(batch_method))
