"""The recipes of ``ec new``, one a file: the file's name is the recipe's."""
