// Package collective adds up numbers over the processes of a job, as MPI_Allreduce does, and
// shares values by keys.
//
// The process of rank 0 is found at an address that the launcher gives. All others keep a
// connection to it, on which they say what they are about to add up, so that processes
// that do different things get an error and no wrong sum, and on which the loss of one is
// told to the others with its number. The numbers themselves go round in a ring: each
// process sends to the next one, and each part of them has gone twice round when it is
// everywhere (Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms, 2009). All
// processes have the same bits then.
package collective

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holt-dl/holt/internal/launch"
)

// Times of a group. Tests have shorter ones.
type times struct {
	join   time.Duration // for all processes to come
	beat   time.Duration // between signs of life
	silent time.Duration // without one, a process is taken for lost
	reason time.Duration // between a broken ring and the word of why
	late   time.Duration // that a job which has ended waits at most to tell those that come later
	begun  time.Duration // that a process which is interrupted waits for the others in an exchange
}

var usual = times{join: 25 * time.Second, beat: time.Second, silent: 10 * time.Second, reason: 2 * time.Second, late: 25 * time.Second, begun: 25 * time.Second}

// message is what goes between a process and rank 0, as a line of JSON.
type message struct {
	Kind    kind
	Rank    int      `json:",omitempty"` // hello
	Size    int      `json:",omitempty"` // hello
	Job     string   `json:",omitempty"` // hello
	Addr    string   `json:",omitempty"` // hello: where the ring's previous process connects to
	Addrs   []string `json:",omitempty"` // complete: of all ranks
	Note    string   `json:",omitempty"` // hello: what the others are to know of the process
	Notes   []string `json:",omitempty"` // noted: those of the next ranks
	Step    int      `json:",omitempty"` // about, agreed; of a key, the number of the question
	Text    string   `json:",omitempty"` // about: what the process does; others: a reason
	Failed  *Failure `json:",omitempty"` // about: the process cannot do it; agreed: which cannot
	Numbers []uint64 `json:",omitempty"` // about, agreed: the bits of float64s
	Key     []byte   `json:",omitempty"` // put, get, tryGet
	Value   []byte   `json:",omitempty"` // put, answered
	Found   bool     `json:",omitempty"` // answered
}

type kind string

const (
	hello    kind = "hello"    // to rank 0: a process has come
	noted    kind = "noted"    // from rank 0: notes of processes, as many messages as they need
	complete kind = "complete" // from rank 0: all have come, and all notes are sent
	about    kind = "about"    // to rank 0: what the process is about to add up
	agreed   kind = "agreed"   // from rank 0: all add up the same, and the sums of the numbers
	torn     kind = "torn"     // to rank 0: the ring is broken at this process
	leaving  kind = "leaving"  // to rank 0: the process does not go on, and why
	over     kind = "over"     // from rank 0: no rank can go on, and why
	put      kind = "put"      // to rank 0: the value of a key
	get      kind = "get"      // to rank 0: the process waits for a key
	tryGet   kind = "tryGet"   // to rank 0: the process wants a key if there is one
	forget   kind = "forget"   // to rank 0: the process waits no more for a key
	answered kind = "answered" // from rank 0: the value of a key
	awaiting kind = "awaiting" // to rank 0: the process needs the others until they agree
	beat     kind = "beat"     // both ways: a sign of life
)

// line is the longest message in bytes.
const line = 1 << 20

// conn is a connection for messages. Any goroutine may send; one receives.
type conn struct {
	net.Conn
	mu sync.Mutex
	in *bufio.Scanner
}

func newConn(c net.Conn) *conn {
	in := bufio.NewScanner(c)
	in.Buffer(nil, line)
	return &conn{Conn: c, in: in}
}

