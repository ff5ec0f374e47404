package conformance

import (
	"errors"
	"testing"
)

// TestScripts plays every script against one server on each engine, one after
// the other: they share its clock.
func TestScripts(t *testing.T) {
	scripts := readScripts(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			h := build(t, e.store(t), e.nodes)
			t.Run("tls", func(t *testing.T) { testTLS(t, h) })
			for _, s := range scripts {
				t.Run(s.name, func(t *testing.T) { s.play(t, h) })
			}
		})
	}
}

func TestScriptsCiteClauses(t *testing.T) {
	for _, s := range readScripts(t) {
		if !s.clause {
			t.Errorf("no comment of %s cites a clause", s.name)
		}
	}
}

// play runs a script once for each client in its first statement.
func (sc script) play(t *testing.T, h *house) {
	if len(sc.lines) == 0 || sc.lines[0].verb != "client" || len(sc.lines[0].args) == 0 {
		t.Fatal("a script begins by saying who speaks")
	}
	for _, name := range sc.lines[0].args {
		t.Run(name.text, func(t *testing.T) {
			s := newSession(t, h)
			if err := s.use(name.text); err != nil {
				t.Fatal(err)
			}
			for _, st := range sc.lines[1:] {
				sc.step(s, st)
			}
			if len(s.tweaks) > 0 {
				t.Errorf("what the last \"with\" changes was never sent")
			}
		})
	}
}

// step runs a statement. An answer that is not as it should be fails the
// script, which goes on to say what else is not; anything else ends it.
func (sc script) step(s *session, st statement) {
	err := s.run(st)
	if err == nil {
		return
	}
	if _, judged := errors.AsType[*errMismatch](err); judged {
		s.Errorf("testdata/%s.http:%d: %s: %v", sc.name, st.line, st.verb, err)
		return
	}
	s.Fatalf("testdata/%s.http:%d: %s: %v", sc.name, st.line, st.verb, err)
}
