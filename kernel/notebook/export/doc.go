// Package export writes a notebook as a Go program that does the same.
//
// [Write] checks the cells with the kernel's front end, which knows what every
// name means in every cell, and writes them as one package main: types,
// functions and constants at package level, statements in order in one
// function, with the Markdown cells as comments. The program needs neither Holt's kernel nor
// Jupyter; a notebook that uses dl or display becomes a program that imports
// them.
//
// # What a cell may do and a program may not
//
//   - A variable is one of the function that runs the cells, or of the package when a function of the
//     notebook mentions it.
//   - An error that a cell drops ends the program: "if err != nil { return … }" stands there,
//     and must(…) around a call inside of a statement.
//   - A cell's value is printed, as a notebook shows it in text; its picture goes to the folder out.
//   - A name that a later cell gives another meaning after the first was used is numbered: x, x2. So
//     is every function that mentions it, from that cell on. A function that is defined
//     again before anything used it stands there once, as it was last.
//   - Lines that begin with % or ! become calls where Go has one, and comments where it has not;
//     [Program.Warnings] names those.
package export
