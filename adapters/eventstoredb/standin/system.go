package standin

import (
	"fmt"

	"github.com/google/uuid"
)

// system appends events of the server itself, one to each stream that is named.
func (s *store) system(kind, data string, names ...string) error {
	b := &batch{store: s}
	for _, name := range names {
		b.add(name, s.streams[name].last()+1, proposal{id: uuid.New(), kind: kind, json: true, data: []byte(data)})
	}
	return s.commit(b)
}

// founded writes what a new server finds in its log: it is never empty.
func (s *store) founded() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) > 0 {
		return nil
	}
	if err := s.system("$metadata", `{"$maxAge":2592000}`, "$$$stats-127.0.0.1:2113"); err != nil {
		return err
	}
	if err := s.system("$UserCreated", `{"loginName":"admin","disabled":false}`, "$user-admin", "$user-ops"); err != nil {
		return err
	}
	return s.system("$ProjectionsInitialized", "", "$projections-$all")
}

// elected writes what a server writes when it becomes the leader, and forgets
// the ids that the leader before it remembered.
func (s *store) elected(epoch int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent.forget()
	return s.system("$epoch-information", fmt.Sprintf(`{"epochNumber":%d}`, epoch), "$epoch-information")
}

// stats writes the figures that a server writes now and then.
func (s *store) stats(appended int) error {
	if s.statsEvery == 0 {
		return nil
	}
	if s.appended += appended; s.appended < s.statsEvery {
		return nil
	}
	s.appended = 0
	return s.system("$statsCollected", `{"proc-cpu":1}`, "$stats-127.0.0.1:2113")
}
