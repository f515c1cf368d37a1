// Package programs holds programs that PyTorch users know, each in a folder with
// its notebook, its declarations as a package, its PyTorch script and a test that
// compares the two.
package programs
