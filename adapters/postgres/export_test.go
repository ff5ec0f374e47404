package postgres

// Queued is how many appends wait for the writer.
func (l *Log) Queued() int { return len(l.writer.queue) }
