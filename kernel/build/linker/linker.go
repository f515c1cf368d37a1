package linker

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/kernel/build/gosource"
)

// Options say with what to build. All are required.
type Options struct {
	Go     string   // the go command
	Root   string   // its GOROOT
	Env    []string // the environment of go commands
	ID     string   // changes when another Go would make another linker
	Parent string   // the folder for linkers, each in a folder of its own
}

// Version changes whenever lists of symbols, or what a linker does, change.
func Version() string {
	h := sha256.New()
	fmt.Fprintln(h, gosource.Sum(edits))
	h.Write(ldSource)
	h.Write(loaderSource)
	return hex.EncodeToString(h.Sum(nil))[:20]
}

// Check reports why [Build] cannot make a linker from the sources below a
// GOROOT; nil when it can.
func Check(goroot string) error {
	_, err := patched(goroot)
	return err
}

// Build returns the file name of the linker, and builds it, in some ten seconds,
// the first time that it is asked for with this Go.
func Build(ctx context.Context, opt Options) (file string, err error) {
	sum := sha256.Sum256([]byte(opt.ID + "\n" + Version()))
	dir := filepath.Join(opt.Parent, hex.EncodeToString(sum[:])[:20])
	file = filepath.Join(dir, "link")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	files, err := patched(opt.Root)
	if err != nil {
		return "", err
	}
	tool := gosource.Tool{Go: opt.Go, Root: opt.Root, Env: opt.Env, Package: "cmd/link", Files: files}
	if err := tool.Build(ctx, dir); err != nil {
		return "", fmt.Errorf("linker: %w", err)
	}
	return file, nil
}

// Packages returns the packages of a list of symbols, by escaped import path.
func Packages(list string) ([]string, error) {
	f, err := os.Open(list)
	if err != nil {
		return nil, fmt.Errorf("linker: %w", err)
	}
	defer f.Close()
	// The header is described in ld.go.txt.
	header := make([]byte, len(magic)+3*4)
	if _, err := io.ReadFull(f, header); err != nil || string(header[:len(magic)]) != magic {
		return nil, fmt.Errorf("linker: %s is not a list of symbols", list)
	}
	off := binary.LittleEndian.Uint32(header[len(magic)+4:])
	n := binary.LittleEndian.Uint32(header[len(magic)+8:])
	var pkgs []string
	sc := bufio.NewScanner(io.NewSectionReader(f, int64(off), int64(n)))
	for sc.Scan() {
		path, _, _ := strings.Cut(sc.Text(), " ")
		pkgs = append(pkgs, path)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("linker: %s: %w", list, err)
	}
	return pkgs, nil
}

// magic is what lists of symbols begin with.
const magic = "holtsym1"
