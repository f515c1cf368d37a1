// Package pth reads weights from the files that torch.save writes, such as
// torchvision publishes them.
//
//	dict, err := pth.LoadStateDict("vgg16-397923af.pth")
//	err = model.LoadStateDict(dict)
//
// Such a file is a Python pickle, which is a program. Only what a state dict
// needs is understood: dictionaries, lists, numbers, text and tensors. A file
// that names any other function or class is refused, and nothing of it runs.
// To keep weights, safetensors is the better format: [dl.Model.Save].
//
// # Formats
//
// Both formats of torch.save are read: the zip archive, and the older one,
// before PyTorch 1.6, in which pickles and storages follow one another.
// https://docs.pytorch.org/docs/stable/notes/serialization.html,
// https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
package pth

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl"
)

// ErrCorrupt is wrapped by the error for a file that is not what torch.save
// wrote: cut off, changed, or of another kind.
var ErrCorrupt = errors.New("the file is damaged or not a file of torch.save")

// ErrRefused is wrapped by the error for a file that asks for functions or
// classes other than those of a state dict. Nothing of it was run.
var ErrRefused = errors.New("the file asks for more than tensors")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w; save or download it again", fmt.Sprintf(format, args...), ErrCorrupt)
}

// LoadStateDict reads the tensors of a state dict. One that lies in a
// checkpoint under "state_dict", "model_state_dict" or "model" is found
// there. Tensors that share their memory in Python do not here; float16 and
// bfloat16 become float32.
//
// What the file promises is checked before memory is taken for it. A file that fails
// is an error that wraps [ErrCorrupt] or [ErrRefused].
func LoadStateDict(path string) (dl.StateDict, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("pth: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("pth: %w", err)
	}
	dict, err := read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("pth: load %s: %w", path, err)
	}
	return dict, nil
}

// source is where the bytes of storages come from, each read once.
type source interface {
	// load returns the bytes of a storage, whose number the file must hold.
	load(s *storage) ([]byte, error)
	// order returns the storages in the order that reads them best.
	order(all []*storage) []*storage
}

func read(f io.ReaderAt, size int64) (dl.StateDict, error) {
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil {
		return nil, corrupt("the file has %d bytes", size)
	}
	var top any
	var from source
	var err error
	if string(magic[:]) == "PK\x03\x04" {
		top, from, err = openZip(f, size)
	} else {
		top, from, err = openLegacy(bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 1<<16), size)
	}
	if err != nil {
		return nil, err
	}
	tensors, err := stateDict(top)
	if err != nil {
		return nil, err
	}
	// A tensor may repeat values by a stride of 0. Nobody needs that much of it.
	const repeats = 16
	left := repeats*size + 1<<20
	users := map[*storage][]string{}
	var storages []*storage
	for name, t := range tensors {
		n, err := t.check()
		if err == nil && n > left {
			err = corrupt("the file's %d bytes would become more than %d times as many", size, repeats)
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		left -= n
		if users[t.storage] == nil {
			storages = append(storages, t.storage)
		}
		users[t.storage] = append(users[t.storage], name)
	}
	dict := dl.StateDict{}
	for _, s := range from.order(storages) {
		b, err := from.load(s)
		if err != nil {
			return nil, err
		}
		for _, name := range users[s] {
			dict[name] = tensors[name].tensor(b)
		}
	}
	return dict, nil
}

// nested are the keys under which checkpoints hold a state dict.
var nested = []string{"state_dict", "model_state_dict", "model"}

// stateDict finds the named tensors in what was pickled.
func stateDict(top any) (map[string]*tensor, error) {
	d, ok := top.(*dict)
	if !ok {
		return nil, fmt.Errorf("it holds a %s, want a dictionary of tensors: torch.save(model.state_dict(), path)", kindOf(top))
	}
	tensors := map[string]*tensor{}
	var keys []string
	for _, item := range d.items {
		name, _ := item[0].(string)
		if name != "" {
			keys = append(keys, name)
		}
		if t, ok := item[1].(*tensor); ok && name != "" {
			tensors[name] = t
		}
	}
	if len(tensors) == 0 {
		for _, item := range d.items {
			if inner, ok := item[1].(*dict); ok && slices.ContainsFunc(nested, func(s string) bool { return s == item[0] }) {
				if found := inner.tensors(); len(found) > 0 {
					return stateDict(&dict{items: found})
				}
			}
		}
	}
	if len(tensors) == 0 && len(d.items) > 0 {
		if len(keys) == 0 {
			keys = []string{"what has no names"}
		}
		return nil, fmt.Errorf("it holds %.200s and no tensors, want a state dict, or one under %s: torch.save(model.state_dict(), path)",
			strings.Join(keys[:min(len(keys), 8)], ", "), strings.Join(nested, ", "))
	}
	return tensors, nil
}

// storage is a piece of memory that tensors are parts of.
type storage struct {
	key  string
	kind kind
	n    int64 // elements
}

// kind is a type of elements.
type kind struct {
	name string // as PyTorch calls its storages
	size int64  // bytes
	make func(b []byte, t *tensor, shape []int) *dl.Tensor
}

