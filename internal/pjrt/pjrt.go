// Package pjrt speaks the little of PJRT's C interface that go-xla v0.4.4 lacks:
// how full a device's memory is, what a plugin says of itself when nothing else is
// linked, executables as bytes, so that they need not be compiled again, and clients
// that know the devices of all processes of a job.
//
// The interface is a table of functions that only ever grows at its end, so that
// a place in it is the same in every version.
// https://github.com/openxla/xla/blob/main/xla/pjrt/c/pjrt_c_api.h
package pjrt

import (
	"fmt"
	"unsafe"
)

// Memory is how full a device is, in bytes.
type Memory struct {
	Used  int64 // by this process
	Limit int64 // that this process may take; 0 where the plugin does not say
}

// Report is what a plugin says of itself.
type Report struct {
	Major, Minor int // version of the interface
	Platform     string
	Version      string // of the platform, such as "cuda 13000"
	Devices      []string

	// Problem is why it opens no device. Empty where it does.
	Problem string
}

// API is the version of the interface as text.
func (r Report) API() string { return fmt.Sprintf("PJRT %d.%d", r.Major, r.Minor) }

// Compilation is what a plugin is asked to compile. Its slices are lent for the
// call that has it.
type Compilation struct {
	Program []byte
	Format  string // of the program, such as mlir
	Options []byte // a CompileOptionsProto
}

// Executable is one that a cache has: as bytes, or loaded already, which is then the
// compiler's caller's. The zero value is none.
type Executable struct {
	Bytes  []byte
	Loaded unsafe.Pointer // of the client that compiles, from [Load]
}

// Cache keeps executables as bytes. Its methods may be called from several
// goroutines at a time, and must not panic.
type Cache interface {
	// Load returns the executable of a program, empty where there is none. keep
	// asks for it to be given to Save, once it is compiled.
	Load(Compilation) (e Executable, keep bool)
	// Options returns the options to compile a program with.
	Options(Compilation) []byte
	// Save is given an executable, which is lent for this call.
	Save(c Compilation, executable []byte)
	// Refused is given the error of a plugin that does not load what Load returned,
	// or does not serialise what it compiled.
	Refused(Compilation, error)
}
