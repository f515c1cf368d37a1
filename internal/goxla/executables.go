package goxla

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gomlx/go-xla/compute/xla"
	xlapjrt "github.com/gomlx/go-xla/pjrt"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/holt-dl/holt/internal/executables"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/pjrt"
	"github.com/holt-dl/holt/internal/plugins"
	"github.com/holt-dl/holt/internal/process"
)

// keepExecutables makes a backend keep on disk what it compiles, and load what
// is there. Go-xla v0.4.4 does not bind the functions of PJRT that this takes, and
// does not export its handles. So the plugin's table of functions is replaced by one
// that asks the disk first. Where go-xla's fields have other names, or the processor
// is not known that the code would be made for, everything is compiled.
func keepExecutables(b any, kind, library string) {
	x, isXLA := b.(*xla.Backend)
	if !isXLA {
		return
	}
	store, ok := executables.Default()
	libraries.Store(x, library)
	if ok {
		keepIn(store, x, kind, library)
	}
}

// libraries has the files of the backends' plugins.
var libraries sync.Map

// knownPlugin reports whether a backend's plugin is one that Holt's tests ran with.
func knownPlugin(b any) bool {
	library, ok := libraries.Load(b)
	if !ok {
		return false
	}
	return known.to(library, func() bool {
		store, _ := executables.Default()
		sum, err := store.SumOf(library.(string))
		return err == nil && plugins.Known(sum)
	})
}

// known says of a plugin's file what knownPlugin asks. Where no folder keeps its checksum all of
// the file is read, 260 MB, and so only once.
var known answers

func keepIn(store executables.Store, b *xla.Backend, kind, library string) (c *diskCache) {
	plugin := (*xlapjrt.Plugin)(pointer(b, "plugin"))
	client := pointer(b, "client", "client", "c")
	api := pointer(plugin, "api")
	flags := os.Getenv(plugins.FlagsEnv)
	if api == nil || client == nil || strings.Contains(flags, "xla_dump") { // which asks for what compiling writes
		return nil
	}
	c = &diskCache{store: store, quickly: kind == "cpu" && flags == ""}
	if session := os.Getenv(sessionEnv); session != "" && kind == "cpu" && runtime.NumCPU() > 1 {
		c.early = &early{store: store,
			load:   func(executable []byte) (unsafe.Pointer, error) { return pjrt.Load(api, client, executable) },
			unload: func(loaded unsafe.Pointer) { pjrt.Unload(api, loaded) }}
	}
	identified := make(chan struct{})
	c.machine = func() []byte { <-identified; return c.identity }
	parts := []string{kind, flags, executables.Processor(), pjrt.Describe(api, client),
		fmt.Sprint(runtime.GOARCH, runtime.NumCPU()), os.Getenv("NPROC"), os.Getenv("PJRT_NPROC")}
	if kind == "cpu" { // whose programs are written for so many threads
		parts = append(parts, fmt.Sprint(b.NumDevices()))
	}
	// The plugin is read while the program is written.
	go func() {
		defer close(identified)
		sum, err := store.SumOf(library)
		// A processor's plugin may be built with oneDNN's thunks for all products, which
		// end the process when they are serialised, so that only known ones are asked.
		if err == nil && parts[2] != "" && (kind != "cpu" || plugins.Known(sum)) {
			c.identity = []byte(strings.Join(append(parts, sum), "\x00"))
			knowsCalls(b) // which a program on disk may have
		}
	}()
	table := pjrt.Intercept(api, client, c)
	if table == nil {
		return nil
	}
	if c.early != nil {
		go func() {
			process.Background()
			if machine := c.machine(); len(machine) > 0 {
				c.early.begin(machine, os.Getenv(sessionEnv))
			}
		}()
	}
	field := reflect.ValueOf(plugin).Elem().FieldByName("api")
	*(*unsafe.Pointer)(field.Addr().UnsafePointer()) = table
	return c
}

// diskCache is a [pjrt.Cache] in a folder. What goes wrong there costs a
// compilation and nothing else; holt doctor looks at the folder.
type diskCache struct {
	store    executables.Store
	machine  func() []byte // waits for identity
	identity []byte        // of plugin, flags and processor; empty where it is not known
	early    *early        // what the notebook used before; nil where that is not known
	quickly  bool          // the flags are ours to choose

	loaded, saved, refused atomic.Int64 // executables, for tests
	taken                  atomic.Int64 // of the loaded ones, those that were so early
}

// oneDNN begins the names of XLA's calls of oneDNN. A program with one must not
// be serialised: XLA then ends the process (ThunkSerDesProtobuf has no case for it).
var oneDNN = []byte("__onednn$")

func (d *diskCache) key(c pjrt.Compilation) (k executables.Key, ok bool) {
	machine := d.machine()
	if len(machine) == 0 || bytes.Contains(c.Program, oneDNN) {
		return k, false
	}
	return executables.KeyOf(machine, []byte(c.Format), c.Options, c.Program), true
}

// Load implements pjrt.Cache.
func (d *diskCache) Load(c pjrt.Compilation) (e pjrt.Executable, keep bool) {
	k, ok := d.key(c)
	if !ok {
		return e, false
	}
	if e.Loaded = d.early.take(k); e.Loaded != nil {
		d.taken.Add(1)
	} else {
		e.Bytes, _ = d.store.Load(k)
	}
	if e.Loaded != nil || len(e.Bytes) > 0 {
		d.loaded.Add(1)
		d.early.used(k)
	}
	return e, true
}

// Options implements pjrt.Cache.
func (d *diskCache) Options(c pjrt.Compilation) []byte {
	head, _, _ := bytes.Cut(c.Program, []byte("{"))
	if !d.quickly || !bytes.Contains(head, []byte(hooks.Unoptimised+" ")) {
		return c.Options
	}
	return slices.Concat(c.Options, quickly)
}

// quickly has the flags that make XLA's compiler quick, as a part of its CompileOptionsProto
// (xla/pjrt/proto/compile_options.proto: env_option_overrides), which may follow the others.
// The emitters of fusions take half of the time, and their code is quicker only where LLVM
// optimises it.
var quickly = func() (options []byte) {
	for flag, value := range map[string][]byte{
		"xla_backend_optimization_level": protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 0),
		"xla_cpu_use_fusion_emitters":    protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 0),
	} {
		entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), flag)
		entry = protowire.AppendBytes(protowire.AppendTag(entry, 2, protowire.BytesType), value)
		options = protowire.AppendBytes(protowire.AppendTag(options, 7, protowire.BytesType), entry)
	}
	return options
}()

// Save implements pjrt.Cache.
func (d *diskCache) Save(c pjrt.Compilation, executable []byte) {
	if k, ok := d.key(c); ok && d.store.Save(k, executable) == nil {
		d.saved.Add(1)
		d.early.used(k)
	}
}

// Refused implements pjrt.Cache.
func (d *diskCache) Refused(c pjrt.Compilation, _ error) {
	d.refused.Add(1)
	if k, ok := d.key(c); ok {
		d.store.Remove(k)
	}
}
