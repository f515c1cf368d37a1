package build

import (
	"context"
	"io"
	"io/fs"
)

// Options say where a world comes from. Source is required.
type Options struct {
	Source    fs.FS        // a Go module, such as holt.Source
	Main      string       // the host's main package in it; "./cmd/holt-host" when empty
	CacheDir  string       // "holt" in the user's cache folder when empty
	Progress  func(string) // told what is being built, a line at a time; may be nil
	Toolchain *Toolchain   // found by [Find] when nil
}

// Open returns the world of a module and builds what is missing of it.
// Cancelling ctx stops the build.
func Open(ctx context.Context, opt Options) (*World, error) { panic("not written yet") }

// World is what cells are compiled against. Its methods may be called by
// several goroutines.
type World struct{}

// Host returns the file name of the host program.
func (w *World) Host() string { panic("not written yet") }

// Dir returns the folder of the extracted module, where go commands run.
func (w *World) Dir() string { panic("not written yet") }

// Modfile returns the go.mod that [World.Add] changes, for gopls and go commands.
func (w *World) Modfile() string { panic("not written yet") }

// Env returns the environment that go commands need to agree with the world.
func (w *World) Env() []string { panic("not written yet") }

// Toolchain returns the Go installation in use.
func (w *World) Toolchain() *Toolchain { panic("not written yet") }

// Export returns the archive of a package. It holds the export data that
// [golang.org/x/tools/go/gcexportdata] and go/importer read.
func (w *World) Export(path string) (file string, ok bool) { panic("not written yet") }

// Name returns the name of a known package, and "" for an unknown one.
func (w *World) Name(path string) string { panic("not written yet") }

// Open opens the archive of a package, as the lookup function of
// go/importer.ForCompiler does.
func (w *World) Open(path string) (io.ReadCloser, error) { panic("not written yet") }

// Std returns the import paths of the standard library, sorted, without
// internal and vendored packages.
func (w *World) Std() []string { panic("not written yet") }

// All returns the import paths of all packages that cells can import without
// [World.Add], sorted.
func (w *World) All() []string { panic("not written yet") }

// Add makes packages known: of the standard library, of modules that are
// required already, and of others, which are then required at path@version
// (the latest when no version is given, a cached one if there is any).
func (w *World) Add(ctx context.Context, paths []string) (Change, error) {
	panic("not written yet")
}

// Change is what [World.Add] did.
type Change struct {
	Added   []string // import paths that are new
	Fetched []string // modules that were added to go.mod, "path version"
	NewHost bool     // archives changed: Host is another program, start it anew
}

// File is one source file of a cell.
type File struct {
	Name string // without folder, such as "cell.go"
	Text []byte
}

// Unit is one execution of a cell. Path, Dir and Files are required.
type Unit struct {
	Path  string // import path, never used before in this session: "notebook/c5"
	Files []File
	Dir   string // folder for the files, the archive and the plugin
	// Deps holds the archives of the earlier cells that this one imports,
	// directly or through others, by package path.
	Deps map[string]string
	// Entry is the exported function without arguments and results that runs
	// the cell; "Run" when empty.
	Entry string
}

// Compile compiles a unit and returns its archive. What the compiler objects
// to is a [*CompileError].
func (w *World) Compile(ctx context.Context, u Unit) (archive string, err error) {
	panic("not written yet")
}

// Link makes the plugin of a unit whose archive is compiled.
func (w *World) Link(ctx context.Context, u Unit, archive string) (so string, err error) {
	panic("not written yet")
}

// Built is a compiled and linked cell.
type Built struct {
	Archive string // for Deps of later cells
	Plugin  string
	Times   Times
}

// Times says where the time of a build went.
type Times struct{ Compile, Link float64 } // seconds

// Build compiles and links.
func (w *World) Build(ctx context.Context, u Unit) (Built, error) { panic("not written yet") }

// Toolchain is a Go installation.
type Toolchain struct {
	Go      string // file name of the go command
	Root    string // GOROOT
	Version string // "go1.26.8"
	ToolDir string // folder of compile and link
	CC      string // file name of the C compiler
	OS      string
	Arch    string
}

// Find finds Go and a C compiler.
func Find(ctx context.Context) (*Toolchain, error) { panic("not written yet") }

// CompileError is what the compiler objects to.
type CompileError struct {
	Diagnostics []Diagnostic
}

// Diagnostic is one message of the compiler, at a place as //line directives
// name it.
type Diagnostic struct {
	File      string
	Line, Col int // 1-based; bytes; Col 0 where unknown
	Msg       string
}

// Error returns the messages, a line each.
func (e *CompileError) Error() string { panic("not written yet") }
