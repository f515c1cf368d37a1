package kernel

import (
	"encoding/json"

	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

// commContent is the content of comm_open, comm_msg and comm_close.
type commContent struct {
	ID     string          `json:"comm_id"`
	Target string          `json:"target_name,omitempty"`
	Data   json.RawMessage `json:"data"`
}

// Comm sends a comm message to the notebook.
func (o output) Comm(m CommMessage) {
	s := o.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Kind {
	case CommOpen:
		s.comms[m.ID] = m.Target
	case CommClose:
		delete(s.comms, m.ID)
	}
	s.publishComm(m, s.parent)
}

// Flush publishes all that was shown, at once.
func (o output) Flush() { o.s.out.Flush() }

// publishComm publishes a comm message. The caller holds mu.
func (s *server) publishComm(m CommMessage, parent json.RawMessage) {
	data := m.Data
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	msg := s.front.New(string(m.Kind), parent, commContent{ID: m.ID, Target: m.Target, Data: data})
	msg.Metadata, msg.Buffers = m.Metadata, m.Buffers
	s.front.PublishMessage(msg)
}

// enqueueComm hands comm messages to the engine, one at a time and in order,
// beside the cells.
func (s *server) enqueueComm(req *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commQueue = append(s.commQueue, req)
	if s.commBusy {
		return
	}
	s.commBusy = true
	go func() {
		for {
			s.mu.Lock()
			if len(s.commQueue) == 0 {
				s.commBusy = false
				s.mu.Unlock()
				return
			}
			req := s.commQueue[0]
			s.commQueue = s.commQueue[1:]
			s.mu.Unlock()
			s.comm(req)
		}
	}()
}

// comm delivers one comm message. It has no reply, only busy and idle.
func (s *server) comm(req *request) {
	s.around(req, func() {
		var content commContent
		if json.Unmarshal(req.Content, &content) != nil || content.ID == "" {
			s.front.Dropped("shell", &wire.MalformedError{Got: req.Header.Type + " without a comm", Want: "comm_id"})
			return
		}
		m := CommMessage{
			Kind: CommKind(req.Header.Type), ID: content.ID, Target: content.Target,
			Data: content.Data, Metadata: req.Metadata, Buffers: req.Buffers,
		}
		s.mu.Lock()
		switch m.Kind {
		case CommOpen:
			s.comms[m.ID] = m.Target
		case CommClose:
			delete(s.comms, m.ID)
		}
		s.mu.Unlock()
		known := false
		select {
		case <-s.ready:
			if h, is := s.engine.(CommHandler); is {
				known = h.Comm(m)
			}
		default:
		}
		if m.Kind == CommOpen && !known {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.comms, m.ID)
			s.publishComm(CommMessage{Kind: CommClose, ID: m.ID}, req.RawHeader)
		}
	})
}

func (s *server) commInfo(req *request) any {
	var content struct {
		Target string `json:"target_name"`
	}
	json.Unmarshal(req.Content, &content)
	s.mu.Lock()
	defer s.mu.Unlock()
	comms := map[string]any{}
	for id, target := range s.comms {
		if content.Target == "" || content.Target == target {
			comms[id] = map[string]any{"target_name": target}
		}
	}
	return map[string]any{"status": "ok", "comms": comms}
}
