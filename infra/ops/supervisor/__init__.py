"""``klatsch up``: a data folder, the parts of an installation as child processes, and what watches over them."""
