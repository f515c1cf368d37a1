package main

import (
	"encoding/gob"
	"os"
	_ "unsafe" // for go:linkname, which names variables of gonbui

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/holt-dl/holt/kernel/host"
)

// gonbui (v0.11.5, gonbui.go) opens its pipe to the kernel at the first
// display, unless these are set.

//go:linkname gonbWriterPipe github.com/janpfeifer/gonb/gonbui.gonbWriterPipe
var gonbWriterPipe *os.File

//go:linkname gonbEncoder github.com/janpfeifer/gonb/gonbui.gonbEncoder
var gonbEncoder *gob.Encoder

// inOrder opens the pipe of gonbui so that a display returns only when the
// kernel has it: what the cell prints next goes through another pipe, and would
// else overtake it.
func inOrder() {
	f, err := os.OpenFile(os.Getenv(protocol.GONB_PIPE_ENV), os.O_WRONLY, 0)
	if err != nil {
		return // gonbui tries again, and says what is wrong
	}
	gonbWriterPipe, gonbEncoder = f, gob.NewEncoder(synced{f})
}

// synced is a pipe to the kernel that waits for its reader.
type synced struct{ f *os.File }

// Write implements io.Writer.
func (s synced) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	host.Sync()
	return n, err
}
