package collective

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/holt-dl/holt/internal/launch"
)

// hub is what the process of rank 0 does for all.
type hub struct {
	world launch.World
	times times
	in    net.Listener

	informed chan struct{} // closed when all ranks were sent why the job has ended

	mu      sync.Mutex
	members []*conn         // by rank; nil for one that has not come
	addrs   []string        // of the members
	notes   []string        // likewise
	waiting map[int]message // what each process is about to add up
	lost    map[int]error   // processes whose connection has ended
	ended   string          // why no rank can go on; "" while all can

	values   map[string][]byte // by key
	seekers  map[seeker]string // processes that wait for a key
	awaiting map[int]bool      // processes that need the others until they agree
}

// listen waits for the processes of a job in the background.
func listen(w launch.World, t times) (*hub, error) {
	_, port, err := net.SplitHostPort(w.Master)
	if err != nil {
		return nil, err
	}
	in, err := net.Listen("tcp", ":"+port)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %s of this host is in use; set MASTER_PORT to another for all processes", port)
	}
	if err != nil {
		return nil, err
	}
	h := &hub{world: w, times: t, in: in, members: make([]*conn, w.Size), addrs: make([]string, w.Size), notes: make([]string, w.Size),
		waiting: map[int]message{}, lost: map[int]error{}, informed: make(chan struct{}),
		values: map[string][]byte{}, seekers: map[seeker]string{}, awaiting: map[int]bool{}}
	go h.accept()
	go h.beat()
	time.AfterFunc(t.join, h.missing)
	return h, nil
}

func (h *hub) port() string { return strconv.Itoa(h.in.Addr().(*net.TCPAddr).Port) }

func (h *hub) accept() {
	for {
		c, err := h.in.Accept()
		if err != nil {
			return
		}
		go h.serve(newConn(c))
	}
}

// serve speaks with a process, from when it comes until it is lost.
func (h *hub) serve(c *conn) {
	defer c.Close()
	m, err := c.receive(h.times.silent)
	if err != nil || m.Kind != hello {
		return // a stranger
	}
	if why := h.welcome(c, m); why != "" {
		c.send(message{Kind: over, Text: why})
		return
	}
	for {
		got, err := c.receive(h.times.silent)
		if err != nil {
			h.lose(m.Rank, err)
			return
		}
		h.take(m.Rank, got)
	}
}

// welcome takes a process in, or says why not.
func (h *hub) welcome(c *conn, m message) (why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case m.Job != h.world.Job:
		return fmt.Sprintf("another job listens at %s (%s, this is %s); set MASTER_PORT to another port for all processes of one", h.world.Master, h.world.Job, m.Job)
	case m.Size != h.world.Size || m.Rank < 0 || m.Rank >= h.world.Size:
		why = fmt.Sprintf("a process says that it is rank %d of %d, and rank 0 was started as one of %d", m.Rank, m.Size, h.world.Size)
	case h.members[m.Rank] != nil:
		why = fmt.Sprintf("two processes have rank %d", m.Rank)
	default:
		h.members[m.Rank], h.addrs[m.Rank], h.notes[m.Rank] = c, m.Addr, m.Note
	}
	if why != "" {
		h.end(why)
	}
	if h.ended != "" {
		h.checkInformed()
		return h.ended
	}
	if !slices.Contains(h.members, nil) {
		h.sendNotes()
		h.all(message{Kind: complete, Addrs: h.addrs})
	}
	return ""
}

// sendNotes sends the notes of all processes, as many together as a message has room for. The
// caller holds mu.
func (h *hub) sendNotes() {
	m, size := message{Kind: noted}, 0
	for i, note := range h.notes {
		m.Notes = append(m.Notes, note)
		size += len(strconv.Quote(note))
		if i == len(h.notes)-1 || size+len(strconv.Quote(h.notes[i+1])) > line/2 {
			h.all(m)
			m.Notes, size = nil, 0
		}
	}
}

// checkInformed closes informed when all processes have come and the job has ended. The
// caller holds mu.
func (h *hub) checkInformed() {
	if h.ended == "" || slices.Contains(h.members, nil) {
		return
	}
	select {
	case <-h.informed:
	default:
		close(h.informed)
	}
}

// settle waits, where the job has ended, until all processes know why: what is on its way to
// them may be lost when this process ends. Those that have not come yet are waited for as well, but
// not for as long as a job may wait for them that goes on. The others get a moment to close their
// connections, which they do once they have read it. The connection of this process itself is
// closed before.
func (h *hub) settle() {
	h.mu.Lock()
	ended := h.ended != ""
	h.mu.Unlock()
	if !ended {
		return
	}
	select {
	case <-h.informed:
	case <-time.After(min(h.times.join, h.times.late)):
	}
	for end := time.Now().Add(h.times.reason); time.Now().Before(end) && !h.allLost(); {
		time.Sleep(5 * time.Millisecond)
	}
}

// allLost reports whether the connections of all processes that had come have ended.
func (h *hub) allLost() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	came := 0
	for _, c := range h.members {
		if c != nil {
			came++
		}
	}
	return len(h.lost) == came
}

// missing ends a job to which not all have come in time.
func (h *hub) missing() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ranks []string
	for rank, c := range h.members {
		if c == nil {
			ranks = append(ranks, strconv.Itoa(rank))
		}
	}
	if len(ranks) == 0 || h.ended != "" {
		return
	}
	defer close(h.informed) // no rank is waited for any more
	what := "rank " + ranks[0] + " of %d has"
	if len(ranks) > 1 {
		what = "ranks " + strings.Join(ranks, ", ") + " of %d have"
	}
	h.end(fmt.Sprintf(what+" not come to rank 0 within %v", h.world.Size, h.times.join))
}

