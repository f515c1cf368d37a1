// Package host is the process that owns all values of a notebook: it loads each cell as a
// plugin, runs it, and reports to the kernel how it ended.
//
// [Main] is the entry. A program that links it with backends and drawing code (cmd/holt-host)
// is built once per workspace; the kernel starts it through package proc and exchanges the
// messages of package msg with it over a socket.
//
// # Cells
//
// Each cell runs on a goroutine of its own, so that a deadlock or runtime.Goexit ends nothing
// else. The goroutine carries profiler labels, which its children inherit: an interrupt ends
// those of one execution, at their next check, and none of earlier cells; [Context] returns the
// context of the cell that calls it; and a crash's trace names the cell.
//
// The life of one, with the file in which each step is:
//
//	msg.Run        a message from the kernel                           host.go
//	start          a pipe for standard input, the standard files kept  exec.go
//	load           plugin.Open, initialisers of new packages           exec.go
//	entry          the generated function Run                          exec.go
//	finish         files put back, displays flushed, buffers flushed   exec.go
//	msg.Done       a message to the kernel
//
// # Interrupts
//
// Go cannot stop a goroutine from outside. So generated code asks: loops and functions test a
// flag, waits are selects, and what is asked for ends the goroutine by runtime.Goexit, which
// recover does not stop (stop.go, package rt). What does neither, a call of C or a read from
// the network, is waited for a second and then left behind, with the place where it is. What other
// processes of a training take part in is waited for as long as it takes (Hold).
//
// # Order of output
//
// Text travels through pipes and displays through the socket, and a notebook must show them in
// the order in which the cell made them. The sender of a display waits until the kernel has it,
// and the kernel reads the pipes first when one comes. No display can then be overtaken by text
// that was printed later, and none overtakes text that was printed before.
//
// # What ends the process
//
// A panic on a goroutine that the cell started, os.Exit in a package, a fault in C, a stack
// overflow, concurrent map writes: Go cannot recover from these. The kernel sees the process
// end and reports why. os.Exit in a cell's text is rt.Exit, which ends the cell.
//
// # Standard files
//
// Each cell reads from a pipe of its own; a read of the empty pipe makes the kernel request
// input (stdin.go). What a goroutine prints belongs to the cell that started it (print.go).
// Files that a cell closes or replaces are restored at its end (std.go), and processes that it
// started end with its interrupt (children.go).
package host
