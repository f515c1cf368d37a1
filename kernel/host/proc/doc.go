// Package proc runs the host process, the program that loads cells, from the
// kernel's side: it starts it, sends it plugins to run, collects all that they
// print and display, and says in words why it died when it does.
package proc
