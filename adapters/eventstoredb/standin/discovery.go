package standin

import (
	"context"
	"net"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

// members answers what the cluster consists of.
type members struct {
	gossip.UnimplementedGossipServer
	node *Node
}

func (m members) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	if err := m.node.hit(ctx, Discovery, "", 0); err != nil {
		return nil, err
	}
	c := m.node.cluster
	leader := c.Leader()
	info := &gossip.ClusterInfo{}
	for _, n := range c.nodes {
		host, text, err := net.SplitHostPort(n.Address())
		if err != nil {
			return nil, err
		}
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, err
		}
		state, alive := n.state(leader)
		info.Members = append(info.Members, &gossip.MemberInfo{
			InstanceId:   structured(n.id),
			TimeStamp:    int64(c.options.Now().UnixNano() / int64(tick)),
			State:        state,
			IsAlive:      alive,
			HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(port)},
		})
	}
	return info, nil
}

// state is what gossip says of a node.
func (n *Node) state(leader int) (state gossip.MemberInfo_VNodeState, alive bool) {
	switch serves, runs := n.serving(); {
	case !runs:
		return gossip.MemberInfo_Unknown, false
	case !serves:
		return gossip.MemberInfo_ShuttingDown, true
	case leader < 0:
		return gossip.MemberInfo_Unknown, true
	case leader == n.index:
		return gossip.MemberInfo_Leader, true
	}
	return gossip.MemberInfo_Follower, true
}

// features answers what the server can do.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
	node *Node
}

func (f features) GetSupportedMethods(ctx context.Context, _ *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	if err := f.node.hit(ctx, Discovery, "", 0); err != nil {
		return nil, err
	}
	m := &serverfeatures.SupportedMethods{EventStoreServerVersion: f.node.cluster.options.Version}
	add := func(service, method string, features ...string) {
		m.Methods = append(m.Methods, &serverfeatures.SupportedMethod{ServiceName: "event_store.client." + service, MethodName: method, Features: features})
	}
	add("streams.streams", "read", "position", "events")
	add("streams.streams", "append")
	add("streams.streams", "delete")
	add("streams.streams", "tombstone")
	add("gossip.gossip", "read")
	add("server_features.serverfeatures", "getsupportedmethods")
	return m, nil
}