func (c *conn) send(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(text) >= line {
		return fmt.Errorf("a message of %d bytes is longer than %d", len(text), line)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.SetWriteDeadline(time.Now().Add(usual.silent))
	_, err = c.Write(append(text, '\n'))
	return err
}

var errClosed = errors.New("the connection was closed")

// receive waits for a message, at most for a time.
func (c *conn) receive(limit time.Duration) (message, error) {
	c.SetReadDeadline(time.Now().Add(limit))
	if !c.in.Scan() {
		return message{}, cmp.Or(c.in.Err(), errClosed)
	}
	var m message
	err := json.Unmarshal(c.in.Bytes(), &m)
	return m, err
}

// Group is the processes of a job, as one of them sees it.
type Group struct {
	world launch.World
	times times
	hub   *hub  // in the process of rank 0
	main  *conn // to rank 0
	notes []string

	ring sync.Mutex // held where these are made and closed
	prev net.Conn
	next net.Conn

	sent atomic.Int64 // bytes, round the ring

	turn    sync.Mutex // held by what all processes do together
	step    int
	answers chan message
	doing   chan struct{} // full from an agreement until what was agreed on is done
	broken  chan struct{} // closed when err is set
	once    sync.Once
	err     error

	decided atomic.Int64 // how often Decide was called

	seeking sync.Mutex // guards what follows
	sought  int
	seekers map[int]chan message // those that wait for a key, by the numbers of their questions
}

// Join waits for all processes of the job, at most as long as the world's JoinTimeout says, 25
// seconds where it is 0. The error says which are missing, or why rank 0 is not reached. The others
// find note among [Group.Notes].
func Join(ctx context.Context, w launch.World, note string) (*Group, error) {
	t := usual
	t.join = cmp.Or(w.JoinTimeout, t.join)
	return join(ctx, w, note, t)
}

func join(ctx context.Context, w launch.World, note string, t times) (_ *Group, err error) {
	g := &Group{world: w, times: t, answers: make(chan message, 1), doing: make(chan struct{}, 1), broken: make(chan struct{})}
	stopped := ctx.Done() // by the caller, who does not wait for those that have not come
	defer func() {
		if err != nil {
			if g.main != nil {
				g.main.Close()
			}
			select {
			case <-stopped:
			default:
				if g.hub != nil {
					g.hub.settle()
				}
			}
			g.Close()
			err = fmt.Errorf("rank %d of %d: %w", w.Rank, w.Size, err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, t.join)
	defer cancel()
	dial := w.Master
	if w.Rank == 0 {
		if g.hub, err = listen(w, t); err != nil {
			return nil, err
		}
		dial = net.JoinHostPort("127.0.0.1", g.hub.port())
	}
	c, err := g.dial(ctx, dial)
	if err != nil {
		return nil, err
	}
	g.main = newConn(c)
	host, _, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	if w.Rank == 0 {
		// Others reach this process where they reach it as rank 0.
		if host, _, err = net.SplitHostPort(w.Master); err != nil {
			return nil, err
		}
	}
	in, err := net.Listen("tcp", ":0")
	if err != nil {
		return nil, err
	}
	defer in.Close()
	_, port, err := net.SplitHostPort(in.Addr().String())
	if err != nil {
		return nil, err
	}
	if err := g.main.send(message{Kind: hello, Rank: w.Rank, Size: w.Size, Job: w.Job, Addr: net.JoinHostPort(host, port), Note: note}); err != nil {
		return nil, err
	}
	go g.beat()
	all, err := g.complete(ctx)
	if err != nil {
		return nil, err
	}
	go g.listen()
	if err := g.link(ctx, in, all.Addrs[(w.Rank+1)%w.Size]); err != nil {
		g.main.send(message{Kind: leaving, Text: err.Error()}) // the others wait for this process, too
		return nil, g.reason(err)
	}
	return g, nil
}

// Sent returns how many bytes of arrays this process has sent to the next one.
func (g *Group) Sent() int64 { return g.sent.Load() }

// Notes returns what each process said of itself when it joined, in the order of ranks.
func (g *Group) Notes() []string { return g.notes }

// dial connects to rank 0, which may start later than this process.
func (g *Group) dial(ctx context.Context, addr string) (net.Conn, error) {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("rank 0 is not reached at %s (%w); check MASTER_ADDR and MASTER_PORT, and whether rank 0 runs", addr, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// complete waits until all processes have come, and returns what rank 0 says of them.
func (g *Group) complete(ctx context.Context) (message, error) {
	end, _ := ctx.Deadline()
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			g.main.Close()
		}
	})
	defer stop()
	for {
		// Rank 0 speaks first when the time is over: it knows who is missing.
		m, err := g.main.receive(time.Until(end) + g.times.reason)
		switch {
		case ctx.Err() == context.Canceled:
			return m, context.Cause(ctx)
		case err != nil:
			return m, fmt.Errorf("rank 0 does not answer at %s: %w", g.world.Master, err)
		case m.Kind == over:
			return m, errors.New(m.Text)
		case m.Kind == noted:
			g.notes = append(g.notes, m.Notes...)
		case m.Kind == complete && len(m.Addrs) == g.world.Size && len(g.notes) == g.world.Size:
			return m, nil
		}
	}
}

// link makes the ring's connections of this process. All processes are there, so that it takes no
// long time, also where they had one to come.
func (g *Group) link(ctx context.Context, in net.Listener, next string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.late)
	defer cancel()
	defer context.AfterFunc(ctx, func() { in.Close() })()
	go func() {
		select {
		case <-g.broken: // rank 0 has said why no process can go on
			cancel()
		case <-ctx.Done():
		}
	}()
	came := make(chan error, 1)
	go func() {
		for {
			c, err := in.Accept()
			if err != nil {
				came <- fmt.Errorf("the process before this one in the ring does not come: %w", cmp.Or(ctx.Err(), err))
				return
			}
			m, err := newRing(c).receive(g.times.silent)
			if err == nil && m.Job == g.world.Job && (m.Rank+1)%g.world.Size == g.world.Rank {
				g.keep(&g.prev, c)
				came <- c.SetReadDeadline(time.Time{})
				return
			}
			c.Close() // a stranger
		}
	}()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", next)
	if err != nil {
		cancel()
		<-came
		return fmt.Errorf("the next process is not reached at %s: %w; hosts of a job must reach each other on any port", next, err)
	}
	g.keep(&g.next, c)
	if err := newConn(c).send(message{Kind: hello, Rank: g.world.Rank, Job: g.world.Job}); err != nil {
		return err
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	return <-came
}

// keep makes a connection one of the ring's, unless the group has ended.
func (g *Group) keep(as *net.Conn, c net.Conn) {
	g.ring.Lock()
	defer g.ring.Unlock()
	*as = c
	select {
	case <-g.broken:
		c.Close()
	default:
	}
}

// newRing reads one message, byte by byte: numbers follow it on the same connection.
func newRing(c net.Conn) *conn {
	in := bufio.NewScanner(single{c})
	in.Buffer(make([]byte, 0, 1), line)
	return &conn{Conn: c, in: in}
}

// single reads single bytes.
type single struct{ net.Conn }

func (s single) Read(p []byte) (int, error) { return s.Conn.Read(p[:min(1, len(p))]) }

// listen takes what rank 0 says.
func (g *Group) listen() {
	for {
		m, err := g.main.receive(g.times.silent)
		switch {
		case err != nil:
			// A process may end when it has all numbers, before others have them.
			if ended(err) {
				select {
				case g.doing <- struct{}{}:
				case <-time.After(g.times.silent):
				}
			}
			g.fail(fmt.Errorf("rank 0 is lost: %w", err))
			return
		case m.Kind == over:
			g.fail(errors.New(m.Text))
			g.main.Close() // rank 0 stays until all have heard it
			return
		case m.Kind == agreed:
			g.doing <- struct{}{}
			g.answers <- m
		case m.Kind == answered:
			g.answer(m)
		}
	}
}

func (g *Group) beat() {
	for {
		select {
		case <-g.broken:
			return
		case <-time.After(g.times.beat):
			g.main.send(message{Kind: beat}) // a failure shows where messages are read
		}
	}
}

// fail ends the group for this process.
func (g *Group) fail(err error) {
	g.once.Do(func() {
		g.ring.Lock()
		defer g.ring.Unlock()
		g.err = err
		close(g.broken)
		for _, c := range []net.Conn{g.next, g.prev} {
			if c != nil {
				c.Close()
			}
		}
	})
}

// Close ends the group. The others go on until they need this process.
func (g *Group) Close() {
	g.fail(errors.New("the group was closed"))
	if g.main != nil {
		g.main.Close()
	}
	if g.hub != nil {
		g.hub.close()
	}
}

// AllReduce adds up numbers and arrays over all processes, which call it in the same order
// and with arrays of the same lengths. All arrays have the sums afterwards, the same bits
// in every process, and sums are those of the numbers. The text says what is added up, and
// must be the same in all processes.
//
// Where a process is lost or does something else the error names it, and the group is at
// an end: the arrays are then worth nothing. So it is where ctx has ended and some do not come within
// 25 seconds; where all do, they have the sums all the same, since the others may have begun. Where a
// process has called [Group.Fail] instead, the error is a [*Failure], the arrays are as they were,
// and the group goes on.
func (g *Group) AllReduce(ctx context.Context, text string, numbers []float64, arrays ...[]float32) (sums []float64, err error) {
	sums, _, err = g.ReduceScatter(ctx, text, numbers, true, arrays)
	return sums, err
}

// ReduceScatter is [Group.AllReduce], of whose first arrays each process gets its [Piece] of the sums
// alone, in half of the bytes: the rest of them is worth nothing afterwards. Where one of the
// processes needs all sums, all get all, and inPieces is false.
func (g *Group) ReduceScatter(ctx context.Context, text string, numbers []float64, all bool, scattered [][]float32, arrays ...[]float32) (sums []float64, inPieces bool, err error) {
	m := message{Text: cut(text)}
	for _, x := range numbers {
		m.Numbers = append(m.Numbers, math.Float64bits(x))
	}
	needs := 0.0
	if all {
		needs = 1
	}
	m.Numbers = append(m.Numbers, math.Float64bits(needs)) // of all processes together in the end
	err = g.together(ctx, m, func(m message) error {
		for _, bits := range m.Numbers {
			sums = append(sums, math.Float64frombits(bits))
		}
		last := len(sums) - 1
		inPieces, sums = sums[last] == 0, sums[:last]
		if inPieces {
			if err := g.scatter(scattered); err != nil {
				return err
			}
		} else {
			arrays = append(slices.Clone(scattered), arrays...)
		}
		var all []float32
		for _, a := range arrays {
			all = append(all, a...)
		}
		if err := g.round(all); err != nil {
			return err
		}
		for _, a := range arrays {
			copy(a, all)
			all = all[len(a):]
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return sums, inPieces, nil
}

// AllGather brings arrays together of which each process has its [Piece]: all have the whole arrays
// afterwards. For the text, errors and lengths see [Group.AllReduce].
func (g *Group) AllGather(ctx context.Context, text string, arrays ...[]float32) error {
	return g.together(ctx, message{Text: cut(text)}, func(message) error {
		p := g.pack(arrays)
		if err := g.circulate(func(i int) []float32 { return p.part(g.at(i)) }, g.world.Rank); err != nil {
			return err
		}
		for rank := range g.world.Size {
			p.unpack(rank)
		}
		return nil
	})
}

// together does f, in which numbers go round the ring, once all processes have said that they do
// the same, with what rank 0 says of that.
func (g *Group) together(ctx context.Context, m message, f func(agreed message) error) (err error) {
	g.turn.Lock()
	defer g.turn.Unlock()
	defer func() {
		if err != nil && g.hub != nil {
			g.hub.settle()
		}
	}()
	ctx, cancel := g.begin(ctx)
	defer cancel()
	m.Kind = about
	if m, err = g.exchange(ctx, m); err != nil {
		return err
	}
	if m.Failed != nil {
		<-g.doing
		return m.Failed
	}
	err = f(m)
	<-g.doing
	if err != nil {
		select {
		case <-g.broken:
			return g.err
		default:
		}
		g.main.send(message{Kind: torn, Text: err.Error()})
		return g.reason(fmt.Errorf("the connection to another process broke: %w", err))
	}
	return nil
}

// begin returns the context of an exchange, which ends some time after ctx does.
func (g *Group) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(g.times.begun):
			cancel(context.Cause(ctx))
		case <-later.Done():
		}
	})
	return later, func() { stop(); cancel(nil) }
}

// Failure is the error of an exchange in which a process could not do its part. It is that of all
// others, and the group goes on.
type Failure struct {
	Rank  int
	Class string // what kind of error it was, in words that the processes have agreed on
	Text  string // its error
}

func (f *Failure) Error() string {
	return fmt.Sprintf("rank %d could not do its part: %s", f.Rank, f.Text)
}

// Fail takes part in the next exchange as a process that cannot do its part, and why: the others
// get a [*Failure]. It waits for them, and ends the group where ctx has ended and they do not come to
// an exchange within 25 seconds.
func (g *Group) Fail(ctx context.Context, class string, why error) {
	g.turn.Lock()
	defer g.turn.Unlock()
	ctx, cancel := g.begin(ctx)
	defer cancel()
	failed := &Failure{g.world.Rank, class, cut(why.Error())}
	if _, err := g.exchange(ctx, message{Kind: about, Failed: failed}); err == nil {
		<-g.doing
	} else if g.hub != nil {
		g.hub.settle()
	}
}

// exchange says to rank 0 what this process is about to do, and waits for what all do. Without an
// error, the caller empties doing when that is done.
func (g *Group) exchange(ctx context.Context, m message) (message, error) {
	g.step++
	m.Step = g.step
	if err := g.main.send(m); err != nil {
		return m, g.reason(fmt.Errorf("rank 0 is lost: %w", err))
	}
	select {
	case <-ctx.Done():
		return m, g.leave(context.Cause(ctx))
	case <-g.broken:
		select {
		case m = <-g.answers: // it came before
			return m, nil
		default:
			return m, g.err
		}
	case m = <-g.answers:
		return m, nil
	}
}

// longest is how much of a text goes into a message. What is longer ends with a checksum of all.
const longest = 16 << 10

func cut(text string) string {
	if len(text) <= longest {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes of checksum %08x)", strings.ToValidUTF8(text[:longest], ""), len(text), crc32.ChecksumIEEE([]byte(text)))
}

// leave ends the group because this process does not go on, tells the others why, and returns it.
func (g *Group) leave(why error) error {
	g.main.send(message{Kind: leaving, Text: cut(why.Error())})
	g.fail(why)
	return why
}

// reason waits a moment for what rank 0 knows, and is else the error itself.
func (g *Group) reason(err error) error {
	select {
	case <-g.broken:
	case <-time.After(g.times.silent + g.times.reason):
		g.fail(err)
	}
	return g.err
}
