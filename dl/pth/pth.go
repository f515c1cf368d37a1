// Package pth reads weights from the files that torch.save writes, such as
// torchvision publishes them.
//
//	dict, err := pth.LoadStateDict("vgg16-397923af.pth")
//	err = model.LoadStateDict(dict)
//
// A checkpoint holds more than weights. The dictionary of tensors in it is
// found, wherever it is; where there are several, a key says which:
//
//	dict, err := pth.File{Path: "RealESRGAN_x4plus.pth", Key: "params_ema"}.StateDict()
//
// # Safety
//
// Such a file is a Python pickle, which is a program. Only its data is read:
// dictionaries, lists, numbers, text and tensors. For what Python would have
// made by calling a function or a class there is a placeholder, and nothing of
// the file ever runs. To keep weights, safetensors is the better format:
// [dl.Model.Save].
//
// # Formats
//
// Both formats of torch.save are read: the zip archive, and the older one,
// before PyTorch 1.6, in which pickles and storages follow one another.
// https://docs.pytorch.org/docs/stable/notes/serialization.html,
// https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
package pth

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/filetype"
)

// ErrCorrupt is wrapped by the error for a file that is not what torch.save
// wrote: cut off, changed, or of another kind.
var ErrCorrupt = errors.New("the file is damaged or not a file of torch.save")

// ErrRefused is wrapped by the error for a file whose weights are something
// else than tensors that dl can hold: a whole model, which is Python code, a
// TorchScript program, sparse or complex tensors. Nothing of it was run.
var ErrRefused = errors.New("the file holds more than plain tensors")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w; save or download it again", fmt.Sprintf(format, args...), ErrCorrupt)
}

// File is a file of torch.save, and what to take of it.
type File struct {
	Path string // required

	// Key is where a checkpoint holds the weights, such as "params_ema", with
	// dots between the keys of nested dictionaries: "model.generator". A single
	// dot is the file's top level. Empty means the one dictionary of tensors in
	// the file.
	Key string
}

// LoadStateDict reads the one dictionary of tensors in a file: [File.StateDict]
// without a key.
func LoadStateDict(path string) (dl.StateDict, error) { return File{Path: path}.StateDict() }

// StateDict reads the tensors of a state dict. In a checkpoint it is found by
// itself: what an optimizer or a scheduler keeps is none, names with dots such
// as "0.weight" and keys such as "model", "state_dict" or "net" come before
// single tensors beside them. Two that could be meant are an error, which names
// both.
//
// Tensors that share their memory in Python do not here; float16, bfloat16 and
// float8 become float32. What the file promises is checked before memory is
// taken for it. A file that fails is an error that wraps [ErrCorrupt] or
// [ErrRefused].
func (f File) StateDict() (dl.StateDict, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("pth: %w", err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, fmt.Errorf("pth: %w", err)
	}
	const want = "a file of torch.save"
	if info.IsDir() {
		return nil, fmt.Errorf("pth: load %s: %w", f.Path, filetype.Folder(f.Path).Error(f.Path, want, ErrCorrupt))
	}
	dict, err := f.read(r, info.Size())
	if errors.Is(err, ErrCorrupt) {
		if kind, known := filetype.Of(r, info.Size(), f.Path); known && kind.Name != filetype.Torch {
			err = kind.Error(f.Path, want, ErrCorrupt)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("pth: load %s: %w", f.Path, err)
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

// repeats is how many times as many bytes as the file's its tensors may have:
// one may repeat values by a stride of 0, and an archive may be compressed.
const repeats = 16

func (file File) read(f io.ReaderAt, size int64) (dl.StateDict, error) {
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
	tensors, err := file.choose(top)
	if err != nil {
		return nil, err
	}
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
