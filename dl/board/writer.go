package board

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Writer adds to the log of one run. [Open] makes one.
//
// Goroutines may share a Writer. What is added is in the file when the call
// returns, so a crash loses nothing, and TensorBoard sees it at once. After
// the first error, such as a full disk, a Writer writes nothing more; Err,
// Flush and Close return it.
type Writer struct {
	dir string

	mu     sync.Mutex // guards what follows
	file   *os.File
	size   int64 // of whole records
	err    error
	closed bool
	parts  map[string]*Writer // of AddScalars and AddHParams, by their folders
}

// files counts the event files of this process, for their names.
var files atomic.Int64

// Open starts a new event file in a folder, which is the run's name in
// TensorBoard; the folder is made when missing. An empty dir is
// runs/<time>_<host>, as SummaryWriter() has it. Files of earlier runs in the
// folder stay, and TensorBoard shows them together.
//
// Open does not fail, so that it fits into a setting: a folder that cannot be
// written is the Writer's error.
func Open(dir string) *Writer {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	if dir == "" {
		dir = filepath.Join("runs", now.Format("Jan02_15-04-05_")+host)
	}
	w := &Writer{dir: dir}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		w.err = fmt.Errorf("board: open %s: %w", dir, err)
		return w
	}
	for {
		name := fmt.Sprintf("events.out.tfevents.%010d.%s.%d.%d", now.Unix(), strings.ReplaceAll(host, "/", "_"), os.Getpid(), files.Add(1)-1)
		w.file, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o666)
		if !os.IsExist(err) {
			break
		}
	}
	if err != nil {
		w.err = fmt.Errorf("board: open %s: %w", dir, err)
		return w
	}
	w.add(message(nil).text(eventFileVersion, "brain.Event:2"), 0)
	return w
}

// Dir returns the folder of the run.
func (w *Writer) Dir() string { return w.dir }

// PurgeStep says that training goes on from a step again, after a crash:
// TensorBoard leaves out what was logged before for this and later steps.
func (w *Writer) PurgeStep(step int) {
	const start = 1 // SessionLog.START
	w.add(message(nil).bytes(eventSessionLog, message(nil).int(1, start)), step)
}

// Err returns the first error there was.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	for _, part := range w.parts {
		if err := part.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Flush waits until what was added is on the disk, so that it outlives a loss
// of power. It returns the first error there was.
func (w *Writer) Flush() error {
	w.mu.Lock()
	if w.err == nil && !w.closed {
		if err := w.file.Sync(); err != nil {
			w.err = fmt.Errorf("board: flush %s: %w", w.dir, err)
		}
	}
	parts := w.parts
	w.mu.Unlock()
	for _, part := range parts {
		part.Flush()
	}
	return w.Err()
}

// Close ends the log and returns the first error there was. What is added
// later is an error.
func (w *Writer) Close() error {
	w.mu.Lock()
	if !w.closed && w.file != nil {
		if err := w.file.Close(); err != nil && w.err == nil {
			w.err = fmt.Errorf("board: close %s: %w", w.dir, err)
		}
	}
	w.closed = true
	parts := w.parts
	w.mu.Unlock()
	for _, part := range parts {
		part.Close()
	}
	return w.Err()
}

// The fields of tensorflow.Event.
const (
	eventWallTime    = 1
	eventStep        = 2
	eventFileVersion = 3
	eventGraphDef    = 4
	eventSummary     = 5
	eventSessionLog  = 7
)

// add writes an event with what it is about.
func (w *Writer) add(what message, step int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && w.closed {
		w.err = fmt.Errorf("board: %s was closed; open it again for more", w.dir)
	}
	if w.err != nil {
		return w.err
	}
	event := message(nil).double(eventWallTime, float64(time.Now().UnixMicro())/1e6)
	if step != 0 {
		event = event.int(eventStep, int64(step))
	}
	record := appendRecord(nil, append(event, what...))
	if n, err := w.file.Write(record); err != nil {
		if n > 0 { // the disk is full: leave whole records only
			w.file.Truncate(w.size)
		}
		w.err = fmt.Errorf("board: write %s: %w", w.file.Name(), err)
		return w.err
	}
	w.size += int64(len(record))
	return nil
}

// part returns the writer of a folder inside of the run's.
func (w *Writer) part(name string) *Writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	part := w.parts[name]
	if part == nil {
		part = Open(filepath.Join(w.dir, name))
		parts := map[string]*Writer{name: part}
		for n, p := range w.parts { // a new map: Flush and Close read the old one
			parts[n] = p
		}
		w.parts = parts
	}
	return part
}
