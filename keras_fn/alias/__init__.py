"""Unedited programs: keras_fn under the name `keras`, in this process and in its workers.

`installation.py` starts it, `finder.py` answers imports, `keras_module.py` is the module `keras`,
and `facade.py` stands for `keras.src`. docs/unedited_programs.md is the user's view.
"""
