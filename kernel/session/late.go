package session

// runs begins a program: what belongs to it is the running cell's until stop, and then goes
// where the request says.
//
// A goroutine can outlive its cell. What it prints and shows comes with the number of its
// program, and the notebook shows it below the cell that started it, not below the one that
// happens to run. That is why the outputs of all programs of a host are kept, until the host
// ends (launch).
func (s *Session) runs(seq int) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = seq
	if s.req.Late != nil {
		s.late[seq] = s.req.Late
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running = 0
	}
}

// lateOutput returns where a program shows what it shows when it is over; nil for the one that
// runs, and where the request did not say. Number 0, which frames have that no cell's goroutine
// made, is in no list either.
func (s *Session) lateOutput(seq int) Output {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq == s.running {
		return nil
	}
	return s.late[seq]
}

// printed takes what a goroutine of a cell prints that is over. The kernel's file of %capture
// has no part in it where it goes to its own cell: that file is for the cell that runs.
func (s *Session) printed(seq int, stream string, p []byte) {
	if late := s.lateOutput(seq); late != nil {
		late.Stream(stream, p)
		return
	}
	s.shown(stream, p)
}
