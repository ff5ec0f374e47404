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
	if c.lead(i) != nil {
		c.nodes[i].Kill() // as a server does that cannot write
	}
}

func (c *Cluster) lead(i int) error {
	if serves, _ := c.nodes[i].serving(); !serves {
		return nil
	}
	c.mu.Lock()
	if c.leader == i || c.closed {
		c.mu.Unlock()
		return nil
	}
	c.leader = i
	c.epoch++
	epoch := c.epoch
	c.mu.Unlock()
	c.nodes[i].CatchUp() // the one with the longest log is elected
	return c.store.elected(epoch)
}

// left calls an election when the leader has gone.
func (c *Cluster) left(n *Node) {
	c.mu.Lock()
	led := c.leader == n.index
	if led {
		c.leader = -1
	}
	c.mu.Unlock()
	if led {
		c.call()
	}
}

// joined calls an election when a node has come and nobody leads.
func (c *Cluster) joined() {
	if c.Leader() < 0 {
		c.call()
	}
}

// call calls an election after the delay. A server that is alone needs none.
func (c *Cluster) call() {
	delay := c.options.ElectionDelay
	if len(c.nodes) == 1 {
		delay = 0
	}
	if delay == 0 {
		c.vote()
	}
	if delay <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.election != nil {
		c.election.Stop()
	}
	if !c.closed {
		c.election = time.AfterFunc(delay, c.vote)
	}
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