// tensor is a part of a storage.
type tensor struct {
	storage      *storage
	offset       int64
	size, stride []int64 // in elements
}

// check returns the tensor's bytes, or tells what is wrong with it.
func (t *tensor) check() (int64, error) {
	if len(t.size) != len(t.stride) || len(t.size) > maxAxes || t.offset < 0 {
		return 0, corrupt("its shape is %v with strides %v from %d", t.size, t.stride, t.offset)
	}
	n, last := int64(1), t.offset
	for i, size := range t.size {
		stride := t.stride[i]
		if size < 0 || stride < 0 || size > 0 && n > math.MaxInt32*16/size || size > 1 && stride > (math.MaxInt64-last)/size {
			return 0, corrupt("its shape is %v with strides %v", t.size, t.stride)
		}
		n *= size
		if size > 1 {
			last += (size - 1) * stride
		}
	}
	if n > 0 && last >= t.storage.n {
		return 0, corrupt("its shape is %v with strides %v from %d, of a storage of %d", t.size, t.stride, t.offset, t.storage.n)
	}
	return n * t.storage.kind.size, nil
}

// tensor takes its values out of the storage's bytes.
func (t *tensor) tensor(b []byte) *dl.Tensor {
	shape := make([]int, len(t.size))
	for i, size := range t.size {
		shape[i] = int(size)
	}
	return t.storage.kind.make(b, t, shape)
}

// contiguous tells whether the elements follow one another.
func (t *tensor) contiguous() bool {
	want := int64(1)
	for i := len(t.size) - 1; i >= 0; i-- {
		if t.size[i] != 1 && t.stride[i] != want {
			return false
		}
		want *= t.size[i]
	}
	return true
}

// each calls visit with the place of each element, in row-major order. There
// is at least one.
func (t *tensor) each(visit func(i int64)) {
	at := make([]int64, len(t.size))
	place := t.offset
	for {
		visit(place)
		axis := len(at) - 1
		for ; axis >= 0; axis-- {
			at[axis]++
			place += t.stride[axis]
			if at[axis] < t.size[axis] {
				break
			}
			place -= t.stride[axis] * t.size[axis]
			at[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// openZip reads the pickle of a zip archive.
func openZip(f io.ReaderAt, size int64) (any, source, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, nil, corrupt("the zip archive cannot be read (%v)", err)
	}
	a := archive{files: map[string]*zip.File{}, size: size}
	for _, e := range z.File {
		if a.files[e.Name] != nil {
			return nil, nil, corrupt("the archive holds %q twice", e.Name)
		}
		a.files[e.Name] = e
		if folder, ok := strings.CutSuffix(e.Name, "data.pkl"); ok && strings.Count(folder, "/") <= 1 {
			a.folder = folder
		}
	}
	if a.files[a.folder+"data.pkl"] == nil {
		return nil, nil, fmt.Errorf("the archive has no data.pkl: %w; a file of torch.jit or of another program is none of torch.save", ErrCorrupt)
	}
	if a.files[a.folder+"byteorder"] != nil {
		order, err := a.bytes("byteorder")
		if err != nil {
			return nil, nil, err
		}
		if string(order) != "little" {
			return nil, nil, fmt.Errorf("its numbers are %.10s-endian, want little; save it on another machine", order)
		}
	}
	pickle, err := a.bytes("data.pkl")
	if err != nil {
		return nil, nil, err
	}
	top, _, err := unpickle(bufio.NewReader(bytes.NewReader(pickle)), maxPickle)
	return top, a, err
}

// archive is a zip archive as a source.
type archive struct {
	files  map[string]*zip.File
	folder string
	size   int64 // of the whole file, which no stored entry can exceed
}

// bytes reads an entry. Torch stores entries as they are, so none grows.
func (a archive) bytes(name string) ([]byte, error) {
	e := a.files[a.folder+name]
	if e == nil {
		return nil, corrupt("the archive has no %s", name)
	}
	if e.Method != zip.Store || e.UncompressedSize64 != e.CompressedSize64 || e.UncompressedSize64 > uint64(a.size) {
		return nil, corrupt("%s is compressed, or of %d bytes in a file of %d", name, e.UncompressedSize64, a.size)
	}
	r, err := e.Open()
	if err != nil {
		return nil, corrupt("%s cannot be read (%v)", name, err)
	}
	defer r.Close()
	b := make([]byte, e.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, corrupt("%s ends early (%v)", name, err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF { // here its checksum is compared
		return nil, corrupt("%s: %v", name, err)
	}
	return b, nil
}

func (a archive) load(s *storage) ([]byte, error) {
	if e := a.files[a.folder+"data/"+s.key]; e != nil && e.UncompressedSize64 != uint64(s.n*s.kind.size) {
		return nil, corrupt("storage %q has %d bytes, want %d", s.key, e.UncompressedSize64, s.n*s.kind.size)
	}
	return a.bytes("data/" + s.key)
}

func (a archive) order(all []*storage) []*storage {
	slices.SortFunc(all, func(x, y *storage) int { return strings.Compare(x.key, y.key) })
	return all
}
