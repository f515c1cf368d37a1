// Package batch runs a notebook from top to bottom without a person, and
// without Jupyter.
//
// [Run] gives the cells of an [ipynb.Notebook] to an [Engine], one after the
// other, and keeps what they show in the notebook, by the rules of Python's
// nbclient (https://nbclient.readthedocs.io): the first error ends the run,
// unless the cell has the tag raises-exception; a cell with the tag
// skip-execution is left alone; a display that is updated later changes where
// it stands. [Inject] sets parameters as papermill does
// (https://papermill.readthedocs.io).
package batch
