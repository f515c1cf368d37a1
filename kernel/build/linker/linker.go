package linker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/holt-dl/holt/kernel/build/gosource"
	"github.com/holt-dl/holt/kernel/build/linker/symlist"
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
	for _, name := range slices.Sorted(maps.Keys(added)) {
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(added[name]))
	}
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
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, fmt.Errorf("linker: %w", err)
	}
	x, err := symlist.New(text)
	if err != nil {
		return nil, fmt.Errorf("linker: %s: %w", list, err)
	}
	packages, err := x.Packages()
	if err != nil {
		return nil, fmt.Errorf("linker: %s: %w", list, err)
	}
	return slices.Sorted(maps.Keys(packages)), nil
}
