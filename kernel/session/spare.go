package session

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/kernel/build"
)

// spare keeps a second copy of the files that later cells are compiled against, because those
// are in TMPDIR, where cleaners remove what was not touched for some days, under kernels that
// live longer. The copies are in one file without a name, which no cleaner finds.
//
// Without it, a cell after a long weekend could not be compiled though all values are still
// there. Only holders of Session.run use it. Its zero value is empty and ready.
type spare struct {
	file *os.File
	size int64
	// A file that is kept twice leaves its first copy in the file, unused, until forget.
	at map[string]section // by file name
}

// section is a part of the spare file.
type section struct{ offset, size int64 }

// keep copies files into the spare file, those that exist. Dir is where that file is made.
func (s *spare) keep(dir string, names ...string) error {
	if s.file == nil {
		f, err := os.CreateTemp(dir, ".spare-")
		if err != nil {
			return fmt.Errorf("session: %w", err)
		}
		// The name goes at once. What is open stays readable until it is closed, also when the
		// kernel is killed: then the system gives the space back.
		os.Remove(f.Name())
		s.file, s.at = f, map[string]section{}
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			_, err = s.file.WriteAt(text, s.size)
		}
		if err != nil {
			return fmt.Errorf("session: keep %s: %w", name, err)
		}
		s.at[name] = section{s.size, int64(len(text))}
		s.size += int64(len(text))
	}
	return nil
}

// restore writes those of the files again that are gone, or have another size than the copy,
// and reports whether any was. A file of which there is no copy is left to the build, whose
// error names it.
func (s *spare) restore(names []string) (restored bool, err error) {
	for _, name := range names {
		part, kept := s.at[name]
		if !kept {
			continue
		}
		// The size alone is compared: a cleaner removes files, and does not write to them.
		if info, err := os.Lstat(name); err == nil && info.Size() == part.size {
			continue
		}
		text := make([]byte, part.size)
		if _, err := s.file.ReadAt(text, part.offset); err != nil && err != io.EOF {
			return restored, fmt.Errorf("session: %s was removed while the kernel lived: %w", name, err)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return restored, fmt.Errorf("session: %w", err)
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return restored, fmt.Errorf("session: %w", err)
		}
		restored = true
	}
	return restored, nil
}

// forget drops what was kept, for a fresh host, into which all is compiled again in other
// folders.
func (s *spare) forget() {
	if s.file != nil {
		s.file.Truncate(0)
	}
	s.size, s.at = 0, map[string]section{}
}

// mendFolder makes the session's folder whole again where a cleaner was at it, as far as a unit
// needs it: the archives of cells that it imports, and those of cells that brought packages to
// which its plugin is bound. It is called before each build, and costs a look at each of those
// files. The caller holds run.
func (s *Session) mendFolder(unit build.Unit) error {
	if err := s.scratch.Ensure(); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	// Of all that is loaded only these are read by compiler and linker. Looking after the
	// others too would cost a look at two files for each cell there ever was.
	var need []string
	for _, archives := range []map[string]string{unit.Deps, unit.Loaded} {
		for _, archive := range archives {
			need = append(need, build.Built{Archive: archive}.Kept()...)
		}
	}
	restored, err := s.spare.restore(need)
	if err != nil {
		return err
	}
	// The folder of go.mod is no part of a build, but goes with the others, and the next !*go
	// get needs it. It is all there is of a notebook whose cells have declared nothing.
	if _, err := os.Stat(s.modules.File()); os.IsNotExist(err) {
		if err := s.modules.Again(); err != nil {
			return err
		}
		restored = true
	}
	if restored {
		s.notice("files of this notebook in " + s.dir + " were removed while the kernel lived, and are there again; its values are untouched")
	}
	return nil
}

// close gives the space back, which the missing name does not do while the file is open.
func (s *spare) close() {
	if s.file != nil {
		s.file.Close()
	}
}
