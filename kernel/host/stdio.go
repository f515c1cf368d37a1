package host

// #include <stdio.h>
// #include <stdio_ext.h>
// static void line_buffered(void) { setvbuf(stdout, NULL, _IOLBF, 1 << 16); }
// static void flush(void) { fflush(stdout); fflush(stderr); }
// static void rewind_stdin(void) { __fpurge(stdin); clearerr_unlocked(stdin); }
import "C"

// lineBuffered makes C code print whole lines at once, though standard output is a pipe, for
// which the C library would gather 4 KiB otherwise, and show them long after what Go prints.
// Go's own output has no buffer. It is called before C code has printed anything, as setvbuf
// wants.
func lineBuffered() { C.line_buffered() }

// flushC writes out what C code has printed: lines that have not ended. Every display and the
// end of a cell wait for it.
func flushC() { C.flush() }

// rewindC makes C code forget what it has read ahead of standard input, and that
// it found the end. It takes no lock: a thread that still waits in a read has it.
func rewindC() { C.rewind_stdin() }
