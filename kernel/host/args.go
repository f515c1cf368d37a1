package host

import (
	"flag"
	"os"
	"slices"
)

// setArgs gives the next cell a command line. Flags begin with their defaults, as in a program
// that has just been started: values that the last arguments set would stay otherwise, as the
// flags are variables of cells that live on.
func setArgs(args []string) {
	// A new slice, of which no cell has a copy; the program's name stays.
	os.Args = append(os.Args[:1:1], args...)
	flag.CommandLine.Visit(func(f *flag.Flag) { f.Value.Set(f.DefValue) })
	// A new set of flags as well: which were set, which Visit goes by, cannot be undone in the
	// old one.
	renewFlags(nil)
	flag.CommandLine.Parse(nil) // %% without arguments has nothing to parse
}

// dropFlags forgets flags, so that a cell that defines them can run again. The variables of the
// earlier execution stay, and are no flags any more.
func dropFlags(names []string) { renewFlags(names) }

// renewFlags replaces the process's set of flags by one without some of them. A wrong flag
// panics, which ends the cell; as it was, it would end the process (flag.ExitOnError).
func renewFlags(without []string) {
	old := flag.CommandLine
	set := flag.NewFlagSet(os.Args[0], flag.PanicOnError)
	set.Usage = old.Usage
	old.VisitAll(func(f *flag.Flag) {
		if slices.Contains(without, f.Name) {
			return
		}
		set.Var(f.Value, f.Name, f.Usage)
		// Var takes the present value for the default.
		set.Lookup(f.Name).DefValue = f.DefValue
	})
	flag.CommandLine = set
}
