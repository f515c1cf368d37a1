// Package small runs small programs in Go, without compiling them.
//
// XLA takes tens of milliseconds to compile an operation for a new shape and tens of microseconds
// to start one. For a few thousand numbers a loop is faster than either. This package is a
// backend of GoMLX, so the same code that writes a program for XLA writes one for it: [Backend]
// collects the operations ([value]), [Program] is the list of loops that they become.
//
// What is written here must give the numbers that XLA:CPU gives, but for the rounding of float32:
// also for NaN, infinities, negative zero, integers that overflow and division by zero. An operation
// or element type that is not covered returns compute.ErrNotImplemented, and a program that takes
// longer than its limit returns [ErrLarge]; the caller then takes another backend.
//
//	build.go    the backend, and what a value is
//	elements.go operations value by value
//	shapes.go   operations that move values
//	reduce.go   sums, extremes, products of matrices
//	loops.go    the arithmetic
//	vector.go   the same with a processor's vector instructions, for what takes most of the time
//	walk.go     strided loops over several tensors
//	program.go  the order of the loops, their memory, and running them
package small
