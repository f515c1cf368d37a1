// Package host is the process that owns all values of a notebook: it loads
// each cell as a plugin, runs it, and tells the kernel how it ended.
//
// [Main] is the whole of it. A program that joins it with backends and
// drawing code (cmd/holt-host) is linked once per workspace; the kernel starts
// it through package proc and speaks package msg with it over a socket.
//
// # Cells
//
// Each cell runs on a goroutine of its own, so that a deadlock or
// runtime.Goexit ends nothing else. The goroutine carries profiler labels,
// which its children inherit: an interrupt ends those of one execution, at
// their next check, and none of earlier cells; [Context] finds the context of
// the cell that asks; and a crash's trace names the cell.
//
// # What ends the process
//
// A panic on a goroutine that the cell started, os.Exit in a package, a fault in
// C, a stack overflow, concurrent map writes: Go gives no way back from these. The
// kernel sees the process end and says why. os.Exit in a cell's text is rt.Exit,
// which ends the cell.
//
// # Standard files
//
// Each cell reads from a pipe of its own, and what waits there has the person
// asked (stdin.go). What a goroutine prints belongs to the cell that started it
// (print.go). What a cell closes or replaces is looked after at its end (std.go),
// and what it has started ends with its interrupt (children.go).
package host
