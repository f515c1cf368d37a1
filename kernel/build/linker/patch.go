package linker

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The files that are added to Go's packages.
var (
	//go:embed ld.go.txt
	ldSource []byte
	//go:embed loader.go.txt
	loaderSource []byte
)

// added maps their names, below GOROOT/src/cmd/link/internal, to their texts.
var added = map[string][]byte{"ld/holt.go": ldSource, "loader/holt.go": loaderSource}

// edit is a change of one place in one file of Go's linker.
type edit struct {
	file string // below GOROOT/src/cmd/link/internal
	old  string // whole lines, which the file holds once
	new  string
	or   *edit // the same change in the text of a later release
}

// edits call the added files, in this order:
//
//   - packages of the lists are known before objects are loaded;
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
//   - the system's linker is called.
var edits = []edit{
	{
		file: "ld/main.go",
		old:  "\tbench.Start(\"loadlib\")\n",
		new:  "\tbench.Start(\"loadlib\")\n\tholtSetup(ctxt)\n",
	},
	{
		file: "loader/loader.go",
		old:  "\t\tif !ok {\n\t\t\tlog.Fatalf(\"%v: reference to nonexistent package %s\", r.unit.Lib, pkg)\n",
		new:  "\t\tif !ok && !HoltElsewhere(pkg) {\n\t\t\tlog.Fatalf(\"%v: reference to nonexistent package %s\", r.unit.Lib, pkg)\n",
	},
	{
		file: "loader/loader.go",
		old:  "\t// load flags of package refs\n",
		new:  "\tholtRefs(l, r)\n\n\t// load flags of package refs\n",
	},
	{
		file: "loader/loader.go",
		old:  "\tdefault:\n\t\trr = l.objs[r.pkg[p]]\n",
		new:  "\tdefault:\n\t\tif r.pkg[p] == 0 {\n\t\t\treturn holtRef(l, r, s)\n\t\t}\n\t\trr = l.objs[r.pkg[p]]\n",
	},
	{
		file: "ld/lib.go",
		old:  "\t\t\tldshlibsyms(ctxt, lib.Shlib)\n",
		new:  "\t\t\tholtShlib(ctxt, lib.Shlib)\n",
	},
	{
		file: "ld/deadcode.go",
		old:  "\t\tpanic(\"could not look up runtime.mapinitnoop\")\n\t}\n",
		new:  "\t\tpanic(\"could not look up runtime.mapinitnoop\")\n\t}\n\tholtKeep(d)\n",
	},
	{
		file: "ld/data.go",
		old:  "func (p *GCProg) AddType(off int64, typ loader.Sym) {\n",
		new:  "func (p *GCProg) AddType(off int64, typ loader.Sym) {\n\tif holtAddType(p, off, typ) {\n\t\treturn\n\t}\n",
	},
	{
		file: "ld/ld.go",
		old:  "\tif ctxt.BuildMode == BuildModePlugin {\n\t\tctxt.Textp = append(ctxt.Textp, amd)\n",
		new:  "\tif ctxt.BuildMode == BuildModePlugin && !ctxt.linkShared {\n\t\tctxt.Textp = append(ctxt.Textp, amd)\n",
	},
	{
		file: "ld/typelink.go",
		old:  "\t\tif ldr.IsTypelink(s) {\n",
		new:  "\t\tif ldr.IsTypelink(s) && holtTypelink(ctxt, s) {\n",
		or: &edit{ // Go 1.27 has no table of these types, but puts them first
			file: "ld/data.go",
			old:  "\t\t\t\tsl[k].isTypelink = ldr.IsTypelink(s)\n",
			new:  "\t\t\t\tsl[k].isTypelink = ldr.IsTypelink(s) && holtTypelink(ctxt, s)\n",
		},
	},
	{
		file: "ld/pcln.go",
		old:  "\tvar size int64\n\twalkFuncs(ctxt, funcs, func(s loader.Sym) {\n\t\tnameOffsets[s] = uint32(size)\n",
		new:  "\tsize := int64(1)\n\twalkFuncs(ctxt, funcs, func(s loader.Sym) {\n\t\tnameOffsets[s] = uint32(size)\n",
	},
	{
		file: "ld/pcln.go",
		old:  "func ignoreFuncData(ldr *loader.Loader, s loader.Sym, j int, fdSym loader.Sym) bool {\n\tif fdSym == 0 {\n",
		new:  "func ignoreFuncData(ldr *loader.Loader, s loader.Sym, j int, fdSym loader.Sym) bool {\n\tif fdSym == 0 || holtFuncdata(ldr, fdSym) {\n",
	},
	{
		file: "ld/symtab.go",
		old:  "\tputelfsyment(ctxt.Out, putelfstr(sname), addr, size, elf.ST_INFO(bind, typ), elfshnum, other)\n\tldr.SetSymElfSym(x,",
		new:  "\tholtExport(ctxt, x, sname, bind, elfshnum)\n\tputelfsyment(ctxt.Out, putelfstr(sname), addr, size, elf.ST_INFO(bind, typ), elfshnum, other)\n\tldr.SetSymElfSym(x,",
	},
	{
		file: "ld/main.go",
		old:  "\tbench.Start(\"hostlink\")\n",
		new:  "\tholtWrite(ctxt)\n\tbench.Start(\"hostlink\")\n",
	},
	{
		file: "ld/lib.go",
		old:  "\tif ctxt.BuildMode == BuildModeCArchive {\n\t\treturn\n\t}\n\n\tvar argv []string\n",
		new:  "\tif ctxt.BuildMode == BuildModeCArchive || holtHostlink() {\n\t\treturn\n\t}\n\n\tvar argv []string\n",
	},
}

// patched returns the files of Go's linker that change and those that are
// added, by file name.
func patched(goroot string) (map[string][]byte, error) {
	internal := filepath.Join(goroot, "src", "cmd", "link", "internal")
	files := map[string][]byte{}
	apply := func(e edit) error {
		name := filepath.Join(internal, filepath.FromSlash(e.file))
		text := files[name]
		if text == nil {
			var err error
			if text, err = os.ReadFile(name); err != nil {
				return fmt.Errorf("linker: the sources of Go's linker: %w", err)
			}
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			return fmt.Errorf("linker: %s holds %q %d times, want once; this Go is not one that Holt's linker is made for", name, firstLine(e.old), n)
		}
		files[name] = []byte(strings.Replace(string(text), e.old, e.new, 1))
		return nil
	}
	for _, e := range edits {
		err := apply(e)
		if err != nil && e.or != nil && apply(*e.or) == nil {
			err = nil
		}
		if err != nil {
			return nil, err
		}
	}
	for file, text := range added {
		files[filepath.Join(internal, filepath.FromSlash(file))] = text
	}
	return files, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}
