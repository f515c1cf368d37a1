// Package gotest runs a notebook's tests in the host process, where variables
// have their values, with package testing's own runner.
package gotest

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// Set is the tests of a notebook.
type Set struct {
	Tests      Tests
	Benchmarks Benchmarks
	Fuzz       Fuzz
	Examples   Examples
}

// What a [Set] holds, each in the order in which it runs.
type (
	Tests      []testing.InternalTest
	Benchmarks []testing.InternalBenchmark
	Fuzz       []testing.InternalFuzzTarget
	Examples   []testing.InternalExample
)

// ErrFailed is returned by [Set.Run] when a test failed; its report is printed.
var ErrFailed = errors.New("a test failed; the report above says which and why")

// Run runs what the flags choose, such as -test.v and -test.run=REGEXP, and
// prints what go test prints. A test that panics fails and takes nothing else
// with it, unless it panics in a subtest or a goroutine of its own.
func (s Set) Run(args []string) error {
	testing.Init()
	restore := reset()
	defer restore()
	if err := flag.CommandLine.Parse(args); err != nil {
		return err
	}
	for i := range s.Tests {
		f := s.Tests[i].F
		s.Tests[i].F = func(t *testing.T) { guard(t, func() { f(t) }) }
	}
	for i := range s.Benchmarks {
		f := s.Benchmarks[i].F
		s.Benchmarks[i].F = func(b *testing.B) { guard(b, func() { f(b) }) }
	}
	if testing.MainStart(deps{}, s.Tests, s.Benchmarks, s.Fuzz, s.Examples).Run() != 0 {
		return ErrFailed
	}
	return nil
}

// guard fails a test that panics, and one that an interrupt ends: the runner
// would end the process with it.
func guard(t testing.TB, f func()) {
	t.Helper()
	done := false
	defer func() {
		if done || t.Skipped() {
			return
		}
		if r := recover(); r != nil {
			t.Fatalf("panic: %v\n\n%s", r, debug.Stack())
		}
		if !t.Failed() {
			t.Log("the test was interrupted")
		}
		t.FailNow()
	}()
	f()
	done = true
}

// reset gives the flags of package testing their defaults, makes a wrong flag
// an error in place of the end of the process, and returns a function that
// undoes both.
func reset() func() {
	old := flag.CommandLine
	set := flag.NewFlagSet(os.Args[0], flag.ContinueOnError)
	set.SetOutput(os.Stdout)
	old.VisitAll(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "test.") {
			f.Value.Set(f.DefValue)
		}
		set.Var(f.Value, f.Name, f.Usage)
		set.Lookup(f.Name).DefValue = f.DefValue
	})
	flag.CommandLine = set
	return func() { flag.CommandLine = old }
}

// deps is what go test generates for a test program; there is no coverage, and
// fuzzing runs the seeds alone.
type deps struct{}

type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

var errFuzz = errors.New("a notebook's fuzz targets run with their seeds only; -test.fuzz needs go test")

func (deps) ImportPath() string                      { return "notebook" }
func (deps) ModulePath() string                      { return "notebook" }
func (deps) MatchString(pat, s string) (bool, error) { return regexp.MatchString(pat, s) }
func (deps) SetPanicOnExit0(bool)                    {}
func (deps) StartCPUProfile(io.Writer) error         { return errors.New("profiles of tests need go test") }
func (deps) StopCPUProfile()                         {}
func (deps) StartTestLog(io.Writer)                  {}
func (deps) StopTestLog() error                      { return nil }
func (deps) WriteProfileTo(string, io.Writer, int) error {
	return errors.New("profiles of tests need go test")
}
func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error {
	return errFuzz
}
func (deps) RunFuzzWorker(func(corpusEntry) error) error              { return errFuzz }
func (deps) ReadCorpus(string, []reflect.Type) ([]corpusEntry, error) { return nil, nil }
func (deps) CheckCorpus(values []any, types []reflect.Type) error {
	if len(values) != len(types) {
		return fmt.Errorf("got %d values, want %d", len(values), len(types))
	}
	for i := range types {
		if reflect.TypeOf(values[i]) != types[i] {
			return fmt.Errorf("value %d is a %v, want %v", i+1, reflect.TypeOf(values[i]), types[i])
		}
	}
	return nil
}
func (deps) ResetCoverage()    {}
func (deps) SnapshotCoverage() {}
func (deps) InitRuntimeCoverage() (mode string, tearDown func(string, string) (string, error), snapcov func() float64) {
	return "", nil, nil
}
