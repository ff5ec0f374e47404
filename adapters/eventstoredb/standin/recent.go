package standin

import "github.com/google/uuid"

// recentIDs remembers where the events of the last appends are, as the leader
// does. It is bounded, and lost with the leader.
type recentIDs struct {
	limit int
	at    map[uuid.UUID]*record
	order []uuid.UUID
}

func (c *recentIDs) add(r *record) {
	if c.at == nil {
		c.at = map[uuid.UUID]*record{}
	}
	if _, known := c.at[r.id]; !known {
		c.order = append(c.order, r.id)
	}
	c.at[r.id] = r
	if len(c.order) > c.limit {
		delete(c.at, c.order[0])
		c.order = c.order[1:]
	}
}

func (c *recentIDs) forget() { c.at, c.order = nil, nil }
