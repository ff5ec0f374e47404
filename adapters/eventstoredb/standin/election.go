package standin

import "time"

// Leader returns the node that leads, -1 during an election.
func (c *Cluster) Leader() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader
}

// Elect makes another node the leader at once. One that is down cannot lead:
// nothing happens.
func (c *Cluster) Elect(i int) {
	if serves, _ := c.nodes[i].serving(); !serves {
		return
	}
	c.mu.Lock()
	if c.leader == i {
		c.mu.Unlock()
		return
	}
	c.leader = i
	c.epoch++
	epoch := c.epoch
	c.mu.Unlock()
	c.nodes[i].CatchUp() // the one with the longest log is elected
	c.store.elected(epoch)
}

// lost begins an election when the leader has gone.
func (c *Cluster) lost(n *Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == n.index {
		c.leader = -1
		c.call()
	}
}

// joined begins an election when a node has come and nobody leads.
func (c *Cluster) joined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader < 0 {
		c.call()
	}
}

// call calls an election after the delay. A server that is alone needs none.
func (c *Cluster) call() {
	delay := c.options.ElectionDelay
	switch {
	case c.closed:
		return
	case len(c.nodes) == 1:
		delay = 0
	case delay < 0:
		return
	}
	if c.election != nil {
		c.election.Stop()
	}
	c.election = time.AfterFunc(delay, c.vote)
}

// vote elects the first node that runs, if most do.
func (c *Cluster) vote() {
	candidate, running := -1, 0
	for i, n := range c.nodes {
		if serves, _ := n.serving(); serves {
			running++
			if candidate < 0 {
				candidate = i
			}
		}
	}
	if c.Leader() < 0 && running > len(c.nodes)/2 {
		c.Elect(candidate)
	}
}
