package goxla

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/nccl"
	"github.com/holt-dl/holt/internal/pjrt"
)

// betweenGPUs is NCCL for some devices of a backend. Go-xla v0.4.4 does not bind the functions of
// PJRT by which a buffer's memory is found, and keeps its handles to itself.
type betweenGPUs struct {
	*nccl.Libraries
	api     unsafe.Pointer
	numbers []int    // CUDA's of the devices
	uuids   []string // of the devices
	group   *nccl.Group
}

// openNCCL implements the hook.
func openNCCL(b any, devices []int) (hooks.NCCL, error) {
	plugin, _ := libraries.Load(b)
	path, _ := plugin.(string)
	l, err := openLibraries(path)
	if err != nil {
		return nil, err
	}
	g := &betweenGPUs{Libraries: l}
	for _, d := range devices {
		api, device := handles(b, d)
		number, err := pjrt.HardwareOf(api, device)
		if err != nil {
			return nil, err
		}
		uuid, err := l.UUID(number)
		if err != nil {
			return nil, err
		}
		g.api = api
		g.numbers, g.uuids = append(g.numbers, number), append(g.uuids, uuid)
	}
	return g, nil
}

// opened has the libraries, which are loaded once.
var opened struct {
	sync.Mutex
	libraries *nccl.Libraries
}

func openLibraries(plugin string) (*nccl.Libraries, error) {
	opened.Lock()
	defer opened.Unlock()
	if opened.libraries != nil {
		return opened.libraries, nil
	}
	l, err := nccl.Open(nccl.Beside(plugin))
	if err == nil {
		opened.libraries = l
	}
	return l, err
}

func (g *betweenGPUs) GPUs() []string { return g.uuids }

func (g *betweenGPUs) NewIDs() (ids [][]byte, err error) {
	for range g.numbers {
		id, err := g.NewID()
		if err != nil {
			return nil, err
		}
		ids = append(ids, id[:])
	}
	return ids, nil
}

func (g *betweenGPUs) Join(ctx context.Context, rank, processes int, texts [][]byte) (err error) {
	var ids []nccl.ID
	for _, text := range texts {
		if len(text) != len(nccl.ID{}) {
			return fmt.Errorf("nccl: a number for the job has %d bytes, want %d", len(text), len(nccl.ID{}))
		}
		ids = append(ids, nccl.ID(text))
	}
	g.group, err = g.Libraries.Join(ctx, nccl.Place{Rank: rank, Size: processes}, g.numbers, ids)
	return err
}

func (g *betweenGPUs) Close() {
	if g.group != nil {
		g.group.Close()
	}
}

func (g *betweenGPUs) AllReduce(ctx context.Context, release func(), arrays []hooks.OnDevices) error {
	return g.with(release, arrays, func(release func(), on []nccl.Array) error { return g.group.AllReduce(ctx, release, on...) })
}

func (g *betweenGPUs) ReduceScatter(ctx context.Context, release func(), arrays []hooks.OnDevices) error {
	return g.with(release, arrays, func(release func(), on []nccl.Array) error { return g.group.ReduceScatter(ctx, release, on...) })
}

func (g *betweenGPUs) AllGather(ctx context.Context, release func(), arrays []hooks.OnDevices) error {
	return g.with(release, arrays, func(release func(), on []nccl.Array) error { return g.group.AllGather(ctx, release, on...) })
}

// with calls f with the memory of arrays, which it releases.
func (g *betweenGPUs) with(release func(), arrays []hooks.OnDevices, f func(release func(), on []nccl.Array) error) error {
	held := []func(){release}
	all := func() {
		for _, f := range held {
			f()
		}
	}
	var on []nccl.Array
	for _, a := range arrays {
		to := nccl.Array{N: a.Numbers, Same: a.Same}
		for _, b := range a.Buffers {
			at, letGo, err := g.data(b)
			if err != nil {
				all()
				return err
			}
			held, to.At = append(held, letGo), append(to.At, at)
		}
		on = append(on, to)
	}
	return f(all, on)
}

// data is the memory of a buffer.
func (g *betweenGPUs) data(buffer any) (at unsafe.Pointer, release func(), err error) {
	b, ok := buffer.(*xla.Buffer)
	if !ok {
		return nil, nil, errors.New("goxla: a buffer is another backend's")
	}
	return pjrt.DataOf(g.api, pointer(b, "pjrtBuffer", "wrapper", "c"))
}
