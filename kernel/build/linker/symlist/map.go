//go:build unix

package symlist

import (
	"os"
	"syscall"
)

// Map maps a file. It stays mapped.
//
// There is no function to unmap it: the tools that read lists are short-lived, and records
// that were returned point into the file.
func Map(file string) (*List, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// A file of no bytes cannot be mapped at all, and its error would not say what is wrong.
	if info.Size() < int64(header) {
		return nil, errNone
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return New(b)
}
