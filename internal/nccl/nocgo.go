//go:build !cgo || !unix

package nccl

import (
	"context"
	"errors"
	"unsafe"
)

// Libraries are NCCL and CUDA's driver.
type Libraries struct{}

// Group is the communicators of this process's GPUs.
type Group struct{}

var errNoCgo = errors.New("nccl: this program was built without cgo")

// Open loads NCCL's library and that of CUDA's driver.
func Open([]string) (*Libraries, error) { return nil, errNoCgo }

// Version is that of NCCL.
func (*Libraries) Version() string { return "" }

// UUID names a GPU.
func (*Libraries) UUID(int) (string, error) { return "", errNoCgo }

// NewID makes what the processes of a communicator find each other by.
func (*Libraries) NewID() (ID, error) { return ID{}, errNoCgo }

// Join makes this process's communicators.
func (*Libraries) Join(context.Context, Place, []int, []ID) (*Group, error) { return nil, errNoCgo }

// Put copies numbers to a GPU.
func (*Group) Put(context.Context, int, []float32) (unsafe.Pointer, error) { return nil, errNoCgo }

// Read copies numbers from a GPU.
func (*Group) Read(context.Context, int, unsafe.Pointer, []float32) error { return errNoCgo }

// AllReduce adds up arrays.
func (*Group) AllReduce(context.Context, func(), ...Array) error { return errNoCgo }

// ReduceScatter adds up arrays to the pieces that each process gets.
func (*Group) ReduceScatter(context.Context, func(), ...Array) error { return errNoCgo }

// AllGather brings pieces together.
func (*Group) AllGather(context.Context, func(), ...Array) error { return errNoCgo }

// Close gives back the communicators.
func (*Group) Close() {}
