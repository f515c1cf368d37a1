package host

import (
	"errors"
	"io/fs"
	"syscall"
)

// cannotSync reports whether err says only that standard output or standard error has no disk
// to be synced with: in a cell both are pipes. A logger's Sync, as in zap, ends so, with one
// such error or several joined.
//
// It is the hook Harmless of package rt. A cell ends with an error that a statement drops,
// which is what a person wants of os.Remove; of logger.Sync() as the last line it would be an
// error for nothing.
func cannotSync(err error) bool {
	switch e := err.(type) {
	case *fs.PathError:
		pipe := e.Path == "/dev/stdout" || e.Path == "/dev/stderr"
		return e.Op == "sync" && pipe && (errors.Is(e.Err, syscall.EINVAL) || errors.Is(e.Err, syscall.ENOTTY) || errors.Is(e.Err, syscall.ENOTSUP))
	case interface{ Unwrap() []error }:
		return allCannotSync(e.Unwrap())
	case interface{ Errors() []error }: // go.uber.org/multierr
		return allCannotSync(e.Errors())
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && cannotSync(inner)
	}
	return false
}

// allCannotSync is cannotSync for joined errors. With a true error among them, they are one.
func allCannotSync(errs []error) bool {
	for _, err := range errs {
		if !cannotSync(err) {
			return false
		}
	}
	return len(errs) > 0
}
