package linker

import (
	_ "embed"
	"fmt"
	"path/filepath"

	"github.com/holt-dl/holt/kernel/build/gosource"
)

// The files that are added to Go's packages.
var (
	//go:embed ld.go.txt
	ldSource []byte
	//go:embed loader.go.txt
	loaderSource []byte
	//go:embed shared/shared.go
	sharedSource []byte
	//go:embed symlist/symlist.go
	symlistSource []byte
	//go:embed symlist/map.go
	symlistMap []byte
)

// Symlist has the files of package symlist for Go's linker and compiler: their texts, by
// their names below GOROOT/src.
var Symlist = map[string][]byte{
	"cmd/internal/symlist/symlist.go": symlistSource,
	"cmd/internal/symlist/map.go":     symlistMap,
}

// added maps the names of all of them, below GOROOT/src, to their texts.
var added = gosource.Join(Symlist, map[string][]byte{
	"cmd/link/internal/ld/holt.go":       ldSource,
	"cmd/link/internal/loader/holt.go":   loaderSource,
	"cmd/link/internal/shared/shared.go": sharedSource,
})

// edits call the added files, in this order:
//
//   - packages of the lists are known before objects are loaded;
//   - maps begin with room for a cell's symbols, not for a program's;
//   - references by number into them become names, and names are bound;
//   - what a list will name is kept, but for dead code that no program could be
//     linked with;
//   - pointer masks come from lists;
//   - a plugin without the runtime imports addmoduledata;
//   - types that are in one module only are not looked for in others;
//   - a plugin's first function has a name too: place 0 of the table of names means
//     none, and programs have a symbol of the linker's own there;
//   - a wrapper goes without the name of what it wraps when that is elsewhere;
//   - what goes to the symbol table is listed, and the list is written;
//   - the shared object is written, or the system's linker is called;
//   - a last line says that it is complete, for the kernel, which waits for it.
var edits = []gosource.Edit{
	{
		File: "cmd/link/internal/ld/main.go",
		Old:  "\tbench.Start(\"loadlib\")\n",
		New:  "\tbench.Start(\"loadlib\")\n\tholtSetup(ctxt)\n",
	},
	{
		File: "cmd/link/internal/loader/loader.go",
		Old:  "make(map[string]Sym, 80000), make(map[string]Sym, 50000)",
		New:  "make(map[string]Sym, 2000), make(map[string]Sym, 1000)",
	},
	{
		File: "cmd/link/internal/loader/loader.go",
		Old:  "\t\tif !ok {\n\t\t\tlog.Fatalf(\"%v: reference to nonexistent package %s\", r.unit.Lib, pkg)\n",
		New:  "\t\tif !ok && !HoltElsewhere(pkg) {\n\t\t\tlog.Fatalf(\"%v: reference to nonexistent package %s\", r.unit.Lib, pkg)\n",
	},
	{
		File: "cmd/link/internal/loader/loader.go",
		Old:  "\t// load flags of package refs\n",
		New:  "\tholtRefs(l, r)\n\n\t// load flags of package refs\n",
	},
	{
		File: "cmd/link/internal/loader/loader.go",
		Old:  "\tdefault:\n\t\trr = l.objs[r.pkg[p]]\n",
		New:  "\tdefault:\n\t\tif r.pkg[p] == 0 {\n\t\t\treturn holtRef(l, r, s)\n\t\t}\n\t\trr = l.objs[r.pkg[p]]\n",
	},
	{
		File: "cmd/link/internal/ld/lib.go",
		Old:  "\t\t\tldshlibsyms(ctxt, lib.Shlib)\n",
		New:  "\t\t\tholtShlib(ctxt, lib.Shlib)\n",
	},
	{
		File: "cmd/link/internal/ld/deadcode.go",
		Old:  "\t\tpanic(\"could not look up runtime.mapinitnoop\")\n\t}\n",
		New:  "\t\tpanic(\"could not look up runtime.mapinitnoop\")\n\t}\n\tholtKeep(d)\n",
	},
	{
		File: "cmd/link/internal/ld/data.go",
		Old:  "func (p *GCProg) AddType(off int64, typ loader.Sym) {\n",
		New:  "func (p *GCProg) AddType(off int64, typ loader.Sym) {\n\tif holtAddType(p, off, typ) {\n\t\treturn\n\t}\n",
	},
	{
		File: "cmd/link/internal/ld/ld.go",
		Old:  "\tif ctxt.BuildMode == BuildModePlugin {\n\t\tctxt.Textp = append(ctxt.Textp, amd)\n",
		New:  "\tif ctxt.BuildMode == BuildModePlugin && !ctxt.linkShared {\n\t\tctxt.Textp = append(ctxt.Textp, amd)\n",
	},
	{
		File: "cmd/link/internal/ld/typelink.go",
		Old:  "\t\tif ldr.IsTypelink(s) {\n",
		New:  "\t\tif ldr.IsTypelink(s) && holtTypelink(ctxt, s) {\n",
		Or: &gosource.Edit{ // Go 1.27 has no table of these types, but puts them first
			File: "cmd/link/internal/ld/data.go",
			Old:  "\t\t\t\tsl[k].isTypelink = ldr.IsTypelink(s)\n",
			New:  "\t\t\t\tsl[k].isTypelink = ldr.IsTypelink(s) && holtTypelink(ctxt, s)\n",
		},
	},
	{
		File: "cmd/link/internal/ld/pcln.go",
		Old:  "\tvar size int64\n\twalkFuncs(ctxt, funcs, func(s loader.Sym) {\n\t\tnameOffsets[s] = uint32(size)\n",
		New:  "\tsize := int64(1)\n\twalkFuncs(ctxt, funcs, func(s loader.Sym) {\n\t\tnameOffsets[s] = uint32(size)\n",
	},
	{
		File: "cmd/link/internal/ld/pcln.go",
		Old:  "func ignoreFuncData(ldr *loader.Loader, s loader.Sym, j int, fdSym loader.Sym) bool {\n\tif fdSym == 0 {\n",
		New:  "func ignoreFuncData(ldr *loader.Loader, s loader.Sym, j int, fdSym loader.Sym) bool {\n\tif fdSym == 0 || holtFuncdata(ldr, fdSym) {\n",
	},
	{
		File: "cmd/link/internal/ld/symtab.go",
		Old:  "\tputelfsyment(ctxt.Out, putelfstr(sname), addr, size, elf.ST_INFO(bind, typ), elfshnum, other)\n\tldr.SetSymElfSym(x,",
		New:  "\tholtExport(ctxt, x, sname, bind, elfshnum)\n\tputelfsyment(ctxt.Out, putelfstr(sname), addr, size, elf.ST_INFO(bind, typ), elfshnum, other)\n\tldr.SetSymElfSym(x,",
	},
	{
		File: "cmd/link/internal/ld/main.go",
		Old:  "\tbench.Start(\"hostlink\")\n",
		New:  "\tholtWrite(ctxt)\n\tbench.Start(\"hostlink\")\n",
	},
	{
		File: "cmd/link/internal/ld/main.go",
		Old:  "\tbench.Report(os.Stdout)\n",
		New:  "\tholtComplete()\n\tbench.Report(os.Stdout)\n",
	},
	{
		File: "cmd/link/internal/ld/lib.go",
		Old:  "\tif ctxt.BuildMode == BuildModeCArchive {\n\t\treturn\n\t}\n\n\tvar argv []string\n",
		New:  "\tif ctxt.BuildMode == BuildModeCArchive || holtHostlink() {\n\t\treturn\n\t}\n\n\tvar argv []string\n",
	},
}

// patched returns the files of Go's linker that change and those that are
// added, by file name.
func patched(goroot string) (map[string][]byte, error) {
	files, err := gosource.Apply(goroot, edits)
	if err != nil {
		return nil, fmt.Errorf("linker: %w", err)
	}
	for file, text := range added {
		files[filepath.Join(goroot, "src", filepath.FromSlash(file))] = text
	}
	return files, nil
}
