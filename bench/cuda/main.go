// Command cuda compiles the programs in a folder for a GPU that need not be there, and
// prints what they would take of it: make cuda runs it on what HOLT_PROGRAMS collected.
//
//	go run ./bench/cuda h100 FOLDER
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/holt-dl/holt/internal/ahead"
	"github.com/holt-dl/holt/internal/hooks"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: cuda GPU FOLDER, where GPU is one of", strings.Join(ahead.Names(), ", "))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
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

// report compiles the programs of a folder, those for one GPU first, and says how many
// cannot be compiled.
func report(ctx context.Context, gpu, folder string) (failed int, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.mlir"))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("%s has no programs", folder)
	}
	by := map[int][]string{} // the number of GPUs begins a file's name
	for _, f := range files {
		n := 0
		if _, err := fmt.Sscanf(filepath.Base(f), "%d-", &n); err != nil || n < 1 {
			return 0, fmt.Errorf("%s is not named for a number of GPUs", f)
		}
		by[n] = append(by[n], f)
	}
	var total hooks.Compiled
	calls := map[string]int{}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\tGPUs\tMFLOP\tMiB\tlibrary calls")
	for _, n := range slices.Sorted(maps.Keys(by)) {
		var programs [][]byte
		for _, f := range by[n] {
			text, err := os.ReadFile(f)
			if err != nil {
				return 0, err
			}
			programs = append(programs, text)
		}
		done := 0
		_, err := ahead.Compile(ctx, gpu, n, programs, func(i int, c hooks.Compiled) {
			done++
			fmt.Fprintf(os.Stderr, "\r%d of %d for %d GPU", done, len(programs), n)
			name := strings.TrimSuffix(filepath.Base(by[n][i]), ".mlir")
			if c.Err != nil {
				failed++
				fmt.Fprintf(w, "%s\t%d\tfails\t\t%v\n", name, n, c.Err)
				return
			}
			total.FLOPs += c.FLOPs
			total.Memory = max(total.Memory, c.Memory)
			var called []string
			for _, name := range slices.Sorted(maps.Keys(c.Calls)) {
				calls[name] += c.Calls[name]
				called = append(called, fmt.Sprintf("%s×%d", name, c.Calls[name]))
			}
			fmt.Fprintf(w, "%s\t%d\t%.1f\t%.2f\t%s\n", name, n, c.FLOPs/1e6, float64(c.Memory)/(1<<20), strings.Join(called, " "))
		})
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return failed, err
		}
	}
	w.Flush()
	fmt.Printf("%d programs for %s: %d compile, %d fail; %.1f GFLOP in all, at most %.1f MiB in one; calls:", len(files), gpu, len(files)-failed, failed, total.FLOPs/1e9, float64(total.Memory)/(1<<20))
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		fmt.Printf(" %s×%d", name, calls[name])
	}
	fmt.Println()
	return failed, nil
}
