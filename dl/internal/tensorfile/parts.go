package tensorfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/filetype"
	"github.com/holt-dl/holt/internal/near"
)

// Large weights are published in parts, with an index beside them:
//
//	model.safetensors.index.json
//	model-00001-of-00002.safetensors
//	model-00002-of-00002.safetensors
//
// The index is JSON: weight_map gives the part of each tensor, and
// metadata.total_size the bytes of all tensors.
// https://huggingface.co/docs/transformers/big_models

// indexSuffix is how the name of an index ends.
const indexSuffix = ".safetensors.index.json"

// loadFolder reads the parts of the one index in a folder.
func loadFolder(path string) (map[string]Tensor, error) {
	found, err := filepath.Glob(filepath.Join(escapeGlob(path), "*"+indexSuffix))
	if err != nil {
		return nil, fmt.Errorf("dl: load %s: %w", path, err)
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("dl: load %s: %w", path, filetype.Folder(path).Error(path, wantSafetensors, ErrCorrupt))
	case 1:
		return loadParts(found[0])
	}
	return nil, fmt.Errorf("dl: load %s: the folder holds more than one index, %s and %s, want one; give the file", path, filepath.Base(found[0]), filepath.Base(found[1]))
}

// escapeGlob takes the meaning from characters that a pattern gives one.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// loadParts reads the tensors of all parts that an index lists.
func loadParts(path string) (map[string]Tensor, error) {
	wrong := func(err error) (map[string]Tensor, error) {
		return nil, fmt.Errorf("dl: load %s: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return wrong(err)
	}
	defer f.Close()
	part, total, err := readIndex(io.LimitReader(f, maxHeader+1))
	if err != nil {
		return wrong(err)
	}
	names := map[string][]string{}
	for name, file := range part {
		names[file] = append(names[file], name)
	}
	all := map[string]Tensor{}
	var bytes int64
	for _, file := range slices.Sorted(maps.Keys(names)) {
		tensors, n, err := loadFile(filepath.Join(filepath.Dir(path), file))
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("the part %s, which has %s, is not in its folder; download it beside the index", file, near.List(slices.Sorted(slices.Values(names[file]))))
		}
		if err != nil {
			return wrong(err)
		}
		bytes += n
		for _, name := range slices.Sorted(maps.Keys(tensors)) {
			switch place, ok := part[name]; {
			case !ok:
				return wrong(fmt.Errorf("the part %s has %.100q, which the index does not list: %w; they are of two versions, download both again", file, name, ErrCorrupt))
			case place != file:
				return wrong(fmt.Errorf("the part %s has %.100q, which the index has in %s: %w; they are of two versions, download both again", file, name, place, ErrCorrupt))
			}
			all[name] = tensors[name]
		}
		for _, name := range names[file] {
			if _, ok := tensors[name]; !ok {
				return wrong(fmt.Errorf("the part %s lacks %.100q, which the index has there: %w; they are of two versions, download both again", file, name, ErrCorrupt))
			}
		}
	}
	if total >= 0 && total != bytes {
		return wrong(fmt.Errorf("its parts have %d bytes of tensors, and the index says %d: %w; they are of two versions, download both again", bytes, total, ErrCorrupt))
	}
	return all, nil
}

// readIndex reads the part of each tensor, and the bytes of all, -1 where the
// index does not say them. A name that is there twice is an error.
func readIndex(r io.Reader) (part map[string]string, total int64, err error) {
	bad := func(format string, args ...any) (map[string]string, int64, error) {
		return nil, 0, fmt.Errorf("the index %s: %w", fmt.Sprintf(format, args...), ErrCorrupt)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, err
	}
	if len(text) > maxHeader {
		return bad("has more than %d bytes", maxHeader)
	}
	var index struct {
		Metadata  map[string]json.RawMessage `json:"metadata"`
		WeightMap json.RawMessage            `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return bad("is not JSON (%v)", err)
	}
	if index.WeightMap == nil {
		return bad("has no weight_map, which gives the file of each tensor")
	}
	d := json.NewDecoder(strings.NewReader(string(index.WeightMap)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return bad("has a weight_map that is no object")
	}
	part = map[string]string{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return bad("is not JSON (%v)", err)
		}
		var file string
		if err := d.Decode(&file); err != nil {
			return bad("has no file for %.100q (%v)", key, err)
		}
		name := key.(string) // so it is in an object
		if _, twice := part[name]; twice {
			return bad("has %.100q twice, in %.100q and %.100q", name, part[name], file)
		}
		if !filepath.IsLocal(file) || strings.HasSuffix(file, ".json") {
			return bad("has %.100q in %.100q, want a file in the index's folder", name, file)
		}
		part[name] = file
	}
	total = -1
	if said := index.Metadata["total_size"]; said != nil {
		var n float64
		if err := json.Unmarshal(said, &n); err != nil || n < 0 || n != float64(int64(n)) {
			return bad("has %.50q for total_size, want a number of bytes", said)
		}
		total = int64(n)
	}
	return part, total, nil
}
