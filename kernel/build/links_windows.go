package build

import "io/fs"

// linked is true, for the answer is not in what Windows says of a file by its name, and a
// file that is linked stays: no compilers and linkers are made there.
func linked(fs.FileInfo) bool { return true }
