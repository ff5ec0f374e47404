package standin

// catchUp sends what is there already, page by page. A checkpoint is the
// beginning of the last page or the last event in it, whichever is later, and
// comes when enough events were considered and when there are no more.
func (s *subscription) catchUp(records []*record) error {
	considered := 0
	for begin := true; len(records) > 0; begin = false {
		n, err := s.page(records)
		if err != nil {
			return err
		}
		if !begin { // the first page begins at the checkpoint that the caller has
			s.at = max(s.at, records[0].position)
		}
		records = records[n:]
		if considered += n; s.every > 0 && considered >= s.every && len(records) > 0 {
			considered %= s.every
			if err := s.checkpoint(); err != nil {
				return err
			}
		}
	}
	if s.every == 0 {
		return nil
	}
	return s.checkpoint()
}

// page sends the matching events of a page, and returns how many it
// considered.
func (s *subscription) page(records []*record) (considered int, err error) {
	matched := 0
	for considered < min(len(records), s.window) && matched < batchSize {
		r := records[considered]
		considered++
		if !s.match(r) {
			continue
		}
		matched++
		if err := s.event(r); err != nil {
			return considered, err
		}
	}
	return considered, nil
}

// checkpoint tells the subscriber how far it has come.
func (s *subscription) checkpoint() error { return s.out.send(checkpointAt(s.at)) }
