// Package proc runs the host process, the program that loads cells, from the kernel's side: it
// starts it, sends it plugins to run, collects all that they print and display, and says in
// words why it died when it does.
//
// # Connections
//
//	descriptor 1, 2   pipes    what Go, C and programs print              stream.go
//	descriptor 3      socket   messages of package msg, frames            proc.go
//	two FIFOs         gob      displays and values of package gonbui      gonb.go
//
// # Order
//
// A notebook shows output in the order in which the cell made it, though it comes by three
// ways. The socket has the lead: before a frame from it is shown, everything that is in the
// pipes and in the FIFO at that moment is read and delivered (drain). That is all that was
// printed before the frame, since the host sends the frame after it, and the goroutine that
// sent it waits for an acknowledgement before it prints more.
//
// All output goes through functions of [Options], with Process.deliver held, so these are
// called one at a time.
//
// # Ends
//
// A host ends by [Process.Kill], by itself, or by a fault. Once it has, and all that it printed
// is delivered, Done is closed, and an [Exit] says why. Fatal errors of Go's runtime come as
// text on standard error; that text is kept from the notebook (crash.go), and is a part of the
// Exit.
package proc
