// Command cuda compiles the programs in a folder for a GPU that need not be there, and
// prints what they would take of it: make cuda runs it on what HOLT_PROGRAMS collected.
//
//	go run ./bench/cuda h100 FOLDER
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/holt-dl/holt/internal/ahead"
	"github.com/holt-dl/holt/internal/hooks"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: cuda GPU FOLDER, where GPU is one of", strings.Join(ahead.Names(), ", "))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := report(ctx, os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "cuda:", err)
		os.Exit(1)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// report compiles the programs of a folder, those for one GPU first and small ones before large
// ones, and says how many cannot be compiled. What a program would take is kept in the folder, so
// that the next call goes on where this one was interrupted.
func report(ctx context.Context, gpu, folder string) (failed int, err error) {
	all, err := read(folder)
	if err != nil {
		return 0, err
	}
	by := map[int][]*program{}
	for _, p := range all {
		by[p.gpus] = append(by[p.gpus], p)
	}
	for _, n := range slices.Sorted(maps.Keys(by)) {
		if err = compile(ctx, gpu, n, by[n], filepath.Join(folder, "results")); err != nil {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		return 0, err
	}
	return print(gpu, all), err
}

// program is one that dl has written.
type program struct {
	name     string
	gpus     int // for which it is
	text     []byte
	compiled bool
	result   hooks.Compiled
}

// read reads the programs of a folder, small ones first.
func read(folder string) ([]*program, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.mlir"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no programs", folder)
	}
	var all []*program
	for _, f := range files {
		p := &program{name: strings.TrimSuffix(filepath.Base(f), ".mlir")}
		if _, err := fmt.Sscanf(p.name, "%d-", &p.gpus); err != nil || p.gpus < 1 {
			return nil, fmt.Errorf("%s is not named for a number of GPUs", f)
		}
		if p.text, err = os.ReadFile(f); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b *program) int {
		return cmp.Or(cmp.Compare(a.gpus, b.gpus), cmp.Compare(len(a.text), len(b.text)))
	})
	return all, nil
}

// compile compiles programs for n GPUs, but for those whose results are kept. Failures are not
// kept: what ended the compiler may have been another program that took all memory.
func compile(ctx context.Context, gpu string, n int, all []*program, kept string) error {
	basis, err := ahead.Basis(gpu, n)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return err
	}
	file := func(p *program) string {
		sum := sha256.Sum256(append(basis[:len(basis):len(basis)], p.text...))
		return filepath.Join(kept, fmt.Sprintf("%x.json", sum))
	}
	var rest []*program
	var texts [][]byte
	for _, p := range all {
		text, err := os.ReadFile(file(p))
		if err == nil && json.Unmarshal(text, &p.result) == nil {
			p.compiled = true
			p.result.FLOPs, p.result.Loops = ahead.Operations(p.text)
			continue
		}
		rest, texts = append(rest, p), append(texts, p.text)
	}
	var broken error
	done := len(all) - len(rest)
	_, err = ahead.Compile(ctx, gpu, n, texts, func(i int, c hooks.Compiled) {
		p := rest[i]
		p.compiled, p.result = true, c
		done++
		fmt.Fprintf(os.Stderr, "\r%d of %d for %d GPU", done, len(all), n)
		if c.Err != nil {
			return
		}
		text, err := json.Marshal(c)
		if err == nil {
			err = os.WriteFile(file(p), text, 0o644)
		}
		broken = cmp.Or(broken, err)
	})
	fmt.Fprintln(os.Stderr)
	return cmp.Or(err, broken)
}

// print prints what each program would take, and all together, and returns how many cannot be
// compiled.
func print(gpu string, all []*program) (failed int) {
	var total hooks.Compiled
	compiled := 0
	calls := map[string]int{}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\tGPUs\tMFLOP\tMiB\tlibrary calls and collectives")
	for _, p := range all {
		c := p.result
		switch {
		case !p.compiled:
			continue
		case c.Err != nil:
			failed++
			fmt.Fprintf(w, "%s\t%d\tfails\t\t%v\n", p.name, p.gpus, c.Err)
			continue
		}
		compiled++
		total.FLOPs += c.FLOPs
		total.Memory = max(total.Memory, c.Memory)
		var called []string
		for _, name := range slices.Sorted(maps.Keys(c.Calls)) {
			calls[name] += c.Calls[name]
			called = append(called, fmt.Sprintf("%s×%d", name, c.Calls[name]))
		}
		for _, k := range c.Collectives {
			text := fmt.Sprintf("%s×%d:%.2fMiB", k.Name, k.Calls, float64(k.Bytes)/(1<<20))
			if k.Hosts {
				text += ":between-hosts"
			}
			called = append(called, text)
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.2f\t%s\n", p.name, p.gpus, c.FLOPs/1e6, float64(c.Memory)/(1<<20), strings.Join(called, " "))
	}
	w.Flush()
	fmt.Printf("%d programs for %s: %d compile, %d fail", len(all), gpu, compiled, failed)
	if rest := len(all) - compiled - failed; rest > 0 {
		fmt.Printf(", %d are left for the next run", rest)
	}
	fmt.Printf("; %.1f GFLOP in all, at most %.1f MiB in one; calls:", total.FLOPs/1e9, float64(total.Memory)/(1<<20))
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		fmt.Printf(" %s×%d", name, calls[name])
	}
	fmt.Println()
	return failed
}
