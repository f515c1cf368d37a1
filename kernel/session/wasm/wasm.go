// Package wasm makes a whole program of one cell: of a cell with %wasm, one that runs in the
// page, where the host of the other cells is out of reach.
//
// [Program] writes the program, with what it needs of earlier cells. A [Folder] is where the
// programs of a notebook are, so that Jupyter serves them to the page:
//
//	ROOT/jupyter_files/gonb_…/wasm_exec.js   Go's support for the page
//	ROOT/jupyter_files/gonb_…/cell_1.wasm    the first program
//	ROOT/jupyter_files/gonb_…/cell_2.wasm    the second
//
// What the cell shows is an element and a script (wasm.js), which fetches both files and runs
// the program with the element as its place to draw.
//
// A cell is written as a program for other tools too, such as !*go vet (modules.Modules.Save).
package wasm

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/session/report"
)

// wasmFiles is the folder below Jupyter's root that holds programs of %wasm,
// one folder a kernel. Its name does not begin with a dot, because Jupyter
// serves no hidden files.
const wasmFiles = "jupyter_files"

// A Folder holds the programs of one notebook. Only the running cell uses it.
type Folder struct {
	Dir string
	URL string // by which a page of the Jupyter server reaches it

	programs int // that were made
}

// Make makes the folder below the one that a Jupyter server serves, with what Go's programs
// need in a page: wasm_exec.js of the Go that compiles them, since the two must be of one
// version. Base is the path of the server's pages, which ends in "/", and id tells this
// notebook's folder from others'.
func Make(root, base, id string, toolchain *build.Toolchain) (*Folder, error) {
	f := &Folder{Dir: filepath.Join(root, wasmFiles, id), URL: base + "files/" + wasmFiles + "/" + id}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("%%wasm: %w", err)
	}
	js, err := os.ReadFile(filepath.Join(toolchain.Root, "lib", "wasm", "wasm_exec.js"))
	if err == nil {
		err = os.WriteFile(filepath.Join(f.Dir, "wasm_exec.js"), js, 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("%%wasm: Go's support for the page: %w", err)
	}
	return f, nil
}

// Remove removes the folder, and the one that holds it when no other kernel has a folder there:
// the second removal fails where that is not empty. Pages that show the programs keep running
// what they have fetched.
func (f *Folder) Remove() {
	os.RemoveAll(f.Dir)
	os.Remove(filepath.Dir(f.Dir))
}

//go:embed wasm.js
var wasmScript string

// Build is what a program is compiled with: the modules and the toolchain of World.
type Build struct {
	World *build.World
	Dir   string   // for its files while it is compiled
	Flags []string // of go build
}

// Add compiles a cell for the page, and returns what runs it there with arguments. Each program
// has a file and an element of its own, so that a page can show the outputs of many. The files
// stay until [Folder.Remove].
//
// The program knows its surroundings by constants, as GoNB has them: GonbWasmDir, GonbWasmUrl
// and GonbWasmDivId. The first of its arguments is "js", the name that wasm_exec.js gives a
// program.
func (f *Folder) Add(ctx context.Context, b Build, m *scope.Model, packages Packages, src parse.Source, args []string) (frame.Bundle, error) {
	f.programs++
	div := fmt.Sprintf("gonb_wasm_%s_%d", filepath.Base(f.Dir), f.programs)
	file := fmt.Sprintf("cell_%d.wasm", f.programs)
	program, err := Program(ctx, m, packages, src, map[string]string{
		"GonbWasmDir": f.Dir, "GonbWasmUrl": f.URL, "GonbWasmDivId": div,
	})
	if err != nil {
		return frame.Bundle{}, err
	}
	if err := b.compile(ctx, program, filepath.Join(f.Dir, file)); err != nil {
		return frame.Bundle{}, err
	}
	// The script gets a path below the server's root and no URL: only the page knows where its
	// server's files are, behind a proxy say.
	values, err := json.Marshal(map[string]any{
		"folder": wasmFiles + "/" + filepath.Base(f.Dir), "file": file, "div": div, "args": append([]string{"js"}, args...),
	})
	if err != nil {
		return frame.Bundle{}, err
	}
	// JSON writes < as \u003c, so that no argument ends the script.
	js := strings.Replace(wasmScript, `"PROGRAM"`, string(values), 1)
	return frame.Bundle{Data: map[string]any{
		"text/html": fmt.Sprintf("<div id=\"%s\"></div>\n<script>\n%s</script>", html.EscapeString(div), js),
	}}, nil
}

// commandLineFile matches a line of the go command about a cell up to the column, with whatever
// stands before the cell's name: the folder of main.go.
//
//	../../tmp/wasm-1/cell[3]:2:5: …   →   cell[3]:2:5: …
var commandLineFile = regexp.MustCompile(`(?m)^.*(cell\[\d+\]:\d+)`)

// compile compiles a program with the notebook's modules. What it needs beyond them is required
// for it alone, since the host may not be able to hold it: syscall/js is for the page only, and
// so are packages made with it. So go.mod and go.sum are copies, which -mod=mod may change.
//
// The go command runs in the folder of the world's sources, whose module the go.mod is; the
// program is named to it as a file. An interrupt kills it with its compilers. An error is a
// *build.CompileError where the output names lines.
func (b Build) compile(ctx context.Context, program, out string) error {
	dir, err := os.MkdirTemp(b.Dir, "wasm-")
	if err != nil {
		return fmt.Errorf("%%wasm: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, ext := range []string{".mod", ".sum"} {
		text, err := os.ReadFile(strings.TrimSuffix(b.World.Modfile(), ".mod") + ext)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "go"+ext), text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("%%wasm: %w", err)
		}
	}
	main := filepath.Join(dir, "main.go")
	if err := os.WriteFile(main, []byte(program), 0o644); err != nil {
		return fmt.Errorf("%%wasm: %w", err)
	}
	args := append([]string{"build", "-trimpath", "-modfile=" + filepath.Join(dir, "go.mod"), "-o", out}, b.Flags...)
	cmd := exec.CommandContext(ctx, b.World.Toolchain().Go, append(args, main)...)
	cmd.Dir = b.World.Dir()
	// GOFLAGS says -mod=mod in place of the person's own flags, which may contradict it.
	cmd.Env = append(b.World.Env(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return report.Interrupted{What: "the compilation was interrupted"}
	}
	if err == nil {
		return nil
	}
	text := commandLineFile.ReplaceAllString(said.String(), "$1")
	if list := build.Diagnostics(text); len(list) > 0 {
		return &build.CompileError{Diagnostics: list}
	}
	return fmt.Errorf("%%wasm: go build: %w: %s", err, strings.TrimSpace(text))
}
