// Package backend finds and installs the PJRT plugins through which GoMLX
// reaches XLA. It is for the program around the notebook (holt backend
// install, holt doctor); cells and dl do not import it.
//
// Holt keeps its plugins in [Dir], one folder a kind: "cpu" (XLA:CPU), "cuda"
// (CUDA 13), "cuda12" and "cuda-compiler", which compiles for GPUs that are not
// there and runs nothing. [Install] brings them from PyPI, pinned by version
// and SHA-256. [Setup] tells go-xla where they are.
//
// The CUDA plugins install as go-xla's own installer lays them out, but have
// not been run on a GPU by Holt's authors.
package backend
