package host

// #include <stdio.h>
// static void line_buffered(void) { setvbuf(stdout, NULL, _IOLBF, 1 << 16); }
// static void flush(void) { fflush(stdout); fflush(stderr); }
import "C"

// lineBuffered makes C code print whole lines at once, though standard output
// is a pipe. Go's own output has no buffer.
func lineBuffered() { C.line_buffered() }

// flushC writes out what C code has printed.
func flushC() { C.flush() }