// take takes a message of a process.
func (h *hub) take(rank int, m message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m.Kind {
	case about:
		h.waiting[rank] = m
		h.agree()
	case put:
		h.keep(string(m.Key), m.Value)
	case get, tryGet:
		h.find(seeker{rank, m.Step}, string(m.Key), m.Kind == tryGet)
	case forget:
		delete(h.seekers, seeker{rank, m.Step})
	case awaiting:
		h.awaiting[rank] = true
		h.endLost()
	case leaving:
		h.end(fmt.Sprintf("rank %d has stopped: %s", rank, m.Text))
	case torn:
		// The connection to rank 0 of the process at the other end breaks at the same
		// time, if it is lost.
		time.AfterFunc(h.times.reason, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if !h.endLost() {
				h.end(fmt.Sprintf("a connection of rank %d broke: %s", rank, m.Text))
			}
		})
	}
}

// agree answers when all processes have said what they are about to do. The caller holds mu.
func (h *hub) agree() {
	if len(h.lost) > 0 { // it was not known whether the others still need them
		h.endLost()
		return
	}
	if len(h.waiting) < h.world.Size {
		return
	}
	clear(h.awaiting)
	if failed := h.failed(); failed != nil {
		clear(h.waiting)
		h.all(message{Kind: agreed, Failed: failed})
		return
	}
	if why := h.differs(); why != "" {
		h.end(why)
		return
	}
	sums := make([]float64, len(h.waiting[0].Numbers))
	for rank := range h.world.Size {
		for i, bits := range h.waiting[rank].Numbers {
			sums[i] += math.Float64frombits(bits)
		}
	}
	answer := message{Kind: agreed, Step: h.waiting[0].Step}
	for _, x := range sums {
		answer.Numbers = append(answer.Numbers, math.Float64bits(x))
	}
	clear(h.waiting)
	h.all(answer)
}

// failed returns the first process that cannot do its part, and why; nil where all can.
func (h *hub) failed() *Failure {
	for rank := range h.world.Size {
		if f := h.waiting[rank].Failed; f != nil {
			return f
		}
	}
	return nil
}

// differs says which processes do something else than the most, or than rank 0 where
// there is no majority; "" where all do the same.
func (h *hub) differs() string {
	key := func(m message) string { return fmt.Sprint(m.Step, " ", len(m.Numbers), " ", m.Text) }
	count := map[string]int{}
	for _, m := range h.waiting {
		count[key(m)]++
	}
	common := h.waiting[0]
	for rank := range h.world.Size {
		if m := h.waiting[rank]; count[key(m)] > count[key(common)] {
			common = m
		}
	}
	for rank := range h.world.Size {
		m := h.waiting[rank]
		switch {
		case key(m) == key(common):
		case m.Text != common.Text:
			return fmt.Sprintf("rank %d does something else than the others: %s; the others: %s", rank, m.Text, common.Text)
		default:
			return fmt.Sprintf("rank %d is at exchange %d, the others are at %d", rank, m.Step, common.Step)
		}
	}
	return ""
}

// lose notes that the connection of a process has ended. One that comes to its end may
// go before the others have what it sent last, so it is an error only when they need it
// again. Silence is one at once: no process that ends is silent.
func (h *hub) lose(rank int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost[rank] = err
	maps.DeleteFunc(h.seekers, func(s seeker, _ string) bool { return s.rank == rank })
	delete(h.awaiting, rank)
	if errors.Is(err, os.ErrDeadlineExceeded) || h.needed() || slices.Contains(h.members, nil) {
		h.endLost()
	}
}

// ended reports whether an error of a connection is that of a process which has ended.
func ended(err error) bool {
	return errors.Is(err, errClosed) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// endLost ends the job where a process is lost, and reports whether one is. The caller
// holds mu.
func (h *hub) endLost() bool {
	for rank := range h.world.Size {
		switch err := h.lost[rank]; {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			h.end(fmt.Sprintf("rank %d is lost: it gave no sign of life for %v", rank, h.times.silent))
			return true
		case ended(err):
			h.end(fmt.Sprintf("rank %d is lost: its process has ended", rank))
			return true
		default:
			h.end(fmt.Sprintf("rank %d is lost: %v", rank, err))
			return true
		}
	}
	return false
}

// end tells all why no rank can go on. The caller holds mu.
func (h *hub) end(why string) {
	if h.ended != "" {
		return
	}
	h.ended = why
	h.all(message{Kind: over, Text: why})
	h.checkInformed()
}

// all sends a message to all that are here, and last to the process of the hub, which may then end.
// The caller holds mu.
func (h *hub) all(m message) {
	for _, c := range slices.Backward(h.members) {
		if c != nil {
			c.send(m) // a failure shows where messages are read
		}
	}
}

func (h *hub) beat() {
	for range time.Tick(h.times.beat) {
		h.mu.Lock()
		ended := h.ended != ""
		if !ended {
			h.all(message{Kind: beat})
		}
		h.mu.Unlock()
		if ended {
			return
		}
	}
}

// close ends the hub without a word: a process whose job is done is gone.
func (h *hub) close() {
	h.in.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = "the job is done"
	for _, c := range h.members {
		if c != nil {
			c.Close()
		}
	}
}
