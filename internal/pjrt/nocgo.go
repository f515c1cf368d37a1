//go:build !cgo || !unix

package pjrt

import (
	"context"
	"errors"
	"unsafe"
)

// Loads says whether this program can load a plugin.
const Loads = false

var errNoC = errors.New("pjrt: this program was built without cgo, so that it loads no plugin")

// HoldMemory does nothing: without cgo there is no malloc.
func HoldMemory() {}

// Probe needs cgo.
func Probe(string) (Report, error) { return Report{}, errNoC }

// KindOf needs cgo.
func KindOf(_, _ unsafe.Pointer) (string, error) { return "", errNoC }

// MemoryOf needs cgo.
func MemoryOf(_, _ unsafe.Pointer) (Memory, error) { return Memory{}, errNoC }

// HardwareOf needs cgo.
func HardwareOf(_, _ unsafe.Pointer) (int, error) { return 0, errNoC }

// DataOf needs cgo.
func DataOf(_, _ unsafe.Pointer) (unsafe.Pointer, func(), error) { return nil, nil, errNoC }

// Intercept needs cgo.
func Intercept(_, _ unsafe.Pointer, _ Cache) unsafe.Pointer { return nil }

// Load needs cgo.
func Load(_, _ unsafe.Pointer, _ []byte) (unsafe.Pointer, error) { return nil, errNoC }

// Unload needs cgo.
func Unload(_, _ unsafe.Pointer) {}

// Describe needs cgo.
func Describe(_, _ unsafe.Pointer) string { return "" }

// Target is devices of a plugin that need not be there.
type Target struct{}

// DescribeTarget needs cgo.
func DescribeTarget(_, _ string, _, _ int) (*Target, error) { return nil, errNoC }

// Close does nothing.
func (*Target) Close() {}

// Compile needs cgo.
func (*Target) Compile([]byte) (Cost, error) { return Cost{}, errNoC }

// Client is a plugin's devices of a job.
type Client struct{}

// NewClient needs cgo.
func NewClient(context.Context, string, Job, map[string]any) (*Client, error) { return nil, errNoC }

// Devices needs cgo.
func (*Client) Devices() []Device { return nil }

// Close needs cgo.
func (*Client) Close() {}

// Compile needs cgo.
func (*Client) Compile([]byte, Assignment) (*Program, error) { return nil, errNoC }

// Program is a compiled program for devices of a job.
type Program struct{}

// Devices needs cgo.
func (*Program) Devices() []int { return nil }

// Run needs cgo.
func (*Program) Run(context.Context, [][]Array) ([][]Array, error) { return nil, errNoC }

// Close needs cgo.
func (*Program) Close() {}
