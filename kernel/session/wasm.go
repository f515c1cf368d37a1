package session

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
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/session/report"
)

// wasmFiles is the folder below Jupyter's root that holds programs of %wasm,
// one folder a kernel. Its name does not begin with a dot, because Jupyter
// serves no hidden files.
const wasmFiles = "jupyter_files"

// WasmFolder makes the folder for programs of %wasm.
func (c *commands) WasmFolder(ctx context.Context) error {
	if c.wasmDir != "" {
		return nil
	}
	server := c.session().jupyter()
	if server.Root == "" {
		return fmt.Errorf("%%wasm: the kernel was not started by a Jupyter server (JPY_PARENT_PID is %q), want one to serve the program to the page", os.Getenv("JPY_PARENT_PID"))
	}
	id := filepath.Base(c.modules.dir)
	dir := filepath.Join(server.Root, wasmFiles, id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%%wasm: %w", err)
	}
	js, err := os.ReadFile(filepath.Join(c.world.Toolchain().Root, "lib", "wasm", "wasm_exec.js"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "wasm_exec.js"), js, 0o644)
	}
	if err != nil {
		return fmt.Errorf("%%wasm: Go's support for the page: %w", err)
	}
	c.wasmDir, c.wasmURL = dir, server.Base+"files/"+wasmFiles+"/"+id
	if err := c.Setenv(ctx, "GONB_WASM_DIR", c.wasmDir); err != nil {
		return err
	}
	return c.Setenv(ctx, "GONB_WASM_URL", c.wasmURL)
}

//go:embed wasm.js
var wasmScript string

// wasm compiles a cell for the page, and shows what runs it there.
func (s *Session) wasm(ctx context.Context, name string, parts gonb.Cell, plan gonb.Plan) error {
	text := plan.Code(parts)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	s.wasmCount++
	div := fmt.Sprintf("gonb_wasm_%s_%d", filepath.Base(s.wasmDir), s.wasmCount)
	file := fmt.Sprintf("cell_%d.wasm", s.wasmCount)
	program, err := s.pageProgram(name, text, map[string]string{
		"GonbWasmDir": s.wasmDir, "GonbWasmUrl": s.wasmURL, "GonbWasmDivId": div,
	})
	if err != nil {
		return err
	}
	if err := s.buildWasm(ctx, program, filepath.Join(s.wasmDir, file)); err != nil {
		return err
	}
	values, err := json.Marshal(map[string]any{
		"folder": wasmFiles + "/" + filepath.Base(s.wasmDir), "file": file, "div": div, "args": append([]string{"js"}, plan.Args...),
	})
	if err != nil {
		return err
	}
	// JSON writes < as \u003c, so that no argument ends the script.
	js := strings.Replace(wasmScript, `"PROGRAM"`, string(values), 1)
	s.out.Frame(frame.Message{Kind: frame.KindDisplay, Bundle: &frame.Bundle{Data: map[string]any{
		"text/html": fmt.Sprintf("<div id=\"%s\"></div>\n<script>\n%s</script>", html.EscapeString(div), js),
	}}})
	return nil
}

var commandLineFile = regexp.MustCompile(`(?m)^.*(cell\[\d+\]:\d+)`)

// buildWasm compiles a program with the notebook's modules. What it needs
// beyond them is required for it alone, since the host may not be able to hold it.
func (s *Session) buildWasm(ctx context.Context, program, out string) error {
	dir, err := os.MkdirTemp(s.dir, "wasm-")
	if err != nil {
		return fmt.Errorf("%%wasm: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, ext := range []string{".mod", ".sum"} {
		text, err := os.ReadFile(strings.TrimSuffix(s.world.Modfile(), ".mod") + ext)
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
	args := append([]string{"build", "-trimpath", "-modfile=" + filepath.Join(dir, "go.mod"), "-o", out}, s.modules.flags...)
	cmd := exec.CommandContext(ctx, s.world.Toolchain().Go, append(args, main)...)
	cmd.Dir = s.world.Dir()
	cmd.Env = append(s.world.Env(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
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
