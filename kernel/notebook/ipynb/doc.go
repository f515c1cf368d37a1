// Package ipynb reads and writes notebooks in Jupyter's file format, nbformat 4
// (https://nbformat.readthedocs.io/en/latest/format_description.html).
//
// [Read] takes a file apart into a [Notebook] of cells and outputs. What this
// package does not know is kept, and [Notebook.Write] puts it back: a notebook that
// is read and written is byte for byte what Python's nbformat makes of it, but that numbers keep
// their spelling. Texts are whole strings here; in the file they are lists of lines.
package ipynb
