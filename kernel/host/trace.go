package host

import (
	"bufio"
	"runtime"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/host/msg"
)

// panicFrames returns the calls that led to the panic that is being recovered, innermost first,
// without the runtime's and the host's own. At most 256 calls are looked at, from the
// recovering function outwards, so the innermost ones are always there.
//
// The stack of a deferred function that recovers, which grows upwards here:
//
//	host.panicFrames, host.(*execution).failure, host.(*execution).main.func1
//	runtime.gopanic                                 what is below is wanted
//	runtime.panicIndex, runtime.goPanicIndex        skipped: the runtime's part of it
//	notebook/c5.work
//	notebook/c5.ˣrun
//	notebook/c5.Run
//	host.(*execution).main                          the end
func panicFrames() []msg.Frame {
	pc := make([]uintptr, 256)
	frames := runtime.CallersFrames(pc[:runtime.Callers(1, pc)])
	var list []msg.Frame
	inside := false // past the call of panic
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			// One further out, of a panic that a deferred function has replaced, is passed over.
			if len(list) == 0 {
				inside = true
			}
		case !inside:
		case len(list) == 0 && strings.HasPrefix(f.Function, "runtime."): // sigpanic, goPanicIndex, …
		case strings.HasSuffix(f.Function, "kernel/host.(*execution).main"):
			return list
		default:
			list = append(list, msg.Frame{Func: f.Function, File: f.File, Line: f.Line})
		}
		if !more {
			return list
		}
	}
}

// initFrames cuts the frames of a panic down to those of the initialiser that panicked, and
// returns the package whose it is. The functions that run initialisers, runtime.doInit and its
// like, end the list. In symbols a dot in the last element of a path is %2e, as in
// gopkg.in/yaml%2ev3.init.
func initFrames(frames []msg.Frame) (inner []msg.Frame, pkg string) {
	pkg = "a package"
	for i, f := range frames {
		if strings.HasPrefix(f.Func, "runtime.doInit") {
			return frames[:i], pkg
		}
		slash := strings.LastIndexByte(f.Func, '/') + 1
		if path, name, ok := strings.Cut(f.Func[slash:], "."); ok && (name == "init" || strings.HasPrefix(name, "init.")) {
			pkg = f.Func[:slash] + strings.ReplaceAll(path, "%2e", ".")
		}
	}
	return frames, pkg
}

// innermost returns the place of the first frame that is in a cell's text; nil where none is.
func (s *server) innermost(frames []msg.Frame) *msg.Pos {
	for _, f := range frames {
		if s.isCell(f.File) {
			return &msg.Pos{File: f.File, Line: f.Line}
		}
	}
	return nil
}

// isCell reports whether file is the display name of a cell that ran here.
func (s *server) isCell(file string) bool {
	_, ok := s.files.Load(file)
	return ok
}

// goroutineState looks a goroutine up in the text of runtime.Stack(all) and returns what it
// waits for, such as "chan receive", and its calls, innermost first. Of a goroutine that is not
// there, state is "". The text looks so:
//
//	goroutine 12 [chan receive, 2 minutes]:
//	notebook/c5.work(0xc0000140a0)
//		cell[5]:3 +0x1d
//	created by …
func goroutineState(all string, id int64) (state string, frames []msg.Frame) {
	head := "goroutine " + strconv.FormatInt(id, 10) + " ["
	sc := bufio.NewScanner(strings.NewReader(all))
	sc.Buffer(nil, 1<<20)
	found := false
	for sc.Scan() {
		line := sc.Text()
		switch {
		case strings.HasPrefix(line, head):
			found = true
			state, _, _ = strings.Cut(line[len(head):], "]")
			// The runtime may add the labels to the state.
			state, _, _ = strings.Cut(state, " labels:{")
			state, _, _ = strings.Cut(state, ", ") // "chan receive, 2 minutes"
		case !found:
		case line == "" || strings.HasPrefix(line, "created by "):
			return state, frames
		case strings.HasPrefix(line, "\t"):
			if len(frames) == 0 {
				continue
			}
			place, _, _ := strings.Cut(line[1:], " +0x")
			if i := strings.LastIndexByte(place, ':'); i > 0 {
				f := &frames[len(frames)-1]
				f.File = place[:i]
				f.Line, _ = strconv.Atoi(place[i+1:])
			}
		default:
			// The arguments are cut off: everything from the last bracket on.
			name := line
			if i := strings.LastIndexByte(line, '('); i > 0 {
				name = line[:i]
			}
			frames = append(frames, msg.Frame{Func: name})
		}
	}
	return state, frames
}
