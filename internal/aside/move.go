package aside

import (
	"os"
	"path/filepath"
)

// Move gives a file that is whole another name, in place of an older file that may have
// it: one that another program made, such as a linker, or that took more than one run to
// come. The file is brought to the disk first. It must be on the file system of its new
// name. When Move fails, the older file is as it was.
func Move(file, name string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0) // Windows syncs no file that is open for reading
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := renameOpen(f, name); err != nil {
		return err
	}
	syncFolder(filepath.Dir(name))
	return nil
}
