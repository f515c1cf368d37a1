package proc

import "strings"

// XLA takes the memory for a step's intermediate values from malloc and gives
// it back after the step, so the next one meets fresh pages. In large pages
// that is a sixth less time for a transformer's step (bench/RESULTS.md).
// Where the system gives none, or the C library is not glibc 2.35 or newer,
// nothing changes.
const largePages = "glibc.malloc.hugetlb=1"

// withLargePages returns an environment in which malloc asks for large pages, unless it says
// already whether to. Other tunables that a person has set stay:
//
//	GLIBC_TUNABLES=glibc.malloc.check=3    →    …=glibc.malloc.check=3:glibc.malloc.hugetlb=1
//
// The entry is appended and not replaced: of two, os/exec passes the last.
func withLargePages(env []string) []string {
	const name = "GLIBC_TUNABLES="
	said := ""
	// The order of an environment counts, as it may name a variable twice.
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name); ok {
			said = v // the last one counts
		}
	}
	switch {
	case strings.Contains(said, "glibc.malloc.hugetlb"):
		return env
	case said == "":
		return append(env, name+largePages)
	}
	return append(env, name+said+":"+largePages)
}
