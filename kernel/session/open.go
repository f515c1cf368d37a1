package session

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/machine/scratch"
	"github.com/holt-dl/holt/kernel/session/modules"
	"github.com/holt-dl/holt/kernel/session/report"
)

// opening is one attempt to make the world and to start the host. A goroutine that waits
// for an attempt holds on to its value, so that a later attempt changes nothing for it.
type opening struct {
	done chan struct{} // closed at its end
	err  error         // why it failed; set before done is closed
}

// attempt begins to open the session, on a goroutine of its own. No other attempt may be under
// way; await sees to that. A second success would close ready twice, but none is made after the
// first.
func (s *Session) attempt() *opening {
	o := &opening{done: make(chan struct{})}
	s.mu.Lock()
	s.opening = o
	s.mu.Unlock()
	go func() {
		defer close(o.done)
		if o.err = s.open(); o.err == nil {
			close(s.ready)
		}
	}()
	return o
}

// attempted returns the last attempt.
func (s *Session) attempted() *opening {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opening
}

// await waits until the session is open, showing what is built meanwhile. An attempt that
// failed before the cell came is made again, because its reason may be mended by now.
//
// One that fails while the cell waits is the cell's error, and is not repeated: the person
// reads why, mends it, and runs a cell. Cancelling ctx ends the waiting; the attempt goes on,
// as the next cell needs it as well. The caller holds run.
func (s *Session) await(ctx context.Context) *Failure {
	o := s.attempted()
	select {
	case <-o.done:
		if o.err == nil {
			return nil
		}
		o = s.attempt()
	default:
	}
	began := time.Now()
	stop := s.notes.show()
	select {
	case <-o.done:
	case <-ctx.Done():
		stop("the host is still being built")
		return s.sources.Failure(report.Interrupted{What: "the cell was interrupted before it ran; the host is still being built"})
	}
	if o.err != nil {
		stop("the host could not be started")
		return s.sources.Failure(&report.StartError{Cause: o.err})
	}
	stop(fmt.Sprintf("the host was ready after %.0f s; later starts find it built", time.Since(began).Seconds()))
	return nil
}

// open makes the session's folder, builds the world and starts the host. When it fails, nothing
// is left of it, and it can be called again.
//
// It runs on a goroutine of the kernel, where a panic would end all; so it is an error here.
func (s *Session) open() (err error) {
	defer func() {
		if r := recover(); r != nil {
			slog.Error("session: open", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("session: the start failed: %v; this is a bug in Holt, and the kernel's log says more", r)
		}
		if err != nil {
			s.unopen()
		}
	}()
	// The folder comes first: everything below writes into it. Others that dead kernels have
	// left are removed meanwhile, which nothing waits for.
	if s.scratch, err = scratch.New(); err != nil {
		return fmt.Errorf("session: no folder for the cells' programs: %w; set TMPDIR to a folder that can be written", err)
	}
	s.dir = s.scratch.Path
	go scratch.Sweep()
	// Where the current folder was removed, cells run in the session's own rather than not at
	// all.
	if s.cwd == "" {
		if s.cwd, err = os.Getwd(); err != nil {
			s.cwd = s.dir
		}
	}
	// Cells and commands know this folder as GONB_TMP_DIR, and its name begins as GoNB's own
	// does. What follows is the part of the session's folder that tells it from others'.
	if s.modules, err = modules.New(filepath.Join(s.dir, "gonb_"+filepath.Base(s.dir)[len("holt-"):])); err != nil {
		return err
	}
	s.env = s.environment()
	// This is what takes long the first time: the host is compiled and linked.
	s.world, err = build.Open(s.ctx, build.Options{
		Source: s.opt.Source, Main: s.opt.Main, CacheDir: s.opt.CacheDir, Progress: s.notes.set, Warn: s.warn,
	})
	if err != nil {
		return err
	}
	s.world.SetDir(s.cwd)
	// The front end reads packages through the world, and modules change both.
	s.packages = modules.NewPackages(s.world, func() string { return s.cwd })
	s.nb = cell.New(s.packages)
	if err := s.modules.Use(s.world, s.packages); err != nil {
		return err
	}
	s.remember()
	if err := s.start(); err != nil {
		return err
	}
	// The first cell, too, finds its tools started.
	s.buildAhead(1)
	return nil
}

// unopen removes what an attempt that failed has made, and sets back what open reads. Other
// fields are written over by the next attempt.
func (s *Session) unopen() {
	if s.world != nil {
		s.world.Close()
		s.world = nil
	}
	if s.scratch != nil {
		if err := s.scratch.Remove(); err != nil {
			slog.Warn("session: a folder is left", "err", err)
		}
		s.scratch = nil
	}
	s.cwd, s.modfile = s.opt.Dir, ""
}

// warn keeps a sentence for the person until a cell can show it: what is said while no cell
// waits has no cell to stand below. It may be called by any goroutine.
func (s *Session) warn(sentence string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warnings = append(s.warnings, sentence)
}

// showWarnings shows what warn kept, at the end of the cell that runs.
func (s *Session) showWarnings() {
	s.mu.Lock()
	list := s.warnings
	s.warnings = nil
	s.mu.Unlock()
	for _, w := range list {
		s.notice(w)
	}
}
