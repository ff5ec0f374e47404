package eventstoredb

import "github.com/chirograph/chirograph/eventstore"

// ReadNear sets how many events before the head are read whatever their
// category.
func (l *Log) ReadNear(n eventstore.Position) { l.near = n }
