"""The public names of `keras.export`."""

from keras_fn.export.export_archive import ExportArchive as ExportArchive
